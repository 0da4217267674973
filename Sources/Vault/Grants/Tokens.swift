// Tokens change only together with the generation they belong to: who comes with an old generation changes nothing.

package import Delegation
package import FoundationEssentials
import GRDB
import Sealing

/// What a provider granted: tokens, what they allow and how long.
package struct IssuedTokens: Sendable {
    package let tokens: GrantTokens
    package let scopes: [String]
    /// When the request was sent, on the hub's clock.
    package let issuedAt: Date
    /// `nil` when they do not expire.
    package let expiresAt: Date?
    /// The kernel's boot id at `issuedAt`.
    package let boot: String?
    /// Seconds since that boot, sleep included, at `issuedAt`.
    package let uptime: Double?
    /// When the refresh token dies if nobody uses it; `nil` when that is not known.
    package let refreshExpiresAt: Date?

    /// Gathers what was granted.
    package init(
        tokens: GrantTokens, scopes: [String], issuedAt: Date, expiresAt: Date?, boot: String? = nil,
        uptime: Double? = nil, refreshExpiresAt: Date? = nil
    ) {
        self.tokens = tokens
        self.scopes = scopes
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.boot = boot
        self.uptime = uptime
        self.refreshExpiresAt = refreshExpiresAt
    }
}

extension Transaction {
    /// The tokens of a grant, `nil` when it has none.
    package func tokens(of id: GrantID) throws -> GrantTokens? {
        guard
            let row = try Row.fetchOne(
                database.cachedStatement(
                    sql: """
                        SELECT generation, token_type, sealed_access_token, sealed_token_secret, sealed_refresh_token,
                            sealed_dpop_key
                        FROM grant WHERE id = ? AND sealed_access_token IS NOT NULL
                        """),
                arguments: [id.rawValue])
        else { return nil }
        let columns = Columns(row, table: "grant")
        let place = Self.place(id, generation: Int(try columns.integer("generation")))
        func open(_ column: String) throws -> Secret? {
            try columns.optionalBytes(column).map {
                try sealer.open($0, table: "grant", row: place, column: column)
            }
        }
        guard let accessToken = try open("sealed_access_token") else { return nil }
        return GrantTokens(
            accessToken: accessToken, tokenSecret: try open("sealed_token_secret"),
            refreshToken: try open("sealed_refresh_token"), tokenType: try columns.text("token_type"),
            dpopKey: try columns.optionalBytes("sealed_dpop_key").map {
                try sealer.open($0, table: "grant", row: id.rawValue, column: "sealed_dpop_key")
            })
    }

    /// Makes a waiting grant active with its first tokens and the key that they are bound to.
    ///
    /// - Returns: Whether the grant was still waiting; otherwise nothing has changed.
    package func activateGrant(_ id: GrantID, with issued: IssuedTokens) throws -> Bool {
        guard let record = try grant(id: id), record.grant.state == .pending else { return false }
        try deletePendingApproval(of: id)
        try put(issued, into: id, generation: 1)
        let key = try issued.tokens.dpopKey.map {
            try sealer.seal($0, table: "grant", row: id.rawValue, column: "sealed_dpop_key").data
        }
        try database.execute(
            sql: "UPDATE grant SET sealed_dpop_key = ? WHERE id = ?", arguments: [key, id.rawValue])
        return true
    }

    /// Puts the next generation in the place of generation `expected` and closes the refresh; the key that the tokens are
    /// bound to stays.
    ///
    /// - Returns: Whether the grant was active and of that generation; otherwise nothing has changed.
    package func replaceTokens(of id: GrantID, expecting expected: Int, with issued: IssuedTokens) throws -> Bool {
        guard let grant = try grant(id: id)?.grant, grant.state == .active, grant.generation == expected else {
            return false
        }
        try put(issued, into: id, generation: expected + 1)
        try deleteRefresh(of: id)
        return true
    }

    func eraseTokens(of id: GrantID) throws {
        try database.execute(
            sql: """
                UPDATE grant SET sealed_access_token = NULL, sealed_token_secret = NULL, sealed_refresh_token = NULL,
                    sealed_dpop_key = NULL
                WHERE id = ?
                """,
            arguments: [id.rawValue])
    }

    private func put(_ issued: IssuedTokens, into id: GrantID, generation: Int) throws {
        let place = Self.place(id, generation: generation)
        func seal(_ secret: Secret?, _ column: String) throws -> Data? {
            try secret.map { try sealer.seal($0, table: "grant", row: place, column: column).data }
        }
        try database.execute(
            sql: """
                UPDATE grant SET state = 'active', reason = NULL, generation = ?, scopes = ?, issued_at = ?,
                    expires_at = ?, token_type = ?, sealed_access_token = ?, sealed_token_secret = ?,
                    sealed_refresh_token = ?, issued_boot = ?, issued_uptime = ?, refresh_expires_at = ?
                WHERE id = ?
                """,
            arguments: [
                generation, issued.scopes.joined(separator: " "), issued.issuedAt, issued.expiresAt,
                issued.tokens.tokenType, try seal(issued.tokens.accessToken, "sealed_access_token"),
                try seal(issued.tokens.tokenSecret, "sealed_token_secret"),
                try seal(issued.tokens.refreshToken, "sealed_refresh_token"), issued.boot, issued.uptime,
                issued.refreshExpiresAt, id.rawValue,
            ])
    }

    static func place(_ id: GrantID, generation: Int) -> String { "\(id.rawValue)#\(generation)" }
}
