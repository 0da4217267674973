// The owner decides about a pending request token once; the verifier goes to the callback that was signed, or on the
// screen.

import Delegation
import FoundationEssentials
import Hummingbird
import OAuth
import Sealing
import StrictJSON
import Vault

extension HomeProvider {
    private static let consentPurpose = "consent.oauth1"

    private static let unknownRequest = ProviderFault.notice(
        status: 400, title: "This request is not good any more",
        advice: "It was answered before, took too long, or never existed. Start again from the app.")

    /// `GET /oauth1/authorize`.
    func showOAuth1Consent(_ incoming: Incoming) async throws -> Response {
        let parameters = (try? FormCoding.parse(incoming.query ?? "")) ?? []
        let now = configuration.now()
        guard parameters.all("oauth_token").count == 1, let name = parameters.first("oauth_token") else {
            throw Self.unknownRequest
        }
        let request = try await vault.read { transaction -> ConsentRequest in
            guard let token = try transaction.requestToken(name), token.state == .pending, now < token.expiresAt,
                let consumer = try transaction.registeredConsumer(id: token.consumer), consumer.removedAt == nil,
                let operations = try RequestedOperation.check(
                    token.requested, of: consumer, in: transaction, profiles: profiles)
            else { throw Self.unknownRequest }
            return ConsentRequest(
                purpose: Self.consentPurpose, consumer: consumer, operations: operations,
                redirectTarget: token.callback == "oob" ? nil : token.callback, detail: .string(token.token),
                action: "/oauth1/authorize", complete: completeOAuth1, refuse: { _ in throw Self.unknownRequest })
        }
        return try await consent(request, incoming)
    }

    /// `POST /oauth1/authorize`.
    func decideOAuth1(_ incoming: Incoming) async throws -> Response {
        let (session, fields) = try await receiveAnswer(incoming)
        return try await vault.write { transaction in
            try completeOAuth1(
                try consentAnswer(Self.consentPurpose, fields, in: session, by: transaction), in: transaction)
        }
    }

    private func completeOAuth1(_ answer: ConsentAnswer, in transaction: Transaction) throws -> Response {
        let now = configuration.now()
        let lifetime = ServiceProviderConfiguration.requestTokenLifetime
        guard let name = answer.detail.string, let token = try transaction.requestToken(name),
            token.state == .pending, now < token.expiresAt
        else { throw Self.unknownRequest }
        try record(answer, in: transaction)
        let isOutOfBand = token.callback == "oob"
        guard answer.approved else {
            _ = try transaction.moveRequestToken(name, from: .pending, to: .denied)
            if isOutOfBand {
                return pages.notice(
                    title: "Not allowed", advice: "Nothing was given away. You can close this page.", status: 200)
            }
            return Reply.redirect(
                to: try CallbackReply.redirectURL(callback: token.callback, token: name, refusal: .userRefused))
        }
        // A PIN is typed by a person, so it is short; guesses are counted.
        let verifier = Secret(text: isOutOfBand ? Random.digits(8) : Random.alphanumerics(24))
        let approved = try transaction.approveRequestToken(
            name, person: answer.person.id, scopes: answer.scopes,
            verifierHash: verifier.reveal { HashFunction.sha256.digest($0) },
            expiresAt: now.advanced(by: lifetime))
        guard approved else { throw Self.unknownRequest }
        guard isOutOfBand else {
            return Reply.redirect(
                to: try CallbackReply.redirectURL(callback: token.callback, token: name, verifier: verifier))
        }
        return pages.form(
            "pin",
            [
                "title": "Allowed", "consumer": answer.consumer.name, "pin": verifier.revealText(),
                "minutes": lifetime.components.seconds / 60,
            ])
    }
}
