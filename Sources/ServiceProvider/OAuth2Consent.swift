// Until client and redirect URI are found good every fault is shown on a page; after that it is sent to the client, with
// `state` and `iss`, and always by 303.

import Delegation
import FoundationEssentials
import Hummingbird
import OAuth
import Sealing
import StrictJSON
import Vault

extension HomeProvider {
    private static let consentPurpose = "consent.oauth2"

    /// `GET /oauth2/authorize` (RFC 6749 §4.1.1).
    func showOAuth2Consent(_ incoming: Incoming) async throws -> Response {
        let query: AuthorizationQuery
        do {
            query = try AuthorizationQuery(parsing: incoming.query ?? "")
        } catch {
            throw Self.badLink(error.description)
        }
        let found = try await vault.read { transaction in try transaction.registeredConsumer(key: query.clientID) }
        guard let consumer = found, consumer.delegationProtocol == .oauth2 else {
            throw Self.badLink("the app is not registered here")
        }
        guard let target = Self.redirectTarget(query.redirectURI, of: consumer) else {
            throw Self.badLink("the app did not register the address that the answer should go to")
        }
        let request: AuthorizationRequest
        let operations: [RequestedOperation]
        do {
            request = try query.request()
            guard request.resource.allSatisfy({ $0 == configuration.baseURL }) else {
                throw OAuth2Refusal.invalidTarget
            }
            let checked = try await vault.read { transaction in
                try RequestedOperation.check(request.scope, of: consumer, in: transaction, profiles: profiles)
            }
            guard let checked else { throw OAuth2Refusal.invalidScope }
            operations = checked
        } catch let refusal as OAuth2Refusal {
            return try redirect(.refused(refusal), to: target, state: query.state)
        }
        let detail = JSON.compact([
            "target": .string(target), "redirect_uri": request.redirectURI.map(JSON.string),
            "state": request.state.map(JSON.string), "challenge": .string(request.codeChallenge),
        ])
        return try await consentPage(
            ConsentRequest(
                purpose: Self.consentPurpose, consumer: consumer, operations: operations, redirectTarget: target,
                detail: detail, action: "/oauth2/authorize"), incoming)
    }

    /// `POST /oauth2/authorize`.
    func decideOAuth2(_ incoming: Incoming) async throws -> Response {
        let (session, fields) = try await receiveForm(incoming)
        let now = configuration.now()
        return try await vault.write { transaction in
            let answer = try consentAnswer(Self.consentPurpose, fields, in: session, by: transaction)
            guard let target = answer.detail["target"]?.string, let challenge = answer.detail["challenge"]?.string,
                answer.consumer.redirectURIs.contains(where: { RedirectURI.matches(registered: $0, requested: target) })
            else { throw ProviderFault.wrongForm }
            let state = answer.detail["state"]?.string
            try audit(answer, in: transaction)
            guard answer.approved else { return try redirect(.refused(.accessDenied), to: target, state: state) }
            let code = Random.alphanumerics(30)
            try transaction.insertCode(
                AuthorizationCode(
                    hash: Self.hash(code), consumer: answer.consumer.id, person: answer.person.id,
                    scopes: answer.scopes, redirectURI: answer.detail["redirect_uri"]?.string, challenge: challenge,
                    expiresAt: now.advanced(by: ServiceProviderConfiguration.codeLifetime)), now: now)
            return try redirect(.code(Secret(text: code)), to: target, state: state)
        }
    }

    /// The URI the answer goes to; a request may leave it out when only one is registered.
    private static func redirectTarget(_ requested: String?, of consumer: RegisteredConsumer) -> String? {
        guard let requested else { return consumer.redirectURIs.count == 1 ? consumer.redirectURIs[0] : nil }
        return consumer.redirectURIs.contains { RedirectURI.matches(registered: $0, requested: requested) }
            ? requested : nil
    }

    private func redirect(_ response: AuthorizationResponse, to target: String, state: String?) throws -> Response {
        Reply.redirect(to: try response.redirectURL(target, state: state, issuer: configuration.baseURL))
    }

    private static func badLink(_ why: String) -> ProviderFault {
        .notice(
            status: 400, title: "This link is not right",
            advice:
                "Nothing was allowed: \(why). Go back to the app and start again; if it happens again, tell its maker.")
    }
}
