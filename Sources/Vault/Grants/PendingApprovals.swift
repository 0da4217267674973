// An approval on its way is found by a digest of what the browser will bring back, and found once.

package import Delegation
package import FoundationEssentials
import GRDB
package import Sealing

/// What a person needs to approve a device code (RFC 8628 §3.2).
package struct DevicePrompt: Sendable, Equatable {
    package let userCode: String
    package let verificationURI: String
    /// The same with the code in it, for a QR code.
    package let verificationURIComplete: String?
    /// Seconds to wait between two questions.
    package let interval: Int

    /// Gathers what the provider answered.
    package init(userCode: String, verificationURI: String, verificationURIComplete: String?, interval: Int) {
        self.userCode = userCode
        self.verificationURI = verificationURI
        self.verificationURIComplete = verificationURIComplete
        self.interval = interval
    }
}

/// What is remembered between asking for a grant and its approval.
package struct PendingApproval: Sendable {
    package let grant: GrantID
    package let provider: ProviderName
    /// OAuth 2: the `state`. OAuth 1.0a: the request token. Device flow: the device code.
    package let handle: Secret
    /// OAuth 2: the PKCE verifier. OAuth 1.0a: the request token's secret.
    package let proof: Secret
    /// Where the browser was told to come back to, or `oob`.
    package let redirectURI: String
    /// What was asked for.
    package let scopes: [String]
    package let expiresAt: Date
    package let flow: GrantFlow
    /// PKCS#8 PEM of the key that the tokens will be bound to (RFC 9449).
    package let dpopKey: Secret?
    /// Device flow only.
    package let device: DevicePrompt?

    /// Gathers what to remember.
    package init(
        grant: GrantID, provider: ProviderName, handle: Secret, proof: Secret, redirectURI: String, scopes: [String],
        expiresAt: Date, flow: GrantFlow = .redirect, dpopKey: Secret? = nil, device: DevicePrompt? = nil
    ) {
        self.grant = grant
        self.provider = provider
        self.handle = handle
        self.proof = proof
        self.redirectURI = redirectURI
        self.scopes = scopes
        self.expiresAt = expiresAt
        self.flow = flow
        self.dpopKey = dpopKey
        self.device = device
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
                    (grant_id, provider, handle_hash, sealed_handle, sealed_proof, redirect_uri, scopes, expires_at,
                     flow, sealed_dpop_key, user_code, verification_uri, verification_uri_complete, interval)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                pending.grant.rawValue, pending.provider.rawValue, Self.hash(pending.handle).data,
                try seal(pending.handle, "sealed_handle"), try seal(pending.proof, "sealed_proof"),
                pending.redirectURI, pending.scopes.joined(separator: " "), pending.expiresAt,
                pending.flow.rawValue, try pending.dpopKey.map { try seal($0, "sealed_dpop_key") },
                pending.device?.userCode, pending.device?.verificationURI, pending.device?.verificationURIComplete,
                pending.device?.interval,
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

    /// Takes out the approval that a grant waits for; there is no second time.
    package func takePendingApproval(of id: GrantID) throws -> PendingApproval? {
        guard let pending = try pendingApproval(of: id) else { return nil }
        try deletePendingApproval(of: id)
        return pending
    }

    /// The approvals on their way by one flow, oldest first; a damaged one is left out, its deadline ends it.
    ///
    /// - Throws: ``VaultError/sealed``.
    package func pendingApprovals(flow: GrantFlow) throws -> [PendingApproval] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM pending_approval WHERE flow = ? ORDER BY rowid", arguments: [flow.rawValue]
        ).compactMap { row in
            do {
                return try pendingApproval(row)
            } catch let error as VaultError where error != .sealed {
                return nil
            }
        }
    }

    /// Changes how long to wait between two questions about a device code (RFC 8628 §3.5).
    package func setPendingInterval(_ seconds: Int, of id: GrantID) throws {
        try database.execute(
            sql: "UPDATE pending_approval SET interval = ? WHERE grant_id = ? AND user_code IS NOT NULL",
            arguments: [seconds, id.rawValue])
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
            expiresAt: try columns.date("expires_at"), flow: try columns.choice("flow"),
            dpopKey: try columns.optionalBytes("sealed_dpop_key").map {
                try sealer.open($0, table: "pending_approval", row: id, column: "sealed_dpop_key")
            },
            device: try Self.devicePrompt(columns))
    }

    private static func devicePrompt(_ columns: Columns) throws -> DevicePrompt? {
        guard let code = try columns.optionalText("user_code") else { return nil }
        return DevicePrompt(
            userCode: code, verificationURI: try columns.text("verification_uri"),
            verificationURIComplete: try columns.optionalText("verification_uri_complete"),
            interval: Int(try columns.integer("interval")))
    }
}
