// A client learns about its own tokens and nothing about anybody else's, not even whether they exist.

import Delegation
import Hummingbird
import OAuth
import Sealing
import Vault

extension HomeProvider {
    /// `POST /oauth2/introspect` (RFC 7662).
    func introspect(_ incoming: Incoming) async throws -> Response {
        let request = try clientRequest(incoming)
        let reply = try await serve(request, at: "introspection") {
            transaction, consumer -> Result<IntrospectionReply, OAuth2Refusal> in
            guard consumer.terms.authentication != .none else {
                return .failure(.invalidClient(usedHeader: request.client.usedHeader))
            }
            guard let token = request.parameters.first("token") else { return .failure(.missingParameter("token")) }
            return .success(try describe(Secret(text: token), to: consumer, in: transaction))
        }
        return Reply.json(reply.json)
    }

    private func describe(
        _ token: Secret, to consumer: RegisteredConsumer, in transaction: Transaction
    ) throws -> IntrospectionReply {
        let now = configuration.now()
        if let refresh = try transaction.refreshToken(hash: Self.hash(token.revealText())) {
            guard refresh.grant.consumer.id == consumer.id, refresh.grant.isLive(at: now), refresh.replacedAt == nil,
                now < refresh.usedAt.advanced(by: configuration.refreshIdleLimit)
            else { return .inactive }
            return try describe(
                refresh.grant.scopes, of: refresh.grant, tokenType: nil,
                audience: refresh.resource.isEmpty ? [configuration.resourceURL] : refresh.resource,
                expiresAt: refresh.grant.expiresAt.unixSeconds, thumbprint: refresh.thumbprint, in: transaction)
        }
        guard let claims = try claims(of: token, in: transaction), claims.clientID == consumer.key else {
            return .inactive
        }
        if let own = try transaction.clientToken(id: claims.tokenID) {
            guard own.revokedAt == nil, now < own.expiresAt else { return .inactive }
            return IntrospectionReply(
                active: true, clientID: consumer.key, tokenType: own.thumbprint == nil ? "Bearer" : "DPoP",
                expiresAt: claims.expiresAt, issuedAt: claims.issuedAt, subject: claims.subject,
                audience: claims.audience, issuer: claims.issuer, tokenID: claims.tokenID,
                confirmation: own.thumbprint)
        }
        guard let found = try transaction.accessToken(id: claims.tokenID), isLive(found) else { return .inactive }
        return try describe(
            found.scopes, of: found.grant, tokenType: found.thumbprint == nil ? "Bearer" : "DPoP",
            audience: claims.audience, expiresAt: claims.expiresAt, issuedAt: claims.issuedAt, tokenID: claims.tokenID,
            thumbprint: found.thumbprint, in: transaction)
    }

    private func describe(
        _ scopes: [ScopedOperation], of grant: ConsentedGrant, tokenType: String?, audience: [String], expiresAt: Int,
        issuedAt: Int? = nil, tokenID: String? = nil, thumbprint: String?, in transaction: Transaction
    ) throws -> IntrospectionReply {
        let operations = try RequestedOperation.readable(scopes, in: transaction, profiles: profiles)
        return IntrospectionReply(
            active: true, scope: operations.map(\.scope), clientID: grant.consumer.key, tokenType: tokenType,
            expiresAt: expiresAt, issuedAt: issuedAt, subject: grant.person.id, audience: audience,
            issuer: configuration.baseURL, tokenID: tokenID, confirmation: thumbprint)
    }
}
