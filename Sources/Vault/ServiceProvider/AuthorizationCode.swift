// A code is redeemed in the transaction that marks it used, so two requests can never both succeed with it.

package import Delegation
package import FoundationEssentials
import GRDB

/// An OAuth 2 authorisation code, known by its hash.
package struct AuthorizationCode: Sendable, Equatable {
    /// SHA-256 of the code.
    package let hash: [UInt8]
    /// The id of the consumer it was issued to.
    package let consumer: String
    /// The id of the person who approved.
    package let person: String
    package let scopes: [ScopedOperation]
    /// The redirect URI of the request, `nil` when it named none.
    package let redirectURI: String?
    /// The S256 challenge of the request.
    package let challenge: String
    /// The resources that were asked for (RFC 8707).
    package let resource: [String]
    /// The thumbprint of the key it is bound to (RFC 9449 §10).
    package let thumbprint: String?
    package let expiresAt: Date
    /// The grant that came of it, once it is used.
    package let grant: GrantID?

    /// Assembles a code.
    package init(
        hash: [UInt8], consumer: String, person: String, scopes: [ScopedOperation], redirectURI: String?,
        challenge: String, resource: [String], thumbprint: String?, expiresAt: Date, grant: GrantID? = nil
    ) {
        self.hash = hash
        self.consumer = consumer
        self.person = person
        self.scopes = scopes
        self.redirectURI = redirectURI
        self.challenge = challenge
        self.resource = resource
        self.thumbprint = thumbprint
        self.expiresAt = expiresAt
        self.grant = grant
    }
}

extension Transaction {
    /// Stores a code, and forgets those that expired over a day ago.
    package func insertCode(_ code: AuthorizationCode, now: Date) throws {
        try database.execute(
            sql: "DELETE FROM sp_code WHERE expires_at < ?", arguments: [now.addingTimeInterval(-86400)])
        try database.execute(
            sql: """
                INSERT INTO sp_code (hash, consumer, person, scopes, redirect_uri, challenge, resource, thumbprint,
                    expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                code.hash.data, code.consumer, code.person, code.scopes.words, code.redirectURI, code.challenge,
                code.resource.joined(separator: " "), code.thumbprint, code.expiresAt,
            ])
    }

    /// The code of that hash, used or not.
    package func code(hash: [UInt8]) throws -> AuthorizationCode? {
        guard
            let row = try Row.fetchOne(database, sql: "SELECT * FROM sp_code WHERE hash = ?", arguments: [hash.data])
        else { return nil }
        let columns = Columns(row, table: "sp_code")
        return AuthorizationCode(
            hash: hash, consumer: try columns.text("consumer"), person: try columns.text("person"),
            scopes: try columns.scopedOperations("scopes"), redirectURI: try columns.optionalText("redirect_uri"),
            challenge: try columns.text("challenge"), resource: try columns.words("resource"),
            thumbprint: try columns.optionalText("thumbprint"), expiresAt: try columns.date("expires_at"),
            grant: try columns.optionalText("grant_id").map(GrantID.init(rawValue:)))
    }

    /// Marks a code used.
    package func useCode(hash: [UInt8], grant: GrantID) throws {
        try database.execute(
            sql: "UPDATE sp_code SET grant_id = ? WHERE hash = ? AND grant_id IS NULL",
            arguments: [grant.rawValue, hash.data])
    }
}
