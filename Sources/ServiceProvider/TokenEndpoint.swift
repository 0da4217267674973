// What is given for a token and the token change hands in one transaction: after a power cut either all of it happened
// or none of it.

import Delegation
import FoundationEssentials
import Hummingbird
import OAuth
import Sealing
import StrictJSON
import Vault

/// A token request whose client is known, with the key it proved to have.
struct TokenOrder: Sendable {
    let consumer: RegisteredConsumer
    /// The resources the token is wanted for.
    let resource: [String]
    /// What is asked for in detail.
    let details: AuthorizationDetails?
    /// The thumbprint of the key the token is to be bound to.
    let thumbprint: String?
    let now: Date
}

/// A token reply whose rows are written and whose access token is not signed yet.
struct IssuedTokens: Sendable {
    let claims: AccessTokenClaims
    let key: JWTSigningKey
    let refreshToken: Secret?
    /// What the token allows; `nil` for a client's own, which allows nothing.
    let scope: [String]?
    let extra: [JSON.Member]

    /// Signs the access token, which is for after the transaction: nobody else has to wait for it. When it fails the
    /// reply is lost, as it can be on the network.
    func body() throws -> Secret {
        TokenReply(
            accessToken: Secret(text: try claims.sign(with: key)),
            tokenType: claims.confirmation == nil ? .bearer : .dpop, expiresIn: claims.expiresAt - claims.issuedAt,
            refreshToken: refreshToken, scope: scope
        ).body(extra: extra)
    }
}

extension HomeProvider {
    /// `/oauth2/token` (RFC 6749 §3.2).
    func issueTokens(_ incoming: Incoming) async throws -> Response {
        let request = try clientRequest(incoming)
        let received: ReceivedTokenRequest
        do {
            received = try ReceivedTokenRequest(request)
        } catch {
            throw ProviderFault.oauth2(error)
        }
        let now = configuration.now()
        let proof = try proof(incoming)
        let issued = try await serve(request, at: "token endpoint") {
            transaction, consumer -> Result<IssuedTokens, OAuth2Refusal> in
            guard consumer.terms.grantTypes.contains(received.grant.type.word) else {
                return .failure(.unauthorizedClient)
            }
            let order = TokenOrder(
                consumer: consumer, resource: received.resource, details: received.authorizationDetails,
                thumbprint: try requiredThumbprint(proof, of: consumer, in: transaction), now: now)
            return try answer(received.grant, order, in: transaction)
        }
        return Reply.body(try issued.body().revealBytes(), type: "application/json")
    }

    private func answer(
        _ grant: TokenRequest.Grant, _ order: TokenOrder, in transaction: Transaction
    ) throws -> Result<IssuedTokens, OAuth2Refusal> {
        switch grant {
        case .authorizationCode(let code, let redirectURI, let verifier):
            try redeem(
                Self.hash(code.revealText()), redirectURI: redirectURI, verifier: verifier, order, in: transaction)
        case .refreshToken(let token, let scope):
            try refresh(Self.hash(token.revealText()), scope: scope, order, in: transaction)
        case .deviceCode(let code): try redeem(deviceCode: Self.hash(code.revealText()), order, in: transaction)
        case .clientCredentials(let scope): try issueClientToken(scope: scope, order, in: transaction)
        case .tokenExchange(let exchange): try self.exchange(exchange, order, in: transaction)
        }
    }

    /// Starts a grant with a refresh token, if the consumer may have one, and its first access token, which reaches no
    /// further than the resources it is wanted for; a refusal has changed nothing.
    func begin(
        _ id: GrantID, person: String, scopes: [ScopedOperation], resource: [String], authority: String,
        _ order: TokenOrder, in transaction: Transaction
    ) throws -> Result<IssuedTokens, OAuth2Refusal> {
        let now = order.now
        let audience = order.resource.isEmpty ? resource : order.resource
        let narrowed = try narrow(scopes, to: [], audience: audience, order, in: transaction)
        let isRenewable = order.consumer.terms.grantTypes.contains(GrantType.refreshToken.word)
        try Self.allow(
            id, to: order.consumer, by: person, scopes: scopes,
            // What cannot be renewed ends with its only token.
            until: now.advanced(by: isRenewable ? configuration.grantLifetime : configuration.accessTokenLifetime),
            in: transaction, at: now)
        guard let grant = try transaction.consentedGrant(id) else {
            throw VaultError.badRow(table: "sp_grant", column: "id")
        }
        var refreshToken: Secret?
        if isRenewable {
            let token = Secret(text: Random.alphanumerics(30))
            // A confidential client's refresh token is bound to the client, and so to no key (RFC 9449 §5).
            let isPublic = order.consumer.terms.authentication == .none
            try transaction.insertRefreshToken(
                hash: Self.hash(token.revealText()), grant: id, resource: resource,
                thumbprint: isPublic ? order.thumbprint : nil, at: now)
            refreshToken = token
        }
        return .success(
            try issue(
                grant, scopes: narrowed, audience: audience, authority: authority, refreshToken: refreshToken, order,
                in: transaction))
    }

    /// What of some operations a token shall allow: what is asked for by scope and in detail, or all of them, as far as
    /// it lies within an audience.
    ///
    /// - Throws: ``OAuth2Refusal`` when more is asked for than there is, or nothing is left.
    func narrow(
        _ scopes: [ScopedOperation], to scope: [String], audience: [String], _ order: TokenOrder,
        in transaction: Transaction
    ) throws -> [ScopedOperation] {
        var narrowed = scopes
        // Names are only compared with what the grant has anyway once it is known that there is one.
        try checkLocations(order.details, in: transaction)
        let wanted = try RequestedOperation.withoutOpenID(scope) + (order.details?.scopes ?? [])
        if !wanted.isEmpty {
            let asked = try RequestedOperation.resolve(wanted, in: transaction, profiles: profiles)?.map(\.scoped)
            guard let asked, asked.allSatisfy(scopes.contains) else {
                throw order.details == nil ? OAuth2Refusal.invalidScope : .invalidAuthorizationDetails
            }
            narrowed = asked
        }
        narrowed = try restrict(narrowed, to: audience, isStored: order.resource.isEmpty, in: transaction)
        guard !narrowed.isEmpty else { throw OAuth2Refusal.invalidTarget }
        return narrowed
    }

    /// Issues an access token under a grant, and writes it into the audit log.
    func issue(
        _ grant: ConsentedGrant, scopes: [ScopedOperation], audience: [String], authority: String,
        refreshToken: Secret?, notAfter: Date? = nil, extra: [JSON.Member] = [], _ order: TokenOrder,
        in transaction: Transaction
    ) throws -> IssuedTokens {
        let claims = try issueAccessToken(
            for: grant, scopes: scopes, audience: audience, thumbprint: order.thumbprint, notAfter: notAfter,
            in: transaction)
        try transaction.audit(
            AuditEntry(
                actor: .app(grant.consumer.key), action: "provider.token", subject: "grant:\(grant.id)",
                authority: authority, outcome: "issued"), at: order.now)
        let details = AuthorizationDetails(scopes: claims.scope, location: configuration.resourceURL)
        return IssuedTokens(
            claims: claims, key: try signingKey(in: transaction), refreshToken: refreshToken, scope: claims.scope,
            extra: [JSON.Member("authorization_details", details.json)] + extra)
    }
}

extension GrantType {
    /// The short form of its name, as a consumer's terms have it.
    var word: String {
        rawValue.split(separator: ":").last.map { String($0.map { $0 == "-" ? "_" : $0 }) } ?? rawValue
    }
}
