// What can be had for a token, and what can be asked about one.

import Delegation
import OAuth
import ProviderClient
import Sealing
import Testing

@Suite(.timeLimit(.minutes(1))) struct TokenTests {
    private let consumer = Fixtures.consumer()

    @Test("every token request names the APIs, and the profile's own parameters win")
    func resources() async throws {
        try await talking({ _, _ in .tokens }) { server, base, client in
            let profile = Fixtures.oauth2(base) {
                $0.resources = ["https://one.example", "https://two.example/a?b=c"]
                $0.extraTokenParameters = ["action": "requesttoken", "grant_type": "special"]
                $0.offersClientCredentials = true
            }
            let remote = RemoteProvider(profile, over: client)
            _ = try await remote.exchange(
                code: Secret(text: "c+1"), verifier: Secret(text: "v"), redirectURI: "http://127.0.0.1/cb",
                consumer: consumer)
            _ = try await remote.refresh(Secret(text: "rt"), consumer: consumer)
            _ = try await remote.clientCredentials(consumer: consumer, scopes: ["x", "y"])
            let forms = await server.received.map(\.form)
            #expect(forms.count == 3)
            for form in forms {
                #expect(form.all("resource") == ["https://one.example", "https://two.example/a?b=c"])
                #expect(form.all("grant_type") == ["special"] && form.first("action") == "requesttoken")
            }
            #expect(forms[0].first("code") == "c+1" && forms[0].first("redirect_uri") == "http://127.0.0.1/cb")
            #expect(forms[2].first("scope") == "x y")
        }
    }

    @Test("a token is exchanged for a narrower one, where the profile says so")
    func exchange() async throws {
        try await talking({ _, _ in
            .json(
                """
                {"access_token":"new","issued_token_type":"urn:ietf:params:oauth:token-type:jwt","token_type":"N_A"}
                """)
        }) { server, base, client in
            let remote = RemoteProvider(Fixtures.oauth2(base) { $0.offersTokenExchange = true }, over: client)
            let reply = try await remote.exchangeToken(
                Fixtures.tokens(), audience: ["a1", "a2"], resource: ["https://r.example"], scopes: ["s"],
                consumer: consumer)
            let parsed = try TokenReply.parse(reply.body.revealBytes(), options: remote.tokenExchangeOptions)
            #expect(parsed.accessToken.revealText() == "new" && parsed.tokenType == .notApplicable)
            #expect(parsed.issuedTokenType == TokenExchange.jwtType)
            let form = try #require(await server.last).form
            #expect(form.first("grant_type") == GrantType.tokenExchange.rawValue)
            #expect(form.first("subject_token") == "at")
            #expect(form.first("subject_token_type") == TokenExchange.accessTokenType)
            #expect(form.all("audience") == ["a1", "a2"] && form.all("resource") == ["https://r.example"])
            let plain = RemoteProvider(Fixtures.oauth2(base), over: client)
            let found = try await failure {
                _ = try await plain.exchangeToken(
                    Fixtures.tokens(), audience: [], resource: [], scopes: [], consumer: consumer)
            }
            #expect(found == .notOffered("token exchange"))
        }
    }

    @Test("a short-lived token is changed for a long-lived one in the vendor's words")
    func longLived() async throws {
        try await talking({ _, _ in .tokens }) { server, base, client in
            let profile = Fixtures.oauth2(base, .post) {
                $0.longLivedExchange = .init(grantType: "fb_exchange_token", parameter: "fb_exchange_token")
            }
            _ = try await RemoteProvider(profile, over: client).longLived(Secret(text: "short"), consumer: consumer)
            let form = try #require(await server.last).form
            #expect(form.first("grant_type") == "fb_exchange_token" && form.first("fb_exchange_token") == "short")
            #expect(form.first("client_secret") == "secret")
        }
    }

    @Test("introspection takes times that are fractions, and is asked when there is nothing else to ask")
    func introspection() async throws {
        try await talking({ request, _ in
            request.form.first("token") == "at"
                ? .json("{\"active\":true,\"exp\":1800000000.75,\"scope\":\"a b\"}") : .json("{\"active\":false}")
        }) { server, base, client in
            let profile = Fixtures.oauth2(base) { $0.introspection = "\(base)/introspect" }
            let remote = RemoteProvider(profile, over: client)
            let reply = try await remote.introspect(Fixtures.tokens(), consumer: consumer)
            #expect(reply.active && reply.expiresAt == 1_800_000_000 && reply.scope == ["a", "b"])
            #expect(try await remote.validate(Fixtures.tokens(), consumer: consumer) == .honoured)
            let dead = GrantTokens(
                accessToken: Secret(text: "dead"), tokenSecret: nil, refreshToken: nil, tokenType: "Bearer")
            #expect(try await remote.validate(dead, consumer: consumer) == .notHonoured)
            let request = try #require(await server.last)
            #expect(request.form.first("token_type_hint") == "access_token")
            #expect(request.header("Authorization")?.hasPrefix("Basic ") == true)
            let neither = RemoteProvider(Fixtures.oauth2(base), over: client)
            #expect(try await neither.validate(Fixtures.tokens(), consumer: consumer) == nil)
        }
    }

    @Test(
        "an API's answer is what it says about the token",
        arguments: [
            (200, RemoteProvider.Answer.honoured), (204, .honoured), (401, .notHonoured), (403, .forbidden),
            (400, .unclear(status: 400)), (302, .unclear(status: 302)), (503, .unclear(status: 503)),
        ])
    func validation(_ status: Int, _ wanted: RemoteProvider.Answer) async throws {
        try await talking({ _, _ in Answer(status: status) }) { server, base, client in
            var profile = Fixtures.oauth2(base, validation: "\(base)/api?v=2")
            profile.keyParameter = "apikey"
            let remote = RemoteProvider(profile, over: client)
            #expect(try await remote.validate(Fixtures.tokens(), consumer: consumer) == wanted)
            let request = try #require(await server.last)
            #expect(request.header("Authorization") == "Bearer at")
            #expect(request.parameters == [Parameter("v", "2"), Parameter("apikey", "client")])
        }
    }

    @Test("the refresh token is revoked, or else the access token, each with its hint")
    func revocation() async throws {
        try await talking({ _, count in count < 2 ? Answer() : .error("unsupported_token_type") }) {
            server, base, client in
            let remote = RemoteProvider(Fixtures.oauth2(base), over: client)
            try await remote.revoke(Fixtures.tokens(), consumer: consumer)
            try await remote.revoke(Fixtures.tokens(refresh: nil), consumer: consumer)
            let forms = await server.received.map(\.form)
            #expect(forms.map { $0.first("token") } == ["rt", "at"])
            #expect(forms.map { $0.first("token_type_hint") } == ["refresh_token", "access_token"])
            let found = try await failure { try await remote.revoke(Fixtures.tokens(), consumer: consumer) }
            #expect(found == .refused(status: 400, code: "unsupported_token_type"))
        }
    }
}
