// A key that is retired signs nothing more, and is published until every token it signed has expired.

package import Delegation
package import FoundationEssentials
import OAuth
import Sealing
import StrictJSON
import Vault

/// A key that signs access tokens, without its secret part.
package struct TokenKey: Sendable, Equatable {
    /// What it is called among the hub's keys.
    package static let purpose = StoredKey.Purpose.accessToken.rawValue

    /// The RFC 7638 thumbprint, which is the `kid` of its tokens.
    package let id: String
    package let createdAt: Date
    /// When it signed its last token, `nil` while it is in use.
    package let retiredAt: Date?
}

extension HomeProvider {
    /// The keys that sign access tokens: the one in use, and those whose tokens are still about.
    package func tokenKeys() async throws -> [TokenKey] {
        try await vault.read { try storedKeys(in: $0) }
            .map { TokenKey(id: $0.id, createdAt: $0.createdAt, retiredAt: $0.retiredAt) }
    }

    /// Puts a new key in the place of the one that signs access tokens; tokens that are out stay good.
    ///
    /// - Returns: The new key's id.
    /// - Throws: An error of the vault; the old key stays in use then.
    package func rotateTokenKey(by requester: Requester) async throws -> String {
        let now = configuration.now()
        let key = try makeTokenKey()
        try await vault.write { transaction in
            let retired = try transaction.retireKeys(for: .accessToken, at: now)
            try transaction.insertKey(key)
            try transaction.audit(
                AuditEntry(
                    actor: requester, action: "key.rotate", subject: "key:\(key.id)", authority: "local",
                    outcome: "rotated",
                    detail: ["purpose": .string(StoredKey.Purpose.accessToken.rawValue), "retired": .strings(retired)]),
                at: now)
        }
        forgetKeys()
        return key.id
    }

    /// Drops the parsed key, for when the vault is sealed; call it after sealing.
    package func forgetKeys() { tokenKey.forget() }

    /// The parsed form of a key, kept while it is in use and the vault is open.
    func parsed(_ stored: StoredKey) throws -> RSAPrivateKey {
        let key = try tokenKey.parse(stored)
        // Sealed since the transaction began: what was to be forgotten then may only now have been kept.
        if vault.isSealed { forgetKeys() }
        return key
    }

    func makeTokenKey() throws -> StoredKey {
        let key = try RSAPrivateKey(bits: 2048)
        return StoredKey(
            id: JWTVerificationKey.rsa(key.publicKey, keyID: nil).thumbprint, purpose: .accessToken,
            secret: try key.derBytes(), createdAt: configuration.now(), retiredAt: nil)
    }

    /// The keys that tokens of today may be signed with, the one in use first.
    func verificationKeys(in transaction: Transaction) throws -> [JWTVerificationKey] {
        try storedKeys(in: transaction).map { .rsa(try parsed($0).publicKey, keyID: $0.id) }
    }

    private func storedKeys(in transaction: Transaction) throws -> [StoredKey] {
        let oldest = configuration.now().before(configuration.accessTokenLifetime).addingTimeInterval(-60)
        return try transaction.keys(for: .accessToken, retiredAfter: oldest)
    }
}
