// How a consumer proves itself, as it stands on the wire.

import Delegation
import OAuth
import ProviderClient
import Sealing
import Testing

@Suite(.timeLimit(.minutes(1))) struct ClientAuthenticationTests {
    /// Refreshes once and returns what the server saw.
    private func refreshed(
        _ authentication: OAuth2Endpoints.ClientAuthentication, _ consumer: Consumer,
        _ change: @Sendable @escaping (inout OAuth2Endpoints) -> Void = { _ in }
    ) async throws -> Received {
        let (seen, note) = AsyncStream<Received>.makeStream()
        try await talking({ request, _ in
            note.yield(request)
            return .tokens
        }) { _, base, client in
            let remote = RemoteProvider(
                Fixtures.oauth2(base, authentication, change), over: client, now: { Fixtures.epoch })
            let reply = try await remote.refresh(Secret(text: "old-token"), consumer: consumer)
            #expect(reply.status == 200)
            #expect(reply.usedSecret == 0)
        }
        note.finish()
        var requests: [Received] = []
        for await one in seen { requests.append(one) }
        #expect(requests.count == 1)
        return try #require(requests.first)
    }

    private func basic(_ request: Received) throws -> String {
        let header = try #require(request.header("Authorization"))
        let bytes = try #require(Base64.decode(String(header.dropFirst("Basic ".count)), as: .standard))
        #expect(header.hasPrefix("Basic "))
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("Basic is form-encoded as the RFC has it, or raw as vendors have it")
    func awkwardBasic() async throws {
        let consumer = Fixtures.consumer(key: "cl:ient", secret: Fixtures.awkwardSecret)
        let rfc = try await refreshed(.basic, consumer)
        #expect(try basic(rfc) == "cl%3Aient:%3A%25%2B+%26%C3%A9")
        #expect(rfc.form.first("client_id") == nil && rfc.form.first("client_secret") == nil)
        #expect(rfc.header("Content-Type") == FormCoding.mediaType)
        let raw = try await refreshed(.basicRaw, Fixtures.consumer(secret: Fixtures.awkwardSecret))
        #expect(try basic(raw) == "client::%+ &é")
    }

    @Test("Basic can repeat the id in the body, and with one vendor the secret too")
    func basicAndBody() async throws {
        let repeated = try await refreshed(.basic, Fixtures.consumer()) { $0.repeatsClientID = true }
        #expect(try basic(repeated) == "client:secret")
        #expect(repeated.form.all("client_id") == ["client"] && repeated.form.first("client_secret") == nil)
        let both = try await refreshed(.basicAndPost, Fixtures.consumer(secret: Fixtures.awkwardSecret))
        #expect(try basic(both) == "client::%+ &é")
        #expect(both.form.all("client_id") == ["client"])
        #expect(both.form.all("client_secret") == [Fixtures.awkwardSecret])
    }

    @Test("a secret in the body comes out there, and a public client sends none")
    func post() async throws {
        let post = try await refreshed(.post, Fixtures.consumer(secret: Fixtures.awkwardSecret))
        #expect(post.header("Authorization") == nil)
        #expect(post.form.first("client_secret") == Fixtures.awkwardSecret)
        let none = try await refreshed(.none, Fixtures.consumer())
        #expect(none.header("Authorization") == nil && none.form.first("client_secret") == nil)
        #expect(none.form.all("client_id") == ["client"])
        #expect(none.form.first("grant_type") == "refresh_token" && none.form.first("refresh_token") == "old-token")
    }

    @Test("a vendor that wants parameters in the query of a POST gets them there and nowhere else")
    func query() async throws {
        let request = try await refreshed(.post, Fixtures.consumer(secret: Fixtures.awkwardSecret)) {
            $0.parameterPlace = .query
            $0.token += "?fixed=1"
        }
        #expect(request.method == "POST" && request.body.isEmpty)
        #expect(request.header("Content-Length") == "0")
        #expect(request.parameters.first("fixed") == "1")
        #expect(request.parameters.first("client_secret") == Fixtures.awkwardSecret)
        #expect(request.parameters.first("refresh_token") == "old-token")
    }

    @Test(
        "an assertion is signed with the consumer's key and addressed as the profile says",
        arguments: [OAuth2Endpoints.AssertionAudience.issuer, .tokenEndpoint])
    func assertion(_ audience: OAuth2Endpoints.AssertionAudience) async throws {
        let pem = try RemoteProvider.generateDPoPKey()
        let request = try await refreshed(.privateKeyJWT, Fixtures.consumer(secret: pem.revealText())) {
            $0.assertionAudience = audience
        }
        #expect(request.form.first("client_assertion_type") == ClientAssertion.type)
        #expect(request.form.first("client_secret") == nil && request.header("Authorization") == nil)
        let assertion = try ClientAssertion(parsing: try #require(request.form.first("client_assertion")))
        #expect(assertion.clientID == "client")
        let key = JWTVerificationKey.p256(try P256PrivateKey(der: der(pem)).publicKey, keyID: nil)
        let now = Fixtures.seconds
        let wanted = audience == .issuer ? "https://issuer.example" : "\(request.base)/token"
        #expect(throws: Never.self) { try assertion.verify(keys: [key], issuer: wanted, now: now) }
        #expect(throws: JWTFault.claim("aud")) {
            try assertion.verify(keys: [key], issuer: "https://other.example", now: now)
        }
    }

    private func der(_ pem: Secret) throws -> Secret {
        let text = pem.revealText().split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
        return Secret(try #require(Base64.decode(text, as: .standard)))
    }

    @Test("a secret that is no key is told before anything is sent", arguments: ["private_key_jwt", "tls"])
    func noKey(_ method: String) async throws {
        try await talking({ _, _ in .tokens }) { server, base, client in
            let authentication = try #require(OAuth2Endpoints.ClientAuthentication(rawValue: method))
            let remote = RemoteProvider(Fixtures.oauth2(base, authentication), over: client)
            let found = try await failure {
                _ = try await remote.refresh(Secret(text: "rt"), consumer: Fixtures.consumer(secret: "hunter2"))
            }
            guard case .unusableKey = found else {
                Issue.record("\(String(describing: found))")
                return
            }
            #expect(found?.mayHaveTakenEffect == false)
            #expect(found?.description.contains("hunter2") == false)
            #expect(await server.received.isEmpty)
        }
    }
}
