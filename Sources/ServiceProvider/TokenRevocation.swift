// Whoever asks learns nothing: a token that is unknown, somebody else's or dead already gets the same answer as one that
// ended right now.

import Delegation
import FoundationEssentials
import Hummingbird
import OAuth
import Sealing
import Vault

extension HomeProvider {
    /// `POST /oauth2/revoke` (RFC 7009).
    func revokeOAuth2(_ incoming: Incoming) async throws -> Response {
        let request = try clientRequest(incoming)
        let now = configuration.now()
        try await serve(request, at: "revocation") { transaction, consumer -> Result<Void, OAuth2Refusal> in
            guard let token = request.parameters.first("token") else { return .failure(.missingParameter("token")) }
            try revoke(Secret(text: token), of: consumer, in: transaction, at: now)
            return .success(())
        }
        return Response(status: .ok)
    }

    private func revoke(
        _ token: Secret, of consumer: RegisteredConsumer, in transaction: Transaction, at now: Date
    ) throws {
        if let refreshToken = try transaction.refreshToken(hash: Self.hash(token.revealText())) {
            guard refreshToken.grant.consumer.id == consumer.id else { return }
            _ = try Self.revoke(
                refreshToken.grant.id, by: .app(consumer.key), authority: "grant:\(refreshToken.grant.id)",
                in: transaction, at: now)
            return
        }
        guard let claims = try claims(of: token, in: transaction), claims.clientID == consumer.key else { return }
        let authority: String
        if let own = try transaction.clientToken(id: claims.tokenID) {
            guard own.revokedAt == nil else { return }
            try transaction.revokeClientToken(id: own.id, at: now)
            authority = "client"
        } else if let found = try transaction.accessToken(id: claims.tokenID), found.revokedAt == nil {
            try transaction.revokeAccessToken(id: found.id, at: now)
            authority = "grant:\(found.grant.id)"
        } else {
            return
        }
        try transaction.audit(
            AuditEntry(
                actor: .app(consumer.key), action: "provider.revoke", subject: "token:\(claims.tokenID)",
                authority: authority, outcome: "revoked"), at: now)
    }
}
