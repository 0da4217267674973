// OAuth 1.0a with one provider (RFC 5849): three legs, then signed requests.

package import Delegation
import FoundationEssentials
package import OAuth
package import Sealing

extension RemoteProvider {
    /// Asks for a request token (§2.1).
    ///
    /// - Parameters:
    ///   - consumer: Who asks.
    ///   - callback: Where the owner's browser comes back to, or `oob`.
    ///   - scopes: Sent in the profile's scope parameter; without one they are not sent.
    /// - Returns: The request token and its secret.
    /// - Throws: ``ProviderFailure``, also when the provider does not confirm the callback.
    package func temporaryCredentials(
        consumer: Consumer, callback: String, scopes: [String]
    ) async throws -> TokenCredentials {
        let endpoints = try oauth1
        let form: [Parameter] =
            if let name = endpoints.scopeParameter, !scopes.isEmpty {
                [Parameter(name, scopes.joined(separator: profile.scopeSeparator))]
            } else { [] }
        let reply = try await sendSigned(
            "POST", endpoints.requestToken, form: form, consumer: consumer, token: nil, callback: callback)
        return try read(reply) { body throws(OAuthError) in try TemporaryCredentialsReply.parse(body).credentials }
    }

    /// The page where the owner approves a request token (§2.2).
    package func authorizeURL(requestToken: String) throws -> String {
        let endpoint = try oauth1.authorize
        _ = try origins.check(endpoint)
        return endpoint + (endpoint.contains("?") ? "&" : "?")
            + FormCoding.encode([Parameter("oauth_token", requestToken)])
    }

    /// Changes an approved request token for an access token (§2.3).
    ///
    /// - Returns: The access token, and what was granted when the provider says so.
    /// - Throws: ``ProviderFailure``.
    package func tokenCredentials(
        consumer: Consumer, requestToken: TokenCredentials, verifier: Secret
    ) async throws -> (credentials: TokenCredentials, scopes: [String]?) {
        let endpoints = try oauth1
        let reply = try await sendSigned(
            "POST", endpoints.accessToken, consumer: consumer, token: requestToken, verifier: verifier)
        let parsed = try read(reply) { body throws(OAuthError) in try TokenCredentialsReply.parse(body) }
        let scopes = endpoints.scopeParameter.flatMap { name in parsed.extra.first { $0.name == name }?.value }
        return (parsed.credentials, scopes?.split { $0 == " " || $0 == "," }.map(String.init))
    }

    /// Signs a request that somebody else will send.
    ///
    /// - Parameters:
    ///   - method: The HTTP method.
    ///   - url: The absolute URL with its query.
    ///   - form: The form body, which is part of what is signed; empty when there is none.
    ///   - consumer: Who signs.
    ///   - token: The access token it signs for.
    /// - Returns: The `Authorization` header's value.
    /// - Throws: ``ProviderFailure/notPinned(host:)`` for a URL of somebody else.
    package func authorizationHeader(
        _ method: String, _ url: String, form: [Parameter], consumer: Consumer, token: TokenCredentials
    ) throws -> String {
        _ = try origins.check(url)
        return try signed(method, url, form: form, consumer: consumer, token: token)
    }

    /// Ends an access token by a signed POST, where the profile names an endpoint for that.
    func revokeOAuth1(consumer: Consumer, token: TokenCredentials) async throws {
        guard let endpoint = try oauth1.revocation else { throw ProviderFailure.notOffered("revocation endpoint") }
        let reply = try await sendSigned("POST", endpoint, consumer: consumer, token: token)
        try demandSuccess(reply)
    }

    /// Signs and sends; when the provider objects to our clock, or refuses without a reason, once more with its own.
    func sendSigned(
        _ method: String, _ url: String, form: [Parameter] = [], consumer: Consumer, token: TokenCredentials?,
        callback: String? = nil, verifier: Secret? = nil
    ) async throws -> RawReply {
        try await sendCorrecting(
            method, url, form: form, consumer: consumer, token: token, callback: callback, verifier: verifier
        ).reply
    }

    /// As ``sendSigned(_:_:form:consumer:token:callback:verifier:)``; says whether the reply is to a signature with the
    /// provider's own time.
    func sendCorrecting(
        _ method: String, _ url: String, form: [Parameter] = [], consumer: Consumer, token: TokenCredentials?,
        callback: String? = nil, verifier: Secret? = nil
    ) async throws -> (reply: RawReply, isCorrected: Bool) {
        func attempt(clockOffset: Int) async throws -> RawReply {
            let header = try signed(
                method, url, form: form, consumer: consumer, token: token, callback: callback,
                verifier: verifier?.revealText(), clockOffset: clockOffset)
            return try await send(
                OutgoingRequest(
                    method: method, url: url, authorization: Secret(text: header),
                    form: form.isEmpty ? nil : Secret(text: FormCoding.encode(form))))
        }
        let reply = try await attempt(clockOffset: 0)
        // The `Date` is believed because secrets go over TLS or to this machine only.
        guard let theirs = Self.time(objectedWith: reply) else { return (reply, false) }
        let offset = theirs.subtractingReportingOverflow(Int(now().timeIntervalSince1970))
        guard !offset.overflow else { return (reply, false) }
        return (try await attempt(clockOffset: offset.partialValue), true)
    }

    /// The provider's time, when what it refused may have been our clock.
    private static func time(objectedWith reply: RawReply) -> Int? {
        let date = reply.date.flatMap(HTTPDate.parse)
        guard let problem = OAuthProblem.parse(reply.body.revealBytes(), wwwAuthenticate: reply.wwwAuthenticate) else {
            return reply.status == 401 ? date : nil
        }
        guard reply.status == 401 || reply.status == 400, problem.isAboutTime else { return nil }
        return problem.acceptableTimestamps.map { $0.lowerBound + ($0.upperBound - $0.lowerBound) / 2 } ?? date
    }

    private func signed(
        _ method: String, _ url: String, form: [Parameter], consumer: Consumer, token: TokenCredentials?,
        callback: String? = nil, verifier: String? = nil, clockOffset: Int = 0
    ) throws -> String {
        let endpoints = try oauth1
        guard let signatureMethod = SignatureMethod(rawValue: endpoints.signatureMethod) else {
            throw ProviderFailure.notOffered("signature method \"\(endpoints.signatureMethod)\" this version can make")
        }
        let credentials =
            signatureMethod.usesRSA
            ? ConsumerCredentials(key: consumer.key, privateKey: try RSAPrivateKey(pem: consumer.secret))
            : ConsumerCredentials(key: consumer.key, secret: consumer.secret)
        let request = OAuth1Request(
            method: method, url: url, contentType: form.isEmpty ? nil : FormCoding.mediaType,
            body: Array(FormCoding.encode(form).utf8))
        return try OAuth1Signer.authorizationHeader(
            for: request, consumer: credentials, token: token, method: signatureMethod, callback: callback,
            verifier: verifier, realm: endpoints.realm,
            timestamp: Int(now().timeIntervalSince1970) &+ clockOffset, nonce: Random.alphanumerics(24))
    }

    private func read<T>(_ reply: RawReply, _ parse: ([UInt8]) throws(OAuthError) -> T) throws -> T {
        try demandSuccess(reply)
        do {
            return try parse(reply.body.revealBytes())
        } catch {
            throw ProviderFailure.unusable(error)
        }
    }
}
