// A client's own token shows it how it stands here and opens nothing of the home.

import Delegation
import FoundationEssentials
import Hummingbird
import OAuth
import Sealing
import StrictJSON
import Vault

extension HomeProvider {
    /// Gives a client a token for itself (RFC 6749 §4.4); public clients have none.
    func issueClientToken(
        scope: [String], _ order: TokenOrder, in transaction: Transaction
    ) throws -> Result<IssuedTokens, OAuth2Refusal> {
        guard order.consumer.terms.authentication != .none else { return .failure(.unauthorizedClient) }
        guard try RequestedOperation.withoutOpenID(scope).isEmpty else { return .failure(.invalidScope) }
        guard order.details == nil else { return .failure(.invalidAuthorizationDetails) }
        guard order.resource.allSatisfy({ $0 == configuration.resourceURL }) else { return .failure(.invalidTarget) }
        let lifetime = max(1, Int(configuration.accessTokenLifetime.components.seconds))
        let issuedAt = order.now.unixSeconds
        let claims = AccessTokenClaims(
            issuer: configuration.baseURL, subject: order.consumer.key, audience: [configuration.resourceURL],
            clientID: order.consumer.key, issuedAt: issuedAt, expiresAt: issuedAt + lifetime,
            tokenID: Random.alphanumerics(24), scope: [], confirmation: order.thumbprint)
        try transaction.insertClientToken(
            id: claims.tokenID, consumer: order.consumer.id, thumbprint: order.thumbprint,
            expiresAt: Date(timeIntervalSince1970: Double(claims.expiresAt)), now: order.now)
        try transaction.audit(
            AuditEntry(
                actor: .app(order.consumer.key), action: "provider.token", subject: "client", authority: "client",
                outcome: "issued"), at: order.now)
        return .success(
            IssuedTokens(
                claims: claims, key: try signingKey(in: transaction), refreshToken: nil, scope: nil, extra: []))
    }

    /// `GET /api/v1/app`: what the app that asks is registered as, and what it was granted.
    func showApp(_ incoming: Incoming) async throws -> Response {
        let now = configuration.now()
        let (token, scheme) = try presentedToken(incoming)
        let proof = try resourceProof(incoming, scheme: scheme, token: token)
        // A proof is used up; reading needs no commit.
        let look: @Sendable (Transaction) throws -> (client: RegisteredConsumer, reply: Response) = { transaction in
            guard let claims = try claims(of: token, in: transaction),
                let found = try transaction.clientToken(id: claims.tokenID), found.revokedAt == nil,
                now < found.expiresAt, found.consumer.removedAt == nil
            else { throw ProviderFault.token(.invalidToken) }
            try requireBinding(
                found.thumbprint, scheme: scheme, token: token, proof, audience: [configuration.resourceURL], incoming,
                in: transaction)
            let grants = try transaction.liveGrants(at: now).filter { $0.consumer.id == found.consumer.id }
            let reply = Reply.json([
                "name": .string(found.consumer.name), "client_id": .string(found.consumer.key),
                "grants": .array(
                    try grants.map { grant in
                        let operations = try RequestedOperation.readable(
                            grant.scopes, in: transaction, profiles: profiles)
                        return .compact([
                            "id": .string(grant.id.rawValue),
                            "scope": .string(operations.map(\.scope).joined(separator: " ")),
                            "created_at": .string(grant.createdAt.rfc3339),
                            "used_at": grant.usedAt.map { .string($0.rfc3339) },
                            "expires_at": .string(grant.expiresAt.rfc3339),
                        ])
                    }),
            ])
            return (found.consumer, reply)
        }
        let (client, reply) = scheme == .dpop ? try await vault.write(look) : try await vault.read(look)
        try admit(client, method: incoming.method)
        return reply
    }
}
