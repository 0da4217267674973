// What our signer makes, our verifier takes; what anybody changes on the way, it does not.

import OAuth
import Sealing
import Testing

/// One consumer, one token, and requests signed by them.
enum SignedRequests {
    static let consumer = ConsumerCredentials(key: "hubconsumer1", secret: Secret(text: "a&b+c%d é"))
    static let consumerSecret = Secret(text: "a&b+c%d é")
    static let token = TokenCredentials(token: "tok/en+1", secret: Secret(text: "s3c ret"))
    static let url = "https://hub.local:8443/v1/command?b=2&a=1+1&a=%2b"

    /// A request with the header our signer made for it.
    static func make(
        method: SignatureMethod = .hmacSHA256, url: String = url, contentType: String? = nil, body: String = "",
        bodyHash: HashFunction? = nil, token: TokenCredentials? = token, callback: String? = nil,
        verifier: String? = nil, consumer: ConsumerCredentials = consumer
    ) throws -> OAuth1Request {
        let request = OAuth1Request(method: "POST", url: url, contentType: contentType, body: Array(body.utf8))
        let header = try OAuth1Signer.authorizationHeader(
            for: request, consumer: consumer, token: token, method: method, callback: callback, verifier: verifier,
            realm: #"the "home", \ here"#, timestamp: 1_700_000_000, nonce: "n0nce", bodyHash: bodyHash)
        return request.with(authorization: header)
    }
}

extension OAuth1Request {
    /// The same request with something changed.
    func with(
        method: String? = nil, url: String? = nil, contentType: String? = nil, body: String? = nil,
        authorization: String? = nil
    ) -> OAuth1Request {
        OAuth1Request(
            method: method ?? self.method, url: url ?? self.url, host: host,
            contentType: contentType ?? self.contentType, body: body.map { Array($0.utf8) } ?? self.body,
            authorization: authorization ?? self.authorization)
    }

    /// Whether the verifier takes it as a signed resource request of the one consumer and token.
    func isAccepted() throws -> Bool {
        try OAuth1Verification(self, endpoint: .resource)
            .verify(consumerSecret: SignedRequests.consumerSecret, tokenSecret: SignedRequests.token.secret)
    }
}

@Suite struct SignerVerifierTests {
    private static let form = FormCoding.mediaType + "; charset=UTF-8"

    @Test("what is signed with shared secrets verifies", arguments: SignatureMethod.allCases.filter { !$0.usesRSA })
    func sharedSecrets(_ method: SignatureMethod) throws {
        let request = try SignedRequests.make(method: method, contentType: Self.form, body: "x=y+z&x=%26")
        let verification = try OAuth1Verification(request, endpoint: .resource)
        #expect(verification.consumerKey == "hubconsumer1")
        #expect(verification.token == "tok/en+1")
        #expect(verification.method == method)
        #expect(verification.timestamp == 1_700_000_000)
        #expect(verification.nonce == "n0nce")
        #expect(verification.coversBody == (method != .plaintext))
        #expect(try request.isAccepted())
        #expect(!verification.verify(key: .decoy, tokenSecret: SignedRequests.token.secret))
        #expect(!verification.verify(consumerSecret: SignedRequests.consumerSecret, tokenSecret: nil))
    }

    @Test(
        "what is signed with RSA verifies with its public key only",
        arguments: SignatureMethod.allCases.filter(\.usesRSA))
    func rsa(_ method: SignatureMethod) throws {
        let consumer = ConsumerCredentials(key: "rsaconsumer", privateKey: TestKeys.rsa)
        let request = try SignedRequests.make(method: method, consumer: consumer)
        let verification = try OAuth1Verification(request, endpoint: .resource)
        #expect(verification.verify(publicKey: TestKeys.rsa.publicKey))
        #expect(!verification.verify(publicKey: TestKeys.otherRSA.publicKey))
        #expect(!verification.verify(consumerSecret: Secret([]), tokenSecret: SignedRequests.token.secret))
    }

    @Test("a key of the wrong kind signs nothing")
    func wrongKey() {
        #expect(throws: OAuthError.keyMismatch(.rsaSHA256)) { try SignedRequests.make(method: .rsaSHA256) }
        let consumer = ConsumerCredentials(key: "rsaconsumer", privateKey: TestKeys.rsa)
        #expect(throws: OAuthError.keyMismatch(.plaintext)) {
            try SignedRequests.make(method: .plaintext, consumer: consumer)
        }
    }

