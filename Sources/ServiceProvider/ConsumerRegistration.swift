// What a consumer is registered with can work and cannot be weakened by a request: whoever has a key of its own has no
// secret, whoever cannot prove itself is given nothing that would need proof.

import Delegation
import OAuth
import StrictJSON
import Vault

extension HomeProvider {
    /// The terms of a consumer, as they can be kept.
    ///
    /// - Throws: ``Refusal`` of kind `usage`.
    func checked(
        _ terms: ConsumerTerms, for delegationProtocol: DelegationProtocol, redirectURIs: [String]
    ) throws -> ConsumerTerms {
        var terms = terms
        if terms.keys != nil || terms.signatureMethod?.hasPrefix("RSA-") == true
            || terms.authentication == .privateKeyJWT
        {
            terms.keys = try Self.usableKeys(terms, for: delegationProtocol).json
        }
        switch delegationProtocol {
        case .oauth1:
            try checkSignatureMethod(terms)
            let plain = ConsumerTerms()
            guard terms.authentication == .secret, terms.grantTypes == plain.grantTypes, !terms.rotatesRefreshTokens,
                !terms.requiresPushedRequests, !terms.requiresDPoP
            else {
                throw Refusal(
                    .usage, "these terms are OAuth 2's, and the app is to speak OAuth 1.0a",
                    hint: "OAuth 1.0a has a signature method and, for RSA, a key")
            }
            terms.grantTypes = []
            try check(redirectURIs, for: .oauth1)
        case .oauth2:
            guard terms.signatureMethod == nil else {
                throw Refusal(.usage, "a signature method is OAuth 1.0a's, and the app is to speak OAuth 2")
            }
            terms.grantTypes = try Self.checked(terms.grantTypes, for: terms.authentication)
            // RFC 9700 §4.14.2: what nobody has to prove to be good for it must be good once.
            if terms.authentication == .none { terms.rotatesRefreshTokens = true }
            let needsRedirect = terms.grantTypes.contains(GrantType.authorizationCode.word)
            if needsRedirect || !redirectURIs.isEmpty { try check(redirectURIs, for: .oauth2) }
        }
        return terms
    }

    /// Whether redirect URIs may be registered.
    func check(_ uris: [String], for delegationProtocol: DelegationProtocol) throws {
        guard (1...16).contains(uris.count) else {
            throw Refusal(.usage, "an app needs 1 to 16 redirect URIs, not \(uris.count)")
        }
        for uri in uris where !(uri == "oob" && delegationProtocol == .oauth1) && !RedirectURI.isRegistrable(uri) {
            throw Refusal(
                .usage, "redirect URI \(quoted(uri)) is not allowed",
                hint: "use https, http on 127.0.0.1, or a private scheme such as com.example.app:/callback, "
                    + "without # and *; OAuth 1.0a also takes oob")
        }
    }

    private func checkSignatureMethod(_ terms: ConsumerTerms) throws {
        guard let name = terms.signatureMethod else {
            guard terms.keys == nil else {
                throw Refusal(.usage, "a key needs its signature method", hint: "such as RSA-SHA256")
            }
            return
        }
        guard let method = SignatureMethod(rawValue: name) else {
            throw Refusal(
                .usage, "signature method \(quoted(name)) is not known",
                hint: "use one of \(SignatureMethod.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard method.usesRSA == (terms.keys != nil) else {
            throw Refusal(
                .usage, "signature method \(name) \(method.usesRSA ? "needs" : "has no use for") the app's public key")
        }
        guard method != .plaintext || configuration.isSecure else {
            throw Refusal(
                .usage, "PLAINTEXT shows the secret to everybody on the way, and this home is not reached by https",
                hint: "use HMAC-SHA256")
        }
    }

    private static func checked(
        _ names: [String], for authentication: ConsumerAuthentication
    ) throws -> [String] {
        let known = GrantType.allCases
        let words = try names.map { name in
            guard let type = known.first(where: { $0.word == name || $0.rawValue == name }) else {
                throw Refusal(
                    .usage, "grant type \(quoted(name)) is not known",
                    hint: "use some of \(known.map(\.word).joined(separator: ", "))")
            }
            return type.word
        }
        let starts = [GrantType.authorizationCode, .deviceCode, .clientCredentials].map(\.word)
        guard words.contains(where: starts.contains) else {
            throw Refusal(
                .usage, "with these grant types an app gets nowhere",
                hint: "give at least one of \(starts.joined(separator: ", "))")
        }
        guard authentication != .none || !words.contains(GrantType.clientCredentials.word) else {
            throw Refusal(.usage, "an app that cannot prove itself gets no token for itself")
        }
        return known.map(\.word).filter(words.contains)
    }

    private static func usableKeys(_ terms: ConsumerTerms, for delegationProtocol: DelegationProtocol) throws -> JWKSet
    {
        guard delegationProtocol == .oauth1 || terms.authentication == .privateKeyJWT else {
            throw Refusal(
                .usage, "an app with a key authenticates with it", hint: "give authentication private_key_jwt")
        }
        guard let set = terms.keys.flatMap({ try? JWKSet(parsingKeyFile: $0.bytes) }) else {
            throw Refusal(.usage, "the app's public key is missing, or is none that can be used")
        }
        let isOneRSAKey = set.keys.count == 1 && set.keys.allSatisfy { $0.algorithms.contains("RS256") }
        guard delegationProtocol == .oauth2 || isOneRSAKey else {
            throw Refusal(.usage, "OAuth 1.0a signs with exactly one RSA key")
        }
        return set
    }
}

extension ConsumerTerms {
    /// Whether a consumer with these terms shares a secret with the home.
    func hasSecret(_ delegationProtocol: DelegationProtocol) -> Bool {
        switch delegationProtocol {
        case .oauth1: keys == nil
        case .oauth2: authentication == .secret
        }
    }
}
