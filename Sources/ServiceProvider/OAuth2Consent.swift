// Until client and redirect URI are found good every fault is shown on a page; after that it is sent to the client, with
// `state` and `iss`, and always by 303.

import Delegation
import FoundationEssentials
import Hummingbird
import OAuth
import Sealing
import StrictJSON
import Vault

/// An authorisation request whose client and redirect URI are good.
struct AuthorizationCall: Sendable {
    let consumer: RegisteredConsumer
    /// Where the answer goes.
    let target: String
    let query: AuthorizationQuery
    /// The hash of the name it was pushed under.
    let pushed: [UInt8]?
}

extension HomeProvider {
    private static let consentPurpose = "consent.oauth2"

    /// `GET /oauth2/authorize` (RFC 6749 §4.1.1).
    func showOAuth2Consent(_ incoming: Incoming) async throws -> Response {
        let call = try await authorizationCall(incoming)
        let state = call.query.state
        let request: AuthorizationRequest
        let operations: [RequestedOperation]
        do {
            request = try call.query.request()
            guard call.consumer.terms.grantTypes.contains(GrantType.authorizationCode.word) else {
                throw OAuth2Refusal.unauthorizedClient
            }
            operations = try await vault.read { transaction in
                try asked(request, of: call.consumer, in: transaction)
            }
        } catch let refusal as OAuth2Refusal {
            return try redirect(.refused(refusal), to: call.target, state: state)
        }
        let detail = JSON.compact([
            "target": .string(call.target), "redirect_uri": request.redirectURI.map(JSON.string),
            "state": state.map(JSON.string), "challenge": .string(request.codeChallenge),
            "resource": .strings(request.resource), "dpop_jkt": request.dpopThumbprint.map(JSON.string),
            "pushed": call.pushed.map { .string(Hex.encode($0)) },
        ])
        return try await consent(
            ConsentRequest(
                purpose: Self.consentPurpose, consumer: call.consumer, operations: operations,
                redirectTarget: call.target, detail: detail, action: "/oauth2/authorize", prompt: request.prompt,
                complete: completeOAuth2,
                refuse: { try redirect(.refused($0), to: call.target, state: state) }), incoming)
    }

    /// `POST /oauth2/authorize`.
    func decideOAuth2(_ incoming: Incoming) async throws -> Response {
        let (session, fields) = try await receiveAnswer(incoming)
        return try await vault.write { transaction in
            try completeOAuth2(
                try consentAnswer(Self.consentPurpose, fields, in: session, by: transaction), in: transaction)
        }
    }

    private func completeOAuth2(_ answer: ConsentAnswer, in transaction: Transaction) throws -> Response {
        let now = configuration.now()
        guard let target = answer.detail["target"]?.string, let challenge = answer.detail["challenge"]?.string,
            Self.isRegistered(target, of: answer.consumer)
        else { throw ProviderFault.wrongForm }
        if let pushed = answer.detail["pushed"]?.string {
            guard let hash = Hex.decode(pushed), try transaction.usePushedRequest(hash: hash, at: now) else {
                throw Self.badLink(OAuth2Refusal.invalidRequestURI.description)
            }
        }
        let state = answer.detail["state"]?.string
        try record(answer, in: transaction)
        guard answer.approved else { return try redirect(.refused(.accessDenied), to: target, state: state) }
        let code = Random.alphanumerics(30)
        try transaction.insertCode(
            AuthorizationCode(
                hash: Self.hash(code), consumer: answer.consumer.id, person: answer.person.id,
                scopes: answer.scopes, redirectURI: answer.detail["redirect_uri"]?.string, challenge: challenge,
                resource: answer.detail["resource"]?.strings ?? [], thumbprint: answer.detail["dpop_jkt"]?.string,
                expiresAt: now.advanced(by: ServiceProviderConfiguration.codeLifetime)), now: now)
        return try redirect(.code(Secret(text: code)), to: target, state: state)
    }

    /// Who asks, and where the answer goes.
    ///
    /// - Throws: ``ProviderFault`` with a page.
    private func authorizationCall(_ incoming: Incoming) async throws -> AuthorizationCall {
        do {
            var query = try AuthorizationQuery(parsing: incoming.query ?? "")
            let name = query.requestURI.map(Self.hash)
            let clientID = query.clientID
            let (found, pushed) = try await vault.read { transaction in
                (
                    try transaction.registeredConsumer(key: clientID),
                    try name.flatMap { try transaction.pushedRequest(hash: $0) }
                )
            }
            guard let consumer = found, consumer.delegationProtocol == .oauth2 else {
                throw Self.badLink("the app is not registered here")
            }
            if name != nil {
                guard let pushed, pushed.consumer == consumer.id, pushed.usedAt == nil,
                    configuration.now() < pushed.expiresAt
                else { throw OAuth2Refusal.invalidRequestURI }
                query = try AuthorizationQuery(pushed: try FormCoding.parse(pushed.parameters), clientID: clientID)
            } else if consumer.terms.requiresPushedRequests {
                throw Self.badLink("the app did not announce its request")
            }
            guard let target = Self.redirectTarget(query.redirectURI, of: consumer) else {
                throw Self.badLink("the app did not register the address that the answer should go to")
            }
            return AuthorizationCall(consumer: consumer, target: target, query: query, pushed: name)
        } catch let refusal as OAuth2Refusal {
            throw Self.badLink(refusal.description)
        }
    }

    /// The URI the answer goes to; a request may leave it out when only one is registered.
    static func redirectTarget(_ requested: String?, of consumer: RegisteredConsumer) -> String? {
        guard let requested else { return consumer.redirectURIs.count == 1 ? consumer.redirectURIs[0] : nil }
        return isRegistered(requested, of: consumer) ? requested : nil
    }

    private static func isRegistered(_ uri: String, of consumer: RegisteredConsumer) -> Bool {
        consumer.redirectURIs.contains { RedirectURI.matches(registered: $0, requested: uri) }
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
