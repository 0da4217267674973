// What a refusal says in `WWW-Authenticate` is what a library parses: one scheme each, quoted, with the place of the
// metadata (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1).

import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct ChallengeTests {
    private static let api = "/api/v1/devices"

    private func challenges(_ home: TestHome, _ headers: [(String, String)]) async throws -> (Int, [String]) {
        let answer = try await home.send("GET", Self.api, headers: headers)
        return (answer.status, answer.headers["WWW-Authenticate"])
    }

    @Test("each refusal has exactly the challenges that could be met, each with realm and metadata")
    func forms() async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home)
            let (bound, _) = try await app.tokens()
            let metadata = "resource_metadata=\"\(home.base)/.well-known/oauth-protected-resource\""
            let bearer = "Bearer realm=\"\(home.base)\", \(metadata)"
            let dpop = "DPoP realm=\"\(home.base)\", algs=\"ES256 EdDSA RS256\", \(metadata)"

            let none = try await challenges(home, [])
            #expect(none.0 == 401)
            #expect(none.1 == [bearer, dpop, "OAuth realm=\"\(home.base)\""])
            let foreign = try await challenges(home, [("Authorization", "Basic YTpi")])
            #expect(foreign.0 == 401)
            #expect(foreign.1 == none.1)
            let wrong = try await challenges(home, [("Authorization", "Bearer x")])
            #expect(wrong.0 == 401)
            #expect(wrong.1 == [bearer + ", error=\"invalid_token\"", dpop + ", error=\"invalid_token\""])
            let twice = try await challenges(home, [("Authorization", "Bearer x"), ("Authorization", "Bearer x")])
            #expect(twice.0 == 400)
            #expect(twice.1 == [bearer + ", error=\"invalid_request\""])
            let unproved = try await challenges(home, [("Authorization", "DPoP \(bound)")])
            #expect(unproved.0 == 401)
            #expect(unproved.1 == [dpop + ", error=\"invalid_dpop_proof\""])
            let proof = try await app.proof("GET", home.base + Self.api, token: bound).claim("nonce", nil).text
            let stale = try await challenges(home, [("Authorization", "DPoP \(bound)"), ("DPoP", proof)])
            #expect(stale.0 == 401)
            #expect(stale.1 == [dpop + ", error=\"use_dpop_nonce\""])
        }
    }

    @Test("every path of the app API challenges, and the metadata that a challenge names answers")
    func discovery() async throws {
        try await TestHome.run { home in
            for path in [Self.api, Self.api + "/front-door", Self.api + "/cellar", "/api/v1/app"] {
                let answer = try await home.send("GET", path)
                #expect(answer.status == 401)
                let challenge = try #require(answer.headers["WWW-Authenticate"].first)
                let start = try #require(challenge.firstRange(of: "resource_metadata=\"")?.upperBound)
                let url = String(challenge[start...].prefix { $0 != "\"" })
                let document = try await home.send("GET", url)
                #expect(document.status == 200)
                #expect(document.json["resource"]?.string == home.base)
            }
        }
    }

    @Test(
        "a signed request that is refused gets the OAuth challenge with its problem, a client that failed Basic its own"
    )
    func otherSchemes() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let unknown = TokenCredentials(token: Random.alphanumerics(24), secret: .random(count: 24))
            let signed = try await app.devices(unknown)
            #expect(signed.status == 401)
            #expect(
                signed.headers["WWW-Authenticate"] == ["OAuth realm=\"\(home.base)\", oauth_problem=\"token_rejected\""]
            )
            let client = try await home.send(
                "POST", "/oauth2/token", headers: [("Authorization", "Basic YTpi")],
                form: [Parameter("grant_type", "client_credentials")])
            #expect(client.status == 401)
            #expect(client.headers["WWW-Authenticate"] == ["Basic realm=\"\(home.base)\""])
            let body = try await home.send(
                "POST", "/oauth2/token",
                form: [
                    Parameter("grant_type", "client_credentials"), Parameter("client_id", "a"),
                    Parameter("client_secret", "b"),
                ])
            #expect(body.status == 400)
            #expect(body.headers["WWW-Authenticate"].isEmpty)
        }
    }
}
