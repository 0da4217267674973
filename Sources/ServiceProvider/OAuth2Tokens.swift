// Code, grant, refresh token and access token change hands in one transaction: after a power cut either all of it
// happened or none of it.

import Delegation
import FoundationEssentials
import Hummingbird
import Logging
import OAuth
import Sealing
import StrictJSON
import Vault

extension HomeProvider {
    /// `/oauth2/token` (RFC 6749 §3.2).
    func issueTokens(_ incoming: Incoming) async throws -> Response {
        let request: ReceivedTokenRequest
        do {
            guard incoming.headers[values: .authorization].count < 2 else {
                throw OAuth2Refusal.severalAuthentications
            }
            request = try ReceivedTokenRequest.parse(
                method: incoming.method, query: incoming.query, contentType: incoming.contentType,
                authorization: incoming.headers[.authorization], body: incoming.body)
            guard request.resource.allSatisfy({ $0 == configuration.baseURL }) else {
                throw OAuth2Refusal.invalidTarget
            }
        } catch let refusal as OAuth2Refusal {
            throw ProviderFault.oauth2(refusal)
        }
        let now = configuration.now()
        // A refusal is a value here, because what led to it (a replayed code that ends its grant) must be kept.
        let result = try await vault.write { transaction -> Result<TokenReply, ProviderFault> in
            let consumer: RegisteredConsumer
            do {
                consumer = try authenticate(request.client, in: transaction)
            } catch let refusal as OAuth2Refusal {
                return .failure(try refused(request.client, refusal, in: transaction))
            }
            let result: Result<TokenReply, OAuth2Refusal>
            do {
                result = try answer(request.grant, of: consumer, in: transaction, at: now)
            } catch let refusal as OAuth2Refusal {
                result = .failure(refusal)
            }
            if case .failure(let refusal) = result {
                try auditRefusal(refusal, of: consumer, in: transaction, at: now)
            }
            return result.mapError { .oauth2($0) }
        }
        switch result {
        case .success(let reply):
            return Reply.body(reply.body().revealBytes(), type: "application/json")
        case .failure(let fault):
            logger.notice("token request refused", metadata: ["oauth.error": "\(fault)"])
            throw fault
        }
    }

    private func answer(
        _ grant: TokenRequest.Grant, of consumer: RegisteredConsumer, in transaction: Transaction, at now: Date
    ) throws -> Result<TokenReply, OAuth2Refusal> {
        switch grant {
        case .authorizationCode(let code, let redirectURI, let verifier):
            try redeem(
                Self.hash(code.revealText()), redirectURI: redirectURI, verifier: verifier, by: consumer,
                in: transaction, at: now)
        case .refreshToken(let token, let scope):
            try refresh(Self.hash(token.revealText()), scope: scope, by: consumer, in: transaction, at: now)
        case .deviceCode, .clientCredentials: .failure(.unsupportedGrantType)
        }
    }

    private func redeem(
        _ hash: [UInt8], redirectURI: String?, verifier: Secret?, by consumer: RegisteredConsumer,
        in transaction: Transaction, at now: Date
    ) throws -> Result<TokenReply, OAuth2Refusal> {
        guard let code = try transaction.code(hash: hash), code.consumer == consumer.id else {
            return .failure(.invalidGrant)
        }
        let fits =
            (code.redirectURI.map { $0.utf8.elementsEqual((redirectURI ?? "").utf8) } ?? true)
            && (verifier.map { PKCE.matches(verifier: $0, challenge: code.challenge) } ?? false)
        if let used = code.grant {
            // Who knows everything about a code that was redeemed before may be its thief, or have been robbed. Who
            // knows only the code must not be able to end somebody's grant.
            if fits {
                _ = try Self.revoke(
                    used, by: .app(consumer.key), authority: "code replay", in: transaction, at: now)
            }
            return .failure(.invalidGrant)
        }
        guard fits, now < code.expiresAt, try transaction.isPresent(person: code.person) else {
            return .failure(.invalidGrant)
        }
        let id = GrantID(rawValue: Random.alphanumerics(24))
        try transaction.insertConsentedGrant(
            id: id, consumer: consumer.id, person: code.person, scopes: code.scopes, at: now,
            expiresAt: now.advanced(by: configuration.grantLifetime))
        try transaction.useCode(hash: hash, grant: id)
        guard let grant = try transaction.consentedGrant(id) else { return .failure(.serverError) }
        let refreshToken = Secret(text: Random.alphanumerics(30))
        try transaction.insertRefreshToken(hash: Self.hash(refreshToken.revealText()), grant: id, at: now)
        let reply = try issueAccessToken(for: grant, scopes: code.scopes, in: transaction)
        try auditIssue(to: grant, authority: "code", in: transaction, at: now)
        return .success(
            TokenReply(
                accessToken: reply.accessToken, expiresIn: reply.expiresIn, refreshToken: refreshToken,
                scope: reply.scope))
    }

    /// A confidential client keeps its refresh token: it is worthless without the client's secret (RFC 9700 §4.14.2).
    private func refresh(
        _ hash: [UInt8], scope: [String], by consumer: RegisteredConsumer, in transaction: Transaction, at now: Date
    ) throws -> Result<TokenReply, OAuth2Refusal> {
        guard let token = try transaction.refreshToken(hash: hash), token.grant.consumer.id == consumer.id,
            token.grant.isLive(at: now), now < token.usedAt.advanced(by: configuration.refreshIdleLimit)
        else { return .failure(.invalidGrant) }
        var scopes = token.grant.scopes
        if !scope.isEmpty {
            let asked = try RequestedOperation.resolve(scope, in: transaction, profiles: profiles)?.map(\.scoped)
            guard let asked, asked.allSatisfy(scopes.contains) else { return .failure(.invalidScope) }
            scopes = asked
        }
        try transaction.touchRefreshToken(hash: hash, at: now)
        let reply = try issueAccessToken(for: token.grant, scopes: scopes, in: transaction)
        try auditIssue(to: token.grant, authority: "refresh token", in: transaction, at: now)
        return .success(reply)
    }

    private func auditIssue(
        to grant: ConsentedGrant, authority: String, in transaction: Transaction, at now: Date
    ) throws {
        try transaction.audit(
            AuditEntry(
                actor: .app(grant.consumer.key), action: "provider.token", subject: "grant:\(grant.id)",
                authority: authority, outcome: "issued"), at: now)
    }

    private func auditRefusal(
        _ refusal: OAuth2Refusal, of consumer: RegisteredConsumer, in transaction: Transaction, at now: Date
    ) throws {
        try transaction.audit(
            AuditEntry(
                actor: .app(consumer.key), action: "provider.token", subject: "token endpoint", authority: "none",
                outcome: "refused", detail: ["why": .string(refusal.code)]), at: now)
    }
}