    @Test("PLAINTEXT is signed over TLS only")
    func plaintext() {
        #expect(throws: OAuthError.plaintextWithoutTLS) {
            try SignedRequests.make(method: .plaintext, url: "http://hub.lan/")
        }
    }

    @Test("a request that already has OAuth parameters is not signed again")
    func alreadySigned() {
        #expect(throws: OAuthError.repeated("oauth_token")) {
            try SignedRequests.make(url: "https://hub.local/?oauth_token=x")
        }
    }

    @Test("a change on the way breaks the signature")
    func tampering() throws {
        let request = try SignedRequests.make(contentType: Self.form, body: "x=1")
        #expect(try request.isAccepted())
        let changed = [
            request.with(method: "PUT"),
            request.with(url: "https://hub.local:8444/v1/command?b=2&a=1+1&a=%2b"),
            request.with(url: "https://hub2.local:8443/v1/command?b=2&a=1+1&a=%2b"),
            request.with(url: "http://hub.local:8443/v1/command?b=2&a=1+1&a=%2b"),
            request.with(url: "https://hub.local:8443/v1/command/?b=2&a=1+1&a=%2b"),
            request.with(url: "https://hub.local:8443/v1/command?b=2&a=1+1&a=%2b&a=1"),
            request.with(url: "https://hub.local:8443/v1/command?b=2&a=1+1&a=+"),
            request.with(body: "x=2"),
            request.with(body: "x=1&x=1"),
            request.with(contentType: "text/plain"),
        ]
        for (index, request) in changed.enumerated() {
            #expect(try !request.isAccepted(), "change \(index)")
        }
    }

    @Test("order of parameters and spelling of escapes do not matter")
    func equivalent() throws {
        let request = try SignedRequests.make()
        #expect(try request.with(url: "HTTPS://HUB.local:8443/v1/command?a=%2B&a=1%201&b=2").isAccepted())
    }

    @Test("a JSON body is covered by its hash, and by nothing else")
    func bodyHash() throws {
        let bare = try SignedRequests.make(contentType: "application/json", body: "{}")
        #expect(try !OAuth1Verification(bare, endpoint: .resource).coversBody)
        for hash in [HashFunction.sha1, .sha256, .sha512] {
            let request = try SignedRequests.make(contentType: "application/json", body: "{}", bodyHash: hash)
            #expect(try OAuth1Verification(request, endpoint: .resource).coversBody)
            #expect(try request.isAccepted())
            #expect(try !request.with(body: "{ }").isAccepted())
        }
        let broken = try SignedRequests.make(contentType: "application/json", body: "{}", bodyHash: .md5)
        #expect(try !broken.isAccepted())
    }

    @Test("parameters may travel in the query or in a form body instead of the header")
    func otherPlaces() throws {
        let parameters = [
            Parameter("oauth_consumer_key", "hubconsumer1"), Parameter("oauth_token", "tok/en+1"),
            Parameter("oauth_signature_method", "HMAC-SHA1"), Parameter("oauth_timestamp", "1700000000"),
            Parameter("oauth_nonce", "n0nce"),
        ]
        func signed(_ request: OAuth1Request) throws -> String {
            let signature = try Signature.make(
                BaseString.make(request, protocolParameters: []), method: .hmacSHA1,
                key: .secret(SignedRequests.consumerSecret), tokenSecret: SignedRequests.token.secret)
            return FormCoding.encode(parameters + [Parameter("oauth_signature", signature)])
        }
        let unsigned = FormCoding.encode(parameters)
        let inQuery = OAuth1Request(method: "GET", url: "https://hub.local/x?a=b&" + unsigned)
        #expect(try inQuery.with(url: "https://hub.local/x?a=b&" + signed(inQuery)).isAccepted())
        let inBody = OAuth1Request(
            method: "POST", url: "https://hub.local/x", contentType: Self.form, body: Array(unsigned.utf8))
        #expect(try inBody.with(body: signed(inBody)).isAccepted())
    }

    @Test("all three legs verify")
    func legs() throws {
        let first = try OAuth1Verification(
            SignedRequests.make(token: nil, callback: "https://app.example/cb?x=1&y=a%20b"),
            endpoint: .temporaryCredentials)
        #expect(first.callback == "https://app.example/cb?x=1&y=a%20b")
        #expect(first.token == nil)
        #expect(first.verify(consumerSecret: SignedRequests.consumerSecret, tokenSecret: nil))
        let third = try OAuth1Verification(SignedRequests.make(verifier: "v3r"), endpoint: .tokenCredentials)
        #expect(third.verifier?.revealText() == "v3r")
        #expect(
            third.verify(consumerSecret: SignedRequests.consumerSecret, tokenSecret: SignedRequests.token.secret))
    }
}
