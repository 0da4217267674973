// Case P56: the daemon is killed after it wrote to its file and before its answer left. What was good once is used up, and
// what a client needs to go on can be had again.

import Foundation
import OAuth
import Sealing
import StrictJSON
import Testing

@Suite(.serialized) struct LostAnswerTests {
    private static let scope = "climate.set@hallway"
    private static let callback = "https://app.example/back"

    @Test(
        "P56 a code whose tokens were lost gives none a second time, and nothing of it stays good",
        .timeLimit(.minutes(1)))
    func code() async throws {
        let home = try await TestHome.furnished()
        let app = try await App.register(at: home, [])
        let redemption = try await app.redemption()
        try await home.killedBeforeAnswering { try await app.token(redemption) }
        #expect(try await liveGrants(app) == 1)
        for _ in 0..<2 {
            let again = try await app.token(redemption)
            #expect(again.status == 400)
            #expect(again.json["error"]?.string == "invalid_grant")
        }
        #expect(try await liveGrants(app) == 0)
        try await home.stop()
    }

    @Test(
        "P56 a rotated refresh token whose successor was lost gives the same successor again, as one live chain",
        .timeLimit(.minutes(1)))
    func rotation() async throws {
        let home = try await TestHome.furnished()
        let app = try await App.register(at: home, ["--rotate-refresh-tokens"])
        let first = try await app.token(try await app.redemption()).refreshToken()
        try await home.killedBeforeAnswering { try await app.refresh(first) }
        let second = try await app.refresh(first).refreshToken()
        #expect(second != first)
        // Once more before it was used: the same.
        #expect(try await app.refresh(first).refreshToken() == second)
        let third = try await app.refresh(second).refreshToken()
        // Two behind the live end now: somebody has what is not theirs.
        #expect(try await app.refresh(first).json["error"]?.string == "invalid_grant")
        #expect(try await app.refresh(third).json["error"]?.string == "invalid_grant")
        #expect(try await liveGrants(app) == 0)
        try await home.stop()
    }

    @Test("P56 a device code whose tokens were lost gives none a second time", .timeLimit(.minutes(1)))
    func deviceCode() async throws {
        let home = try await TestHome.furnished()
        let app = try await App.register(at: home, ["--grant-type", "device_code"])
        let asked = try await app.send("/oauth2/device_authorization", [("scope", Self.scope)])
        let code = try asked.json["device_code"]?.string.orThrow("no device_code") ?? ""
        try await home.browse(try asked.json["verification_uri_complete"]?.string.orThrow("no page") ?? "")
        let form = [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", code)]
        try await home.killedBeforeAnswering { try await app.token(form) }
        #expect(try await app.token(form).json["error"]?.string == "invalid_grant")
        #expect(try await liveGrants(app) == 1)
        try await home.stop()
    }

    @Test(
        "P56 an OAuth 1.0a request that was carried out is refused when it comes again; a request token gives once",
        .timeLimit(.minutes(1)))
    func oauth1() async throws {
        let home = try await TestHome.furnished()
        let file = "\(home.folder)/signer.secret"
        let added = try await home.done(
            "app", "add", "Signer", "--protocol", "oauth1", "--redirect", Self.callback, "--scope", Self.scope,
            "--secret-file", file)
        let consumer = ConsumerCredentials(
            key: try added["app"]?["key"]?.string.orThrow("no key") ?? "",
            secret: Secret(text: try String(contentsOfFile: file, encoding: .utf8)))
        func signed(
            _ path: String, token: TokenCredentials? = nil, callback: String? = nil, verifier: String? = nil
        ) throws -> String {
            try OAuth1Signer.authorizationHeader(
                for: OAuth1Request(method: "POST", url: home.base + path), consumer: consumer, token: token,
                method: .hmacSHA256, callback: callback, verifier: verifier,
                timestamp: Int(Date.now.timeIntervalSince1970), nonce: Random.alphanumerics(24))
        }
        let first = try signed("/oauth1/request_token", callback: Self.callback)
        try await home.killedBeforeAnswering { try await home.post("/oauth1/request_token", authorization: first) }
        let replayed = try await home.post("/oauth1/request_token", authorization: first)
        #expect(replayed.status == 401)
        #expect(replayed.body.contains("oauth_problem=nonce_used"))

        let answer = try await home.post(
            "/oauth1/request_token", authorization: try signed("/oauth1/request_token", callback: Self.callback))
        let token = try TemporaryCredentialsReply.parse(Array(answer.body.utf8)).credentials
        let landed = try await home.browse("\(home.base)/oauth1/authorize?oauth_token=\(token.token)")
        let verifier = Landing(landed)["oauth_verifier"]
        let path = "/oauth1/access_token"
        let exchange = try signed(path, token: token, verifier: verifier)
        try await home.killedBeforeAnswering { try await home.post(path, authorization: exchange) }
        let again = try await home.post(path, authorization: try signed(path, token: token, verifier: verifier))
        #expect(again.status == 401)
        #expect(again.body.contains("oauth_problem=token_used"))
        try await home.stop()
    }

    /// How many grants the app has, as it is told itself.
    private func liveGrants(_ app: App) async throws -> Int {
        let own = try await app.token([("grant_type", "client_credentials")]).json["access_token"]?.string ?? ""
        let told = try await app.home.send("GET", "/api/v1/app", ["Authorization: Bearer \(own)"])
        return told.json["grants"]?.array?.count ?? -1
    }

    /// An OAuth 2 app with a secret.
    private struct App: Sendable {
        let home: TestHome
        let credentials: String

        static func register(at home: TestHome, _ options: [String]) async throws -> App {
            let file = "\(home.folder)/lost.secret"
            let types = ["authorization_code", "refresh_token", "client_credentials"].flatMap { ["--grant-type", $0] }
            let added = try await home.done(
                ["app", "add", "Dashboard", "--redirect", callback, "--scope", scope, "--secret-file", file] + types
                    + options)
            return App(
                home: home,
                credentials: BasicCredentials.encode(
                    id: try added["app"]?["key"]?.string.orThrow("no key") ?? "",
                    secret: Secret(text: try String(contentsOfFile: file, encoding: .utf8)), as: .rfc
                ).revealText())
        }

        /// A person allows it; what the code is redeemed with.
        func redemption() async throws -> [(String, String)] {
            let pkce = PKCE()
            let basic = try BasicCredentials.parse(credentials)
            let request = AuthorizationRequest(
                clientID: basic?.interpretations.first?.clientID ?? "", redirectURI: callback, scope: [scope],
                state: "s", codeChallenge: pkce.challenge)
            let landed = try await home.browse(try request.url(endpoint: home.base + "/oauth2/authorize"))
            return [
                ("grant_type", "authorization_code"), ("code", Landing(landed)["code"]), ("redirect_uri", callback),
                ("code_verifier", pkce.verifier.revealText()),
            ]
        }

        func send(_ path: String, _ form: [(String, String)]) async throws -> Reply {
            try await home.post(path, authorization: credentials, form: form.map { Parameter($0.0, $0.1) })
        }

        func token(_ form: [(String, String)]) async throws -> Reply { try await send("/oauth2/token", form) }

        func refresh(_ token: String) async throws -> Reply {
            try await self.token([("grant_type", "refresh_token"), ("refresh_token", token)])
        }
    }

    /// Where the browser was sent in the end.
    private struct Landing {
        private let parameters: [Parameter]

        init(_ report: JSON) {
            let url = report["redirected_to"]?.string ?? ""
            parameters = (try? FormCoding.parse(String(url.drop { $0 != "?" }.dropFirst()))) ?? []
        }

        subscript(_ name: String) -> String { parameters.first(name) ?? "" }
    }
}

/// What the provider answered; status 0 when it did not.
private struct Reply: Sendable {
    let status: Int
    let body: String

