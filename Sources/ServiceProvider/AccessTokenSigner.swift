// Access tokens are signed with a key that serves nothing else, after their row is written: what is handed out is stored,
// and a row whose token was never signed opens nothing.

import Delegation
import FoundationEssentials
import OAuth
import Sealing
import Vault

extension HomeProvider {
    /// The key that signs access tokens, made at its first use.
    func signingKey(in transaction: Transaction) throws -> JWTSigningKey {
        let stored = try transaction.key(for: .accessToken) { try makeTokenKey() }
        return .rsa(try parsed(stored), keyID: stored.id)
    }

    /// Stores the row of an access token for a grant; `scopes` are never more than the grant's.
    ///
    /// - Parameters:
    ///   - grant: What a person allowed.
    ///   - scopes: What of it the token allows.
    ///   - audience: The resources it is for; empty for the whole API.
    ///   - thumbprint: The key it is bound to, `nil` for a bearer token.
    ///   - notAfter: When it ends at the latest.
    ///   - transaction: Where the row goes.
    /// - Returns: What is to be signed.
    /// - Throws: An error of the vault; nothing is stored then.
    func issueAccessToken(
        for grant: ConsentedGrant, scopes: [ScopedOperation], audience: [String], thumbprint: String?,
        notAfter: Date? = nil, in transaction: Transaction
    ) throws -> AccessTokenClaims {
        let now = configuration.now()
        let issuedAt = now.unixSeconds
        var lifetime = Int(configuration.accessTokenLifetime.components.seconds)
        for end in [grant.expiresAt, notAfter].compactMap(\.self) {
            lifetime = min(lifetime, end.unixSeconds - issuedAt)
        }
        lifetime = max(1, lifetime)
        let audience = audience.isEmpty ? [configuration.resourceURL] : audience
        let operations = try RequestedOperation.resolve(scopes, in: transaction, profiles: profiles)
        let claims = AccessTokenClaims(
            issuer: configuration.baseURL, subject: grant.person.id, audience: audience,
            clientID: grant.consumer.key, issuedAt: issuedAt, expiresAt: issuedAt + lifetime,
            tokenID: Random.alphanumerics(24), scope: operations.map(\.scope), confirmation: thumbprint)
        try transaction.insertAccessToken(
            id: claims.tokenID, secret: nil, grant: grant.id, scopes: scopes, audience: audience,
            thumbprint: thumbprint, expiresAt: Date(timeIntervalSince1970: Double(claims.expiresAt)), now: now)
        return claims
    }

    /// The claims of an access token that this home signed, live or not.
    ///
    /// - Returns: `nil` when it is none of ours.
    func claims(of token: Secret, in transaction: Transaction) throws -> AccessTokenClaims? {
        // Expiry is judged by the row, together with everything else that can end a token.
        let keys = try verificationKeys(in: transaction)
        guard
            let json = try? JWT.verify(token.revealText(), keys: keys, type: AccessTokenClaims.type),
            let claims = try? AccessTokenClaims(json: json), claims.issuer == configuration.baseURL
        else { return nil }
        return claims
    }

    /// The row of an access token, live or not.
    ///
    /// - Returns: `nil` when it is none of ours, or a client's own.
    func accessToken(_ token: Secret, in transaction: Transaction) throws -> IssuedAccessToken? {
        try claims(of: token, in: transaction).flatMap { claims in
            try transaction.accessToken(id: claims.tokenID)
                // Tokens of before audiences were kept have none in their row.
                .flatMap { $0.audience.isEmpty || $0.audience == claims.audience ? $0 : nil }
        }
    }
}
