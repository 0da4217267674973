// A consumer's secret is kept as a hash where it only has to be recognised and sealed where it has to be used or handed
// out again. Removing a consumer ends every grant it had.

package import Delegation
package import FoundationEssentials
import GRDB
package import Sealing
import StrictJSON

/// A consumer of the home's own provider: a third-party app, or the agent on behalf of one device.
package struct RegisteredConsumer: Sendable, Equatable {
    package let id: String
    package let name: String
    package let delegationProtocol: DelegationProtocol
    /// `oauth_consumer_key` or `client_id`.
    package let key: String
    /// Absolute URIs, or exactly `oob`.
    package let redirectURIs: [String]
    /// The most it may ask for, as `operation@device`; the agent may ask for everything its device can do.
    package let scopes: [String]
    /// The device the agent registered it for, `nil` for an app.
    package let agentDevice: DeviceName?
    /// How it speaks.
    package let terms: ConsumerTerms
    package let createdAt: Date
    /// When it was removed; kept for the log.
    package let removedAt: Date?

    /// Whether this is the hub's own agent.
    package var isAgent: Bool { agentDevice != nil }

    /// Assembles a consumer.
    package init(
        id: String, name: String, delegationProtocol: DelegationProtocol, key: String, redirectURIs: [String],
        scopes: [String], agentDevice: DeviceName?, terms: ConsumerTerms = ConsumerTerms(), createdAt: Date,
        removedAt: Date? = nil
    ) {
        self.id = id
        self.name = name
        self.delegationProtocol = delegationProtocol
        self.key = key
        self.redirectURIs = redirectURIs
        self.scopes = scopes
        self.agentDevice = agentDevice
        self.terms = terms
        self.createdAt = createdAt
        self.removedAt = removedAt
    }
}