    var json: JSON { (try? JSON(parsing: body)) ?? .null }

    func refreshToken() throws -> String {
        try json["refresh_token"]?.string.orThrow("no refresh token: \(body)") ?? ""
    }
}

extension TestHome {
    fileprivate var base: String { "http://127.0.0.1:\(providerPort)" }

    fileprivate func post(_ path: String, authorization: String, form: [Parameter] = []) async throws -> Reply {
        try await send(
            "POST", path,
            ["Authorization: \(authorization)"]
                + (form.isEmpty ? [] : ["Content-Type: \(FormCoding.mediaType)"]), FormCoding.encode(form))
    }

    /// Sends a request with Debian's curl, which tries once.
    fileprivate func send(
        _ method: String, _ path: String, _ headers: [String], _ body: String = ""
    ) async throws -> Reply {
        // In a file, so that no secret is an argument.
        let configuration = try privateFile(
            "curl.conf",
            headers.map { "header = \"\(escaped($0))\"\n" }.joined()
                + (body.isEmpty ? "" : "data = \"\(escaped(body))\"\n"))
        let ran = try await Program.run(
            "/usr/bin/env",
            [
                "curl", "--silent", "--noproxy", "*", "--max-time", "30", "--request", method, "--config",
                configuration,
                "--write-out", "\n%{http_code}", base + path,
            ])
        let lines = ran.output.split(separator: "\n", omittingEmptySubsequences: false)
        return Reply(
            status: Int(lines.last ?? "") ?? 0, body: lines.dropLast().joined(separator: "\n"))
    }

    private func escaped(_ text: String) -> String {
        text.reduce(into: "") { $0 += $1 == "\"" || $1 == "\\" ? "\\\($1)" : String($1) }
    }

    /// Sends a request to a daemon that is killed where its answer would leave, and starts the daemon again.
    fileprivate func killedBeforeAnswering(_ request: () async throws -> Reply) async throws {
        let daemon = try daemon
        // Answers with a body leave by writev, and nothing else does; the call itself is not carried out.
        let tracer = try Program(
            "/usr/bin/env",
            // The daemon lets nobody of its own user look into it.
            (geteuid() == 0 ? [] : ["sudo", "--non-interactive"]) + [
                "strace", "--follow-forks", "--attach=\(daemon.pid)", "--trace=writev", "--output=/dev/null",
                "--inject=writev:error=EPIPE:signal=KILL:when=1",
            ])
        _ = try await tracer.errors.line(with: "attached")
        let lost = try await request()
        #expect(lost.status == 0, "the answer got through: \(lost.body)")
        _ = try await daemon.finish()
        _ = try await tracer.finish()
        try await startDaemon()
    }
}
