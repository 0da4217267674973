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
        do {
            guard incoming.hasFormBody, (incoming.query ?? "").isEmpty else { throw OAuth2Refusal.notAFormPost }
            guard let parameters = try? FormCoding.parse(incoming.body) else { throw OAuth2Refusal.malformedRequest }
            for parameter in parameters where parameters.all(parameter.name).count > 1 {
                throw OAuth2Refusal.repeatedParameter(parameter.name)
            }
            let client = try client(incoming, parameters)
            guard let token = parameters.first("token"), !token.isEmpty else {
                throw OAuth2Refusal.missingParameter("token")
            }
            let now = configuration.now()
            let fault = try await vault.write { transaction -> ProviderFault? in
                let consumer: RegisteredConsumer
                do {
                    consumer = try authenticate(client, in: transaction)
                } catch let refusal as OAuth2Refusal {
                    return try refused(client, refusal, in: transaction)
                }
                try revoke(Secret(text: token), of: consumer, in: transaction, at: now)
                return nil
            }
            if let fault { throw fault }
            return Response(status: .ok)
        } catch let refusal as OAuth2Refusal {
            throw ProviderFault.oauth2(refusal)
        }
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
        guard let found = try accessToken(token, in: transaction), found.grant.consumer.id == consumer.id,
            found.revokedAt == nil
        else { return }
        try transaction.revokeAccessToken(id: found.id, at: now)
        try transaction.audit(
            AuditEntry(
                actor: .app(consumer.key), action: "provider.revoke", subject: "token:\(found.id)",
                authority: "grant:\(found.grant.id)", outcome: "revoked"), at: now)
    }
}
