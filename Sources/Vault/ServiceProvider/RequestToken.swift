// A request token only ever moves forward: pending, then approved or denied, then used; a guesser burns it.

import Delegation
package import FoundationEssentials
import GRDB
package import Sealing

/// An OAuth 1.0a request token (RFC 5849: temporary credentials).
package struct RequestToken: Sendable, Equatable {
    /// Where a request token stands.
    package enum State: String, Sendable, CaseIterable {
        /// Nobody has decided yet.
        case pending
        /// A person approved; the verifier is out.
        case approved
        /// The person said no.
        case denied
        /// It was exchanged for an access token.
        case used
        /// Too many wrong verifiers.
        case burned
    }

    package let token: String
    /// The id of the consumer it belongs to.
    package let consumer: String
    /// An absolute URL, or exactly `oob`.
    package let callback: String
    /// What was asked for, as `operation@device`.
    package let requested: [String]
    package let state: State
    /// The id of the person who approved.
    package let person: String?
    /// What was approved.
    package let scopes: [ScopedOperation]
    /// SHA-256 of the verifier.
    package let verifierHash: [UInt8]?
    package let wrongVerifiers: Int
    package let expiresAt: Date
}

extension Transaction {
    /// Stores a new request token, and forgets those that expired over a day ago.
    package func insertRequestToken(
        _ token: String, secret: Secret, consumer: String, callback: String, requested: [String], expiresAt: Date,
        now: Date
    ) throws {
        try database.execute(
            sql: "DELETE FROM sp_request_token WHERE expires_at < ?", arguments: [now.addingTimeInterval(-86400)])
        let sealed = try sealer.seal(secret, table: "sp_request_token", row: token, column: "sealed_secret")
        try database.execute(
            sql: """
                INSERT INTO sp_request_token (token, sealed_secret, consumer, callback, requested, state, scopes,
                    wrong_verifiers, expires_at) VALUES (?, ?, ?, ?, ?, 'pending', '', 0, ?)
                """,
            arguments: [token, sealed.data, consumer, callback, requested.joined(separator: " "), expiresAt])
    }

    /// The request token of that name, whatever its state.
    package func requestToken(_ token: String) throws -> RequestToken? {
        guard
            let row = try Row.fetchOne(
                database, sql: "SELECT * FROM sp_request_token WHERE token = ?", arguments: [token])
        else { return nil }
        let columns = Columns(row, table: "sp_request_token")
        return RequestToken(
            token: token, consumer: try columns.text("consumer"), callback: try columns.text("callback"),
            requested: try columns.words("requested"), state: try columns.choice("state"),
            person: try columns.optionalText("person"), scopes: try columns.scopedOperations("scopes"),
            verifierHash: try columns.optionalBytes("verifier_hash"),
            wrongVerifiers: Int(clamping: try columns.integer("wrong_verifiers")),
            expiresAt: try columns.date("expires_at"))
    }

    /// The secret of a request token.
    package func secret(of token: RequestToken) throws -> Secret {
        let sealed = try Data.fetchOne(
            database, sql: "SELECT sealed_secret FROM sp_request_token WHERE token = ?", arguments: [token.token])
        guard let sealed else { throw VaultError.badRow(table: "sp_request_token", column: "sealed_secret") }
        return try sealer.open(Array(sealed), table: "sp_request_token", row: token.token, column: "sealed_secret")
    }

    /// Notes that a person approved a pending request token.
    ///
    /// - Returns: `false` when it was not pending any more.
    package func approveRequestToken(
        _ token: String, person: String, scopes: [ScopedOperation], verifierHash: [UInt8], expiresAt: Date
    ) throws -> Bool {
        try database.execute(
            sql: """
                UPDATE sp_request_token SET state = 'approved', person = ?, scopes = ?, verifier_hash = ?, expires_at = ?
                WHERE token = ? AND state = 'pending'
                """,
            arguments: [person, scopes.words, verifierHash.data, expiresAt, token])
        return database.changesCount > 0
    }

    /// Moves a request token on.
    ///
    /// - Returns: `false` when it was not in state `from` any more.
    package func moveRequestToken(_ token: String, from: RequestToken.State, to: RequestToken.State) throws -> Bool {
        try database.execute(
            sql: "UPDATE sp_request_token SET state = ? WHERE token = ? AND state = ?",
            arguments: [to.rawValue, token, from.rawValue])
        return database.changesCount > 0
    }

    /// Counts a wrong verifier, and burns the request token at the `limit`th.
    ///
    /// - Returns: Whether it is burned now.
    package func countWrongVerifier(_ token: String, limit: Int) throws -> Bool {
        try database.execute(
            sql: """
                UPDATE sp_request_token SET wrong_verifiers = wrong_verifiers + 1,
                    state = CASE WHEN wrong_verifiers + 1 >= ? THEN 'burned' ELSE state END
                WHERE token = ?
                """,
            arguments: [limit, token])
        return try requestToken(token)?.state == .burned
    }
}
