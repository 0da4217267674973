// An approval on its way is found by a digest of what the browser will bring back, and found once.

package import Delegation
package import FoundationEssentials
import GRDB
package import Sealing

/// What is remembered between asking for a grant and its approval.
package struct PendingApproval: Sendable {
    package let grant: GrantID
    package let provider: ProviderName
    /// OAuth 2: the `state`. OAuth 1.0a: the request token.
    package let handle: Secret
    /// OAuth 2: the PKCE verifier. OAuth 1.0a: the request token's secret.
    package let proof: Secret
    /// Where the browser was told to come back to, or `oob`.
    package let redirectURI: String
    /// What was asked for.
    package let scopes: [String]
    package let expiresAt: Date

    /// Gathers what to remember.
    package init(
        grant: GrantID, provider: ProviderName, handle: Secret, proof: Secret, redirectURI: String, scopes: [String],
        expiresAt: Date
    ) {
        self.grant = grant
        self.provider = provider
        self.handle = handle
        self.proof = proof
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.expiresAt = expiresAt
    }
}

extension Transaction {
    /// Remembers an approval that was asked for.
    package func insertPendingApproval(_ pending: PendingApproval) throws {
        func seal(_ secret: Secret, _ column: String) throws -> Data {
            try sealer.seal(secret, table: "pending_approval", row: pending.grant.rawValue, column: column).data
        }
        try database.execute(
            sql: """
                INSERT INTO pending_approval
                    (grant_id, provider, handle_hash, sealed_handle, sealed_proof, redirect_uri, scopes, expires_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                pending.grant.rawValue, pending.provider.rawValue, Self.hash(pending.handle).data,
                try seal(pending.handle, "sealed_handle"), try seal(pending.proof, "sealed_proof"),
                pending.redirectURI, pending.scopes.joined(separator: " "), pending.expiresAt,
            ])
    }

    /// Takes out the approval that a `state` or request token belongs to; there is no second time.
    package func takePendingApproval(handle: Secret) throws -> PendingApproval? {
        guard
            let row = try Row.fetchOne(
                database, sql: "SELECT * FROM pending_approval WHERE handle_hash = ?",
                arguments: [Self.hash(handle).data])
        else { return nil }
        let pending = try pendingApproval(row)
        try deletePendingApproval(of: pending.grant)
        return pending
    }

    /// The approval that a grant waits for.
    package func pendingApproval(of id: GrantID) throws -> PendingApproval? {
        try Row.fetchOne(database, sql: "SELECT * FROM pending_approval WHERE grant_id = ?", arguments: [id.rawValue])
            .map(pendingApproval)
    }

    /// The grant that waits for this `state` or request token; readable while the vault is sealed.
    package func grantAwaiting(handle: Secret) throws -> GrantID? {
        try String.fetchOne(
            database, sql: "SELECT grant_id FROM pending_approval WHERE handle_hash = ?",
            arguments: [Self.hash(handle).data]
        ).map(GrantID.init(rawValue:))
    }

    /// Whether a grant waits for an approval; nothing is opened, so a damaged secret does not matter.
    package func hasPendingApproval(_ id: GrantID) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM pending_approval WHERE grant_id = ?)",
            arguments: [id.rawValue]) ?? false
    }

    /// When each waiting grant stops waiting.
    package func pendingDeadlines() throws -> [(grant: GrantID, at: Date)] {
        try Row.fetchAll(database, sql: "SELECT grant_id, expires_at FROM pending_approval").map { row in
            let columns = Columns(row, table: "pending_approval")
            return (GrantID(rawValue: try columns.text("grant_id")), try columns.date("expires_at"))
        }
    }

    func deletePendingApproval(of id: GrantID) throws {
        try database.execute(sql: "DELETE FROM pending_approval WHERE grant_id = ?", arguments: [id.rawValue])
    }

    private static func hash(_ handle: Secret) -> [UInt8] { handle.reveal { HashFunction.sha256.digest($0) } }

    private func pendingApproval(_ row: Row) throws -> PendingApproval {
        let columns = Columns(row, table: "pending_approval")
        let id = try columns.text("grant_id")
        func open(_ column: String) throws -> Secret {
            try sealer.open(try columns.bytes(column), table: "pending_approval", row: id, column: column)
        }
        return PendingApproval(
            grant: GrantID(rawValue: id), provider: try columns.provider("provider"),
            handle: try open("sealed_handle"), proof: try open("sealed_proof"),
            redirectURI: try columns.text("redirect_uri"), scopes: try columns.words("scopes"),
            expiresAt: try columns.date("expires_at"))
    }
}
