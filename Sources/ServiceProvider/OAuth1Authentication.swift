// A nonce is stored after the signature was found right and in the transaction of what the request does, so nobody can
// burn somebody else's and none is forgotten by a power cut.

import Delegation
import FoundationEssentials
import OAuth
import Sealing
import StrictJSON
import Vault

/// A signed request whose signature, timestamp and nonce are good.
struct SignedRequest: Sendable {
    let consumer: RegisteredConsumer
    /// At the third leg.
    let requestToken: RequestToken?
    /// At a protected resource.
    let accessToken: IssuedAccessToken?
}

extension HomeProvider {
    /// What a consumer may settle on by its first good signature; everything else has to be registered.
    private static let usualMethods: Set<SignatureMethod> = [.hmacSHA1, .hmacSHA256, .hmacSHA512]

    /// Reads the OAuth parameters of a request.
    func verification(
        _ incoming: Incoming, _ endpoint: OAuth1Verification.Endpoint
    ) throws -> (OAuth1Verification, OAuth1Request) {
        let request = try incoming.signedRequest(
            origin: endpoint == .resource && incoming.path.hasPrefix("/api/")
                ? configuration.resourceURL : configuration.baseURL)
        do {
            return (try OAuth1Verification(request, endpoint: endpoint), request)
        } catch {
            throw ProviderFault.oauth1(error)
        }
    }

    /// Checks a signed request; on success its nonce is used up.
    ///
    /// - Throws: ``OAuth1Refusal``, having changed nothing.
    func authenticate(
        _ verification: OAuth1Verification, _ endpoint: OAuth1Verification.Endpoint, in transaction: Transaction
    ) throws -> SignedRequest {
        let now = configuration.now().unixSeconds
        let consumer = try transaction.registeredConsumer(key: verification.consumerKey)
            .flatMap { $0.delegationProtocol == .oauth1 ? $0 : nil }
        var requestToken: RequestToken?
        var accessToken: IssuedAccessToken?
        var tokenSecret: Secret?
        // Another consumer's token is as good as none.
        switch (endpoint, verification.token) {
        case (.tokenCredentials, .some(let name)):
            requestToken = try transaction.requestToken(name).flatMap { $0.consumer == consumer?.id ? $0 : nil }
            tokenSecret = try requestToken.map { try transaction.secret(of: $0) }
        case (.resource, .some(let name)):
            accessToken = try transaction.accessToken(id: name)
                .flatMap { $0.grant.consumer.id == consumer?.id ? $0 : nil }
            tokenSecret = try accessToken.map { try transaction.secret(of: $0) }
        default: break
        }
        let settled = consumer?.terms.signatureMethod
        try verification.requireMethod(
            settled.map { Set([SignatureMethod(rawValue: $0)].compactMap(\.self)) } ?? Self.usualMethods)
        let key = try consumer.flatMap { try Self.key(of: $0, in: transaction) } ?? .decoy
        let isRight = verification.verify(key: key, tokenSecret: tokenSecret)
        guard let consumer else { throw OAuth1Refusal.consumerKeyUnknown }
        if verification.token != nil, tokenSecret == nil { throw OAuth1Refusal.tokenRejected }
        guard isRight else { throw OAuth1Refusal.signatureInvalid }

        let window = ServiceProviderConfiguration.timestampWindow
        try verification.checkTimestamp(now: now, window: window)
        if let timestamp = verification.timestamp, let nonce = verification.nonce {
            // Kept for twice the window, in case the clock is set back.
            let isNew = try transaction.useNonce(
                nonce, timestamp: timestamp, consumer: consumer.id, token: verification.token ?? "",
                forgetBefore: now - 2 * window)
            guard isNew else { throw OAuth1Refusal.nonceUsed }
        } else if verification.method != .plaintext {
            throw OAuth1Refusal.parameterAbsent(["oauth_timestamp", "oauth_nonce"])
        }
        if settled == nil { try transaction.settleSignatureMethod(verification.method.rawValue, of: consumer) }
        return SignedRequest(consumer: consumer, requestToken: requestToken, accessToken: accessToken)
    }

    /// What a consumer's signatures are verified with.
    private static func key(of consumer: RegisteredConsumer, in transaction: Transaction) throws -> VerificationKey? {
        guard consumer.terms.keys != nil else { return .secret(try transaction.secret(of: consumer)) }
        for key in try consumer.publicKeys() {
            if case .rsa(let key) = key.material { return .rsa(key) }
        }
        return nil
    }

    /// Whether a token is still good.
    func isLive(_ token: IssuedAccessToken) -> Bool { token.isLive(at: configuration.now()) }

    /// Throws unless a token is still good.
    func requireLive(_ token: IssuedAccessToken) throws(OAuth1Refusal) {
        let now = configuration.now()
        guard token.revokedAt == nil, token.grant.revokedAt == nil else { throw .tokenRevoked }
        guard now < token.expiresAt, token.grant.isLive(at: now) else { throw .tokenExpired }
    }
}
