// What was signed wrong is signed again with the provider's own time or a former secret, each once, and only after the
// provider has said no.

package import Delegation
package import OAuth
import Sealing

extension RemoteProvider {
    /// Signs a request that somebody else will send (RFC 5849 §3.1).
    ///
    /// - Parameters:
    ///   - method: The HTTP method.
    ///   - url: The absolute URL with its query.
    ///   - form: The form body, which is part of what is signed; empty when there is none.
    ///   - body: A body that is no form; its hash is signed where the profile says so.
    ///   - consumer: Who signs.
    ///   - token: The access token it signs for.
    /// - Returns: The `Authorization` header's value.
    /// - Throws: ``ProviderFailure/notPinned(host:)`` for a URL of somebody else.
    package func authorizationHeader(
        _ method: String, _ url: String, form: [Parameter], body: [UInt8]? = nil, consumer: Consumer,
        token: TokenCredentials
    ) throws -> String {
        try origins.check(url)
        return try signed(
            SignedRequest(method: method, url: url, form: form, body: body ?? [], token: token), consumer.key,
            consumer.secret, clockOffset: memory.clockOffset(of: profile.name))
    }

    /// Ends an access token by a signed POST, where the profile names an endpoint for that.
    func revokeOAuth1(consumer: Consumer, token: TokenCredentials) async throws {
        guard let endpoint = try oauth1.revocation else { throw ProviderFailure.notOffered("revocation endpoint") }
        try demandSuccess(try await sendSigned("POST", endpoint, consumer: consumer, token: token))
    }

    /// Signs and sends, again where that can help.
    func sendSigned(
        _ method: String, _ url: String, form: [Parameter] = [], consumer: Consumer, token: TokenCredentials?,
        callback: String? = nil, verifier: Secret? = nil
    ) async throws -> RawReply {
        try await sendCorrecting(
            SignedRequest(method: method, url: url, form: form, token: token, callback: callback, verifier: verifier),
            consumer
        ).reply
    }

    /// Signs and sends: when the provider objects to our clock, or refuses without a reason, once more with its own; when
    /// it objects to the consumer, with the consumer's former secrets.
    ///
    /// - Returns: The reply, and whether it is to a signature with the provider's own time.
    func sendCorrecting(
        _ request: SignedRequest, _ consumer: Consumer
    ) async throws(ProviderFailure) -> (reply: RawReply, isCorrected: Bool) {
        let limit = limit
        var offset = memory.clockOffset(of: profile.name)
        var isCorrected = false
        var first: RawReply?
        func attempt(_ secret: Secret) async throws(ProviderFailure) -> RawReply {
            let header = try signed(request, consumer.key, secret, clockOffset: offset)
            return try await send(
                OutgoingRequest(
                    method: request.method, url: request.url, authorization: Secret(text: header),
                    form: request.form.isEmpty ? nil : Secret(text: FormCoding.encode(request.form))),
                until: limit)
        }
        for (index, secret) in ([consumer.secret] + consumer.formerSecrets).enumerated() {
            var reply = try await attempt(secret)
            // The `Date` is believed because secrets go over TLS or to this machine only.
            if !isCorrected, let theirs = Self.time(objectedWith: reply) {
                let difference = theirs.subtractingReportingOverflow(seconds)
                if !difference.overflow {
                    (offset, isCorrected) = (difference.partialValue, true)
                    reply = try await attempt(secret)
                    if reply.isSuccess { memory.learn(clockOffset: offset, of: profile.name) }
                }
            }
            reply.usedSecret = index
            let problem = OAuthProblem.parse(reply.body.revealBytes(), wwwAuthenticate: reply.wwwAuthenticate)
            guard !reply.isSuccess, problem?.isAboutConsumer == true else { return (reply, isCorrected) }
            first = first ?? reply
        }
        guard let first else { throw .unusableKey("of any kind") }
        return (first, isCorrected)
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
        _ request: SignedRequest, _ key: String, _ secret: Secret, clockOffset: Int
    ) throws(ProviderFailure) -> String {
        let endpoints = try oauth1
        guard let signatureMethod = SignatureMethod(rawValue: endpoints.signatureMethod) else {
            throw .notOffered("signature method \"\(endpoints.signatureMethod)\" this version can make")
        }
        let credentials: ConsumerCredentials
        if signatureMethod.usesRSA {
            guard let privateKey = try? RSAPrivateKey(pem: secret) else {
                throw .unusableKey("an RSA private key in PEM")
            }
            credentials = ConsumerCredentials(key: key, privateKey: privateKey)
        } else {
            credentials = ConsumerCredentials(key: key, secret: secret)
        }
        let isForm = !request.form.isEmpty
        do {
            return try OAuth1Signer.authorizationHeader(
                for: OAuth1Request(
                    method: request.method, url: request.url, contentType: isForm ? FormCoding.mediaType : nil,
                    body: isForm ? Array(FormCoding.encode(request.form).utf8) : request.body),
                consumer: credentials, token: request.token, method: signatureMethod, callback: request.callback,
                verifier: request.verifier?.revealText(), realm: endpoints.realm, timestamp: seconds &+ clockOffset,
                nonce: Random.alphanumerics(24),
                bodyHash: endpoints.signsBodyHash ? signatureMethod.hash ?? .sha1 : nil)
        } catch let error as OAuthError {
            throw .unusableRequest(error)
        } catch {
            throw .unusableKey("a key that can sign")
        }
    }
}

/// What a signature covers, and what goes into the header beside it.
struct SignedRequest: Sendable {
    let method: String
    let url: String
    var form: [Parameter] = []
    /// A body that is no form.
    var body: [UInt8] = []
    var token: TokenCredentials?
    var callback: String?
    var verifier: Secret?
}
