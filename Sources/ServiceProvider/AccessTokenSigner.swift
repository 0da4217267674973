// Access tokens are signed with a key that serves nothing else and leaves the vault only for the moment of signing.

import Delegation
import FoundationEssentials
import OAuth
import Sealing
import Vault

extension HomeProvider {
    /// The key that signs access tokens, made at its first use.
    func signingKey(in transaction: Transaction) throws -> JWTSigningKey {
        let stored = try transaction.key(for: .accessToken) {
            let key = try RSAPrivateKey(bits: 2048)
            return StoredKey(
                id: JWTVerificationKey.rsa(key.publicKey, keyID: nil).thumbprint, purpose: .accessToken,
                secret: try key.derBytes(), createdAt: configuration.now(), retiredAt: nil)
        }
        return .rsa(try RSAPrivateKey(der: stored.secret), keyID: stored.id)
    }

    /// The keys that tokens of today may be signed with.
    func verificationKeys(in transaction: Transaction) throws -> [JWTVerificationKey] {
        try transaction.keys(for: .accessToken).map {
            .rsa(try RSAPrivateKey(der: $0.secret).publicKey, keyID: $0.id)
        }
    }

    /// Issues an access token for a grant and stores its row; `scopes` are never more than the grant's.
    func issueAccessToken(
        for grant: ConsentedGrant, scopes: [ScopedOperation], in transaction: Transaction
    ) throws -> TokenReply {
        let now = configuration.now()
        let lifetime = max(1, Int(configuration.accessTokenLifetime.components.seconds))
        let issuedAt = now.unixSeconds
        let operations = try RequestedOperation.resolve(scopes, in: transaction, profiles: profiles)
        let claims = AccessTokenClaims(
            issuer: configuration.baseURL, subject: grant.person.id, audience: [configuration.baseURL],
            clientID: grant.consumer.key, issuedAt: issuedAt, expiresAt: issuedAt + lifetime,
            tokenID: Random.alphanumerics(24), scope: operations.map(\.scope))
        try transaction.insertAccessToken(
            id: claims.tokenID, secret: nil, grant: grant.id, scopes: scopes,
            expiresAt: Date(timeIntervalSince1970: Double(claims.expiresAt)), now: now)
        let token = Secret(text: try claims.sign(with: try signingKey(in: transaction)))
        return TokenReply(accessToken: token, expiresIn: lifetime, scope: claims.scope)
    }

    /// The row of an access token, live or not.
    ///
    /// - Returns: `nil` when it is none of ours.
    func accessToken(_ token: Secret, in transaction: Transaction) throws -> IssuedAccessToken? {
        // Expiry is judged by the row, together with everything else that can end a token.
        let keys = try verificationKeys(in: transaction)
        guard
            let json = try? JWT.verify(token.revealText(), keys: keys, type: AccessTokenClaims.type),
            let claims = try? AccessTokenClaims(json: json), claims.issuer == configuration.baseURL,
            claims.audience == [configuration.baseURL]
        else { return nil }
        return try transaction.accessToken(id: claims.tokenID)
    }
}