extension Transaction {
    /// Stores a consumer; the secret, if it has one, is sealed for OAuth 1.0a and for the agent, and only hashed
    /// otherwise.
    package func insertRegisteredConsumer(_ consumer: RegisteredConsumer, secret: Secret?) throws {
        let isNeededAgain = consumer.delegationProtocol == .oauth1 || consumer.isAgent
        let sealed =
            try isNeededAgain
            ? secret.map { try sealer.seal($0, table: "sp_consumer", row: consumer.id, column: "sealed_secret") } : nil
        try database.execute(
            sql: """
                INSERT INTO sp_consumer (id, name, protocol, consumer_key, sealed_secret, secret_hash, redirect_uris,
                    scopes, agent_device, created_at, authentication, signature_method, grant_types, jwks,
                    rotates_refresh_tokens, requires_pushed_requests, requires_dpop)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                consumer.id, consumer.name, consumer.delegationProtocol.rawValue, consumer.key, sealed?.data,
                secret?.reveal { HashFunction.sha256.digest($0) }.data, consumer.redirectURIs.joined(separator: " "),
                consumer.scopes.joined(separator: " "), consumer.agentDevice?.rawValue, consumer.createdAt,
                consumer.terms.authentication.rawValue, consumer.terms.signatureMethod,
                consumer.terms.grantTypes.joined(separator: " "), consumer.terms.keys?.text,
                consumer.terms.rotatesRefreshTokens, consumer.terms.requiresPushedRequests, consumer.terms.requiresDPoP,
            ])
    }

    /// Every consumer that is not removed: apps by name, then the agent's.
    package func registeredConsumers() throws -> [RegisteredConsumer] {
        try Row.fetchAll(
            database,
            sql: "SELECT * FROM sp_consumer WHERE removed_at IS NULL ORDER BY agent_device IS NOT NULL, name, protocol"
        ).map(Self.registeredConsumer)
    }

    /// The consumer of that key, unless it is removed.
    package func registeredConsumer(key: String) throws -> RegisteredConsumer? {
        try Row.fetchOne(
            database.cachedStatement(sql: "SELECT * FROM sp_consumer WHERE consumer_key = ? AND removed_at IS NULL"),
            arguments: [key]
        ).map(Self.registeredConsumer)
    }

    /// The consumer of that id, removed or not.
    package func registeredConsumer(id: String) throws -> RegisteredConsumer? {
        try Row.fetchOne(database, sql: "SELECT * FROM sp_consumer WHERE id = ?", arguments: [id]).map(
            Self.registeredConsumer)
    }

    /// The app of that name, unless it is removed.
    package func app(named name: String) throws -> RegisteredConsumer? {
        try Row.fetchOne(
            database,
            sql: "SELECT * FROM sp_consumer WHERE name = ? AND agent_device IS NULL AND removed_at IS NULL",
            arguments: [name]
        ).map(Self.registeredConsumer)
    }

    /// The agent's consumer for a device.
    package func agentConsumer(
        for device: DeviceName, over delegationProtocol: DelegationProtocol
    ) throws -> RegisteredConsumer? {
        try Row.fetchOne(
            database,
            sql: "SELECT * FROM sp_consumer WHERE agent_device = ? AND protocol = ? AND removed_at IS NULL",
            arguments: [device.rawValue, delegationProtocol.rawValue]
        ).map(Self.registeredConsumer)
    }

    /// The secret of a consumer that has a sealed one.
    ///
    /// - Throws: ``VaultError/badRow(table:column:)`` for a consumer whose secret is only hashed.
    package func secret(of consumer: RegisteredConsumer) throws -> Secret {
        let sealed = try Data.fetchOne(
            database, sql: "SELECT sealed_secret FROM sp_consumer WHERE id = ?", arguments: [consumer.id])
        guard let sealed else { throw VaultError.badRow(table: "sp_consumer", column: "sealed_secret") }
        return try sealer.open(Array(sealed), table: "sp_consumer", row: consumer.id, column: "sealed_secret")
    }

    /// SHA-256 of a consumer's secret, `nil` for one that has none.
    package func secretHash(of consumer: RegisteredConsumer) throws -> [UInt8]? {
        try Data.fetchOne(
            database.cachedStatement(sql: "SELECT secret_hash FROM sp_consumer WHERE id = ?"), arguments: [consumer.id]
        ).map(Array.init)
    }

    /// Settles how a consumer signs, once.
    package func settleSignatureMethod(_ method: String, of consumer: RegisteredConsumer) throws {
        try database.execute(
            sql: "UPDATE sp_consumer SET signature_method = ? WHERE id = ? AND signature_method IS NULL",
            arguments: [method, consumer.id])
    }

    /// Replaces the redirect URIs of a consumer.
    package func setRedirectURIs(_ uris: [String], of consumer: RegisteredConsumer) throws {
        try database.execute(
            sql: "UPDATE sp_consumer SET redirect_uris = ? WHERE id = ?",
            arguments: [uris.joined(separator: " "), consumer.id])
    }

    /// Removes a consumer with everything it was allowed.
    ///
    /// - Returns: The grants that ended.
    package func removeRegisteredConsumer(_ consumer: RegisteredConsumer, at now: Date) throws -> [String] {
        let grants = try String.fetchAll(
            database, sql: "SELECT id FROM sp_grant WHERE consumer = ? AND revoked_at IS NULL",
            arguments: [consumer.id])
        try database.execute(
            sql: "UPDATE sp_grant SET revoked_at = ? WHERE consumer = ? AND revoked_at IS NULL",
            arguments: [now, consumer.id])
        for table in ["sp_request_token", "sp_pushed_request", "sp_device_code", "sp_client_token"] {
            try database.execute(sql: "DELETE FROM \(table) WHERE consumer = ?", arguments: [consumer.id])
        }
        try database.execute(
            sql: "UPDATE sp_approval SET revoked_at = ? WHERE consumer = ? AND revoked_at IS NULL",
            arguments: [now, consumer.id])
        try database.execute(
            sql: "UPDATE sp_consumer SET removed_at = ?, sealed_secret = NULL, secret_hash = NULL WHERE id = ?",
            arguments: [now, consumer.id])
        return grants
    }

    static func registeredConsumer(_ row: Row) throws -> RegisteredConsumer {
        let columns = Columns(row, table: "sp_consumer")
        return RegisteredConsumer(
            id: try columns.text("id"), name: try columns.text("name"),
            delegationProtocol: try columns.choice("protocol"), key: try columns.text("consumer_key"),
            redirectURIs: try columns.words("redirect_uris"), scopes: try columns.words("scopes"),
            agentDevice: try columns.optionalText("agent_device").flatMap { DeviceName(rawValue: $0) },
            terms: try ConsumerTerms(columns),
            createdAt: try columns.date("created_at"), removedAt: try columns.optionalDate("removed_at"))
    }
}
