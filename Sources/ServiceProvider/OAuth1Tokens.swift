// Each leg happens in one transaction: what a request token gives can be had once, and a guess is counted even though
// it is refused.

import Delegation
import FoundationEssentials
import Hummingbird
import Logging
import OAuth
import Sealing
import StrictJSON
import Vault

extension HomeProvider {
    /// `POST /oauth1/request_token` (RFC 5849 §2.1).
    func issueRequestToken(_ incoming: Incoming) async throws -> Response {
        let (verification, _) = try verification(incoming, .temporaryCredentials)
        let callback = verification.callback ?? ""
        let scopes = try Self.scopeParameter(incoming)
        let credentials = TokenCredentials(
            token: Random.alphanumerics(24), secret: Secret(text: Random.alphanumerics(24)))
        let now = configuration.now()
        try await signed(verification, .temporaryCredentials) { transaction, signed in
            // The agent shows a PIN when it cannot be reached; whoever else wants one has to be registered for it.
            let isRegistered =
                callback == "oob"
                ? signed.consumer.isAgent || signed.consumer.redirectURIs.contains("oob")
                : signed.consumer.redirectURIs.contains {
                    $0 != "oob" && RedirectURI.matches(registered: $0, requested: callback)
                }
            guard isRegistered else { return .parameterRejected(["oauth_callback"]) }
            guard
                let operations = try RequestedOperation.check(
                    scopes, of: signed.consumer, in: transaction, profiles: profiles)
            else { return .parameterRejected(["scope"]) }
            try transaction.insertRequestToken(
                credentials.token, secret: credentials.secret, consumer: signed.consumer.id, callback: callback,
                requested: operations.map(\.scope),
                expiresAt: now.advanced(by: ServiceProviderConfiguration.requestTokenLifetime), now: now)
            return nil
        }
        return Reply.form(TemporaryCredentialsReply.body(credentials))
    }

    /// `POST /oauth1/access_token` (RFC 5849 §2.3).
    func exchangeRequestToken(_ incoming: Incoming) async throws -> Response {
        let (verification, _) = try verification(incoming, .tokenCredentials)
        let credentials = TokenCredentials(
            token: Random.alphanumerics(24), secret: Secret(text: Random.alphanumerics(24)))
        let grant = GrantID(rawValue: Random.alphanumerics(24))
        let now = configuration.now()
        let expiresAt = now.advanced(by: configuration.grantLifetime)
        try await signed(verification, .tokenCredentials) { transaction, signed in
            guard let token = signed.requestToken else { return .tokenRejected }
            switch token.state {
            case .pending, .burned: return .tokenRejected
            case .denied: return .userRefused
            case .used: return .tokenUsed
            case .approved: break
            }
            guard now < token.expiresAt else { return .tokenExpired }
            guard let person = token.person, try transaction.isPresent(person: person) else { return .tokenRejected }
            let found = verification.verifier?.reveal { HashFunction.sha256.digest($0) } ?? []
            guard ConstantTime.equal(found, token.verifierHash ?? []) else {
                _ = try transaction.countWrongVerifier(
                    token.token, limit: ServiceProviderConfiguration.verifierLimit)
                return .verifierInvalid
            }
            guard try transaction.moveRequestToken(token.token, from: .approved, to: .used) else { return .tokenUsed }
            try Self.allow(
                grant, to: signed.consumer, by: person, scopes: token.scopes, until: expiresAt, in: transaction, at: now
            )
            try transaction.insertAccessToken(
                id: credentials.token, secret: credentials.secret, grant: grant, scopes: token.scopes,
                expiresAt: expiresAt, now: now)
            try transaction.audit(
                AuditEntry(
                    actor: .app(signed.consumer.key), action: "provider.token", subject: "grant:\(grant)",
                    authority: "request token", outcome: "issued"), at: now)
            return nil
        }
        return Reply.form(TokenCredentialsReply.body(credentials))
    }

    /// `POST /oauth1/revoke`, signed with the token that is to end with its grant.
    func revokeOAuth1(_ incoming: Incoming) async throws -> Response {
        let (verification, _) = try verification(incoming, .resource)
        let now = configuration.now()
        try await signed(verification, .resource) { transaction, signed in
            guard let token = signed.accessToken else { return .tokenRejected }
            do throws(OAuth1Refusal) { try requireLive(token) } catch { return error }
            _ = try Self.revoke(
                token.grant.id, by: .app(signed.consumer.key), authority: "grant:\(token.grant.id)", in: transaction,
                at: now)
            return nil
        }
        return Response(status: .ok)
    }

    /// Carries out a signed request in one transaction with its nonce; a refusal that `body` returns is written into the
    /// audit log and keeps what was done on the way to it, one that is thrown changes nothing.
    private func signed(
        _ verification: OAuth1Verification, _ endpoint: OAuth1Verification.Endpoint,
        _ body: @escaping @Sendable (Transaction, SignedRequest) throws -> OAuth1Refusal?
    ) async throws {
        let now = configuration.now()
        let refusal: OAuth1Refusal?
        do {
            refusal = try await vault.write { transaction in
                let signed = try authenticate(verification, endpoint, in: transaction)
                let refusal = try body(transaction, signed)
                if let refusal {
                    try transaction.audit(
                        AuditEntry(
                            actor: .app(signed.consumer.key), action: "provider.token", subject: "request token",
                            authority: "signature", outcome: "refused", detail: ["why": .string(refusal.problem)]),
                        at: now)
                }
                return refusal
            }
        } catch let error as OAuth1Refusal {
            throw try await refused(verification.consumerKey, error)
        }
        if let refusal { throw ProviderFault.oauth1(refusal) }
    }

    /// Notes a refusal, in the audit log when the consumer exists and did not fail often lately, and in the ordinary one
    /// always; the answer stays the same, for OAuth 1.0a has none that says "too often".
    private func refused(_ key: String, _ refusal: OAuth1Refusal) async throws -> ProviderFault {
        logger.notice("oauth1 request refused", metadata: ["oauth.problem": "\(refusal.problem)"])
        try await vault.write { transaction in
            guard let consumer = try transaction.registeredConsumer(key: key) else { return }
            _ = try auditFailure(of: consumer, subject: "signature", why: refusal.problem, in: transaction)
        }
        return .oauth1(refusal)
    }

    /// The optional parameter `scope`, which is signed like every other.
    private static func scopeParameter(_ incoming: Incoming) throws -> [String] {
        let query = (try? FormCoding.parse(incoming.query ?? "")) ?? []
        let form = incoming.hasFormBody ? (try? FormCoding.parse(incoming.body)) ?? [] : []
        let values = (query + form).all("scope")
        guard values.count < 2 else { throw ProviderFault.oauth1(.parameterRejected(["scope"])) }
        let scopes = (values.first ?? "").split(separator: " ").map(String.init)
        guard scopes.count <= 128 else { throw ProviderFault.oauth1(.parameterRejected(["scope"])) }
        return scopes.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
