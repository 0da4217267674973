// Every refusal of OAuth 1.0a has its name in the Problem Reporting extension, in the body and in the header alike, with
// what helps a client to do better; and what is handed out has the form that strict libraries insist on.

import Delegation
import FoundationEssentials
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct ProblemReportTests {
    private static let first = "/oauth1/request_token"
    private static let last = "/oauth1/access_token"
    private static let api = "/api/v1/devices"

    /// Checks name and detail of a report, in the body and in the header.
    private func expect(
        _ answer: Answer, _ status: Int, _ report: [(String, String)], _ at: SourceLocation = #_sourceLocation
    ) throws {
        let expected = report.map { Parameter($0.0, $0.1) }
        #expect(answer.status == status, sourceLocation: at)
        #expect(answer.header("Content-Type") == FormCoding.mediaType, sourceLocation: at)
        #expect(answer.form == expected, sourceLocation: at)
        let challenge = try #require(answer.header("WWW-Authenticate"), sourceLocation: at)
        let header = try AuthorizationHeader.parse(challenge)
        #expect(header.realm?.hasPrefix("http://127.0.0.1:") == true, sourceLocation: at)
        #expect(header.parameters == expected, sourceLocation: at)
    }

    @Test("a report names the parameters that are missing or wrong, and what would be accepted")
    func details() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home, method: .hmacSHA256)
            func begin(_ change: (inout [Parameter]) -> Void) async throws -> Answer {
                let good = try app.header("POST", Self.first, callback: OAuth1App.callback)
                var parameters = try AuthorizationHeader.parse(good).parameters
                change(&parameters)
                let header = AuthorizationHeader(realm: nil, parameters: parameters).text
                return try await app.send("POST", Self.first, header: header)
            }
            func without(_ names: String...) async throws -> Answer {
                try await begin { $0.removeAll { names.contains($0.name) } }
            }
            func with(_ name: String, _ value: String) async throws -> Answer {
                try await begin {
                    $0.removeAll { $0.name == name }
                    $0.append(Parameter(name, value))
                }
            }
            try await home.expectNothingChanged {
                for name in [
                    "oauth_consumer_key", "oauth_signature_method", "oauth_signature", "oauth_timestamp", "oauth_nonce",
                    "oauth_callback",
                ] {
                    try expect(
                        try await without(name), 400,
                        [("oauth_problem", "parameter_absent"), ("oauth_parameters_absent", name)])
                }
                try expect(
                    try await without("oauth_timestamp", "oauth_nonce"), 400,
                    [
                        ("oauth_problem", "parameter_absent"),
                        ("oauth_parameters_absent", "oauth_timestamp&oauth_nonce"),
                    ])
                try expect(
                    try await with("oauth_timestamp", "soon"), 400,
                    [("oauth_problem", "parameter_rejected"), ("oauth_parameters_rejected", "oauth_timestamp")])
                try expect(
                    try await with("oauth_verifier", "x"), 400,
                    [("oauth_problem", "parameter_rejected"), ("oauth_parameters_rejected", "oauth_verifier")])
                try expect(
                    try await with("oauth_version", "1.1"), 400,
                    [("oauth_problem", "version_rejected"), ("oauth_acceptable_versions", "1.0-1.0")])
                try expect(
                    try await with("oauth_signature_method", "HMAC-MD5"), 400,
                    [("oauth_problem", "signature_method_rejected")])
                try expect(
                    try await with("oauth_signature", "AAAA"), 401, [("oauth_problem", "signature_invalid")])
                try expect(
                    try await with("oauth_consumer_key", "nobody"), 401, [("oauth_problem", "consumer_key_unknown")])
                let now = home.clock.seconds
                let late = try app.header(
                    "POST", Self.first, callback: OAuth1App.callback, timestamp: now - 601)
                try expect(
                    try await app.send("POST", Self.first, header: late), 401,
                    [
                        ("oauth_problem", "timestamp_refused"),
                        ("oauth_acceptable_timestamps", "\(now - 600)-\(now + 600)"),
                    ])
                let wide = [Parameter("scope", "lock.unlock@front-door")]
                let scope = try app.header("POST", Self.first, callback: OAuth1App.callback, form: wide)
                try expect(
                    try await app.send("POST", Self.first, header: scope, form: wide), 400,
                    [("oauth_problem", "parameter_rejected"), ("oauth_parameters_rejected", "scope")])
            }
        }
    }

    @Test("the problems of tokens have their names: used, rejected, expired, revoked, refused, and a wrong verifier")
    func tokens() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let token = try await app.requestToken()
            let verifier = try await app.approve(token)
            try expect(try await app.exchange(token, verifier: "x"), 401, [("oauth_problem", "verifier_invalid")])
            let issued = try await app.exchange(token, verifier: verifier)
            let access = try TokenCredentialsReply.parse(Array(issued.body.utf8)).credentials
            try expect(try await app.exchange(token, verifier: verifier), 401, [("oauth_problem", "token_used")])
            try expect(try await app.devices(token), 401, [("oauth_problem", "token_rejected")])
            let header = try app.header("GET", Self.api, token: access)
            _ = try await app.send("GET", Self.api, header: header)
            try expect(try await app.send("GET", Self.api, header: header), 401, [("oauth_problem", "nonce_used")])

            let denied = try await app.requestToken()
            var browser = Browser(home)
            let page = try await browser.open("/oauth1/authorize?oauth_token=\(denied.token)")
            let told = try await browser.decide("deny", on: page, at: "/oauth1/authorize")
            #expect(
                told.redirect.filter { $0.name != "from" } == [
                    Parameter("oauth_token", denied.token), Parameter("oauth_problem", "user_refused"),
                ])
            try expect(try await app.exchange(denied, verifier: "x"), 401, [("oauth_problem", "user_refused")])

            home.clock.advance(by: 365 * 86400)
            try expect(try await app.devices(access), 401, [("oauth_problem", "token_expired")])
            let renewed = try await app.accessToken()
            let grant = try #require(try await home.provider.grants().first)
            try await home.provider.revokeGrant(grant.id, by: .user("test"))
            try expect(try await app.devices(renewed), 401, [("oauth_problem", "token_revoked")])
        }
    }

    @Test("keys, tokens, secrets, verifiers and codes are 20 to 30 letters and digits, and never come twice")
    func shapes() async throws {
        try await TestHome.run { home in
            var made: [String] = []
            let signer = try await OAuth1App.register(home)
            guard case .secret(let signerSecret) = signer.consumer.signingKey else { return }
            made += [signer.consumer.key, signerSecret.revealText()]
            let token = try await signer.requestToken()
            let verifier = try await signer.approve(token)
            let issued = try await signer.exchange(token, verifier: verifier)
            let access = try TokenCredentialsReply.parse(Array(issued.body.utf8)).credentials
            made += [token.token, token.secret.revealText(), verifier, access.token, access.secret.revealText()]
            let agent = try await home.provider.registerAgent(
                for: try DeviceName(checking: "hall"), over: .oauth1, redirectURI: "http://127.0.0.1:8421/back")
            made += [agent.key, agent.secret.revealText()]

            var terms = ConsumerTerms()
            terms.grantTypes = ["authorization_code", "refresh_token", "device_code"]
            terms.rotatesRefreshTokens = true
            let client = try await OAuth2App.register(home, terms: terms)
            let code = try await client.code()
            let reply = try await client.token(client.redemption(code)).json
            let refresh = try #require(reply["refresh_token"]?.string)
            let next = try #require(try await client.refresh(refresh).json["refresh_token"]?.string)
            let device = try await client.post("/oauth2/device_authorization", []).json["device_code"]?.string
            let pushed = try await client.post("/oauth2/par", client.request().filter { $0.0 != "client_id" })
            let name = try #require(pushed.json["request_uri"]?.string)
            #expect(name.hasPrefix("urn:ietf:params:oauth:request_uri:"))
            let bearer = try #require(reply["access_token"]?.string)
            let claims = try JSON(parsing: Base64.decode(bearer.split(separator: ".")[1].utf8, as: .url) ?? [])
            made += [
                client.id, client.secret.revealText(), code, refresh, next, try #require(device),
                String(name.split(separator: ":").last ?? ""), try #require(claims["jti"]?.string),
                try #require(claims["sub"]?.string),
            ]
            for text in made {
                #expect((20...30).contains(text.utf8.count))
                #expect(
                    text.utf8.allSatisfy {
                        UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || ($0 | 32) >= 97 && ($0 | 32) <= 122
                    })
            }
            #expect(Set(made).count == made.count)
        }
    }
}
