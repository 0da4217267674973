// Case P31, and what of P32 and P33 is pushed: a pushed request is its client's, good once and for a while, and refused
// at once when it could not work.

import Delegation
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct PushedRequestTests {
    private static let path = "/oauth2/par"

    /// Pushes a good request; its name.
    private func push(_ app: OAuth2App, _ extra: [(String, String)] = []) async throws -> String {
        let answer = try await app.post(Self.path, app.request().filter { $0.0 != "client_id" } + extra)
        try #require(answer.status == 201)
        return try #require(answer.json["request_uri"]?.string)
    }

    private func link(_ app: OAuth2App, _ name: String, _ extra: [(String, String)] = []) -> String {
        OAuth2App.path([("client_id", app.id), ("request_uri", name)] + extra)
    }

    @Test("a pushed request is shown, may be shown again, and is answered once with code, state and iss")
    func goodPath() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let answer = try await app.post(Self.path, app.request())
            #expect(answer.status == 201)
            #expect(answer.header("Cache-Control") == "no-store")
            #expect(answer.json["expires_in"] == 600)
            let reply = try PushedAuthorizationReply.parse(
                status: 201, contentType: answer.header("Content-Type"), body: Array(answer.body.utf8))
            #expect(reply.requestURI.hasPrefix("urn:ietf:params:oauth:request_uri:"))
            var browser = Browser(home)
            _ = try await browser.open(link(app, reply.requestURI))
            let page = try await browser.get(link(app, reply.requestURI))
            #expect(page.body.contains("Lamp") && page.body.contains("Lock the door"))
            let approved = try await browser.decide("approve", on: page, at: "/oauth2/authorize")
            #expect(approved.status == 303)
            #expect(approved.redirect.first("state") == "s-1")
            #expect(approved.redirect.first("iss") == home.issuer)
            let issued = try await app.token(app.redemption(try #require(approved.redirect.first("code"))))
            #expect(issued.status == 200)
            let access = try #require(issued.json["access_token"]?.string)
            #expect(try await app.devices(access).status == 200)
        }
    }

    @Test("beside the name of a pushed request nothing of the query counts but the client")
    func queryDoesNotCount() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, scopes: ["lock.lock@front-door", "lock.unlock@front-door"])
            let name = try await push(app, [("scope", "lock.lock@front-door")])
            var browser = Browser(home)
            let page = try await browser.open(
                link(
                    app, name,
                    [
                        ("scope", "lock.unlock@front-door"), ("redirect_uri", "https://evil.example/"),
                        ("state", "evil"), ("code_challenge", "evil"),
                    ]))
            #expect(!page.body.contains("Unlock the door"))
            let answer = try await browser.decide("approve", on: page, at: "/oauth2/authorize")
            #expect(answer.header("Location")?.hasPrefix(OAuth2App.redirectURI + "?") == true)
            #expect(answer.redirect.all("state") == ["s-1"])
            let issued = try await app.token(app.redemption(try #require(answer.redirect.first("code"))))
            #expect(issued.json["scope"] == "lock.lock@front-door")
        }
    }

    @Test("a client that has to push can, with a secret, a key or neither, and is refused when it does not")
    func required() async throws {
        try await TestHome.run { home in
            let key = JWTSigningKey.p256(try P256PrivateKey(), keyID: nil)
            let apps = [
                try await OAuth2App.register(home, named: "A", terms: .with { $0.requiresPushedRequests = true }),
                try await OAuth2App.register(
                    home, named: "B",
                    terms: .with {
                        $0.authentication = .none
                        $0.requiresPushedRequests = true
                    }),
                try await OAuth2App.register(
                    home, named: "C",
                    terms: .with {
                        $0.authentication = .privateKeyJWT
                        $0.keys = JWKSet(keys: [key.verificationKey]).json
                        $0.requiresPushedRequests = true
                    }, key: key),
            ]
            for app in apps {
                try await home.expectNothingChanged {
                    expectPage(try await home.send("GET", OAuth2App.path(app.request())), 400, "announce")
                }
                var browser = Browser(home)
                let page = try await browser.open(link(app, try await push(app)))
                let answer = try await browser.decide("approve", on: page, at: "/oauth2/authorize")
                let code = try #require(answer.redirect.first("code"))
                #expect(try await app.token(app.redemption(code)).status == 200)
            }
        }
    }

    @Test("P31 nobody pushes in a client's name without its proof, in a GET, as JSON, or by the query")
    func unauthenticated() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let form = app.request().map { Parameter($0.0, $0.1) }
            try await home.expectNothingChanged {
                expect(try await home.send("POST", Self.path, form: form), 400, "invalid_client")
                let wrong = BasicCredentials.encode(id: app.id, secret: Secret(text: "wrong"), as: .rfc).revealText()
                let answer = try await home.send(
                    "POST", Self.path, headers: [("Authorization", wrong)], form: form)
                expect(answer, 401, "invalid_client")
                #expect(answer.header("WWW-Authenticate")?.hasPrefix("Basic ") == true)
                let nobody = form.map { $0.name == "client_id" ? Parameter("client_id", "nobody") : $0 }
                expect(try await home.send("POST", Self.path, form: nobody), 400, "invalid_client")
                expect(
                    try await home.send("POST", Self.path, headers: app.basic, form: nobody), 400, "invalid_request")
                let query = Self.path + "?" + FormCoding.encode(form)
                #expect(try await home.send("GET", query, headers: app.basic).status == 404)
                expect(try await home.send("POST", query, headers: app.basic, form: form), 400, "invalid_request")
                expect(
                    try await home.send(
                        "POST", Self.path, headers: app.basic + [("Content-Type", "application/json")], body: "{}"),
                    400, "invalid_request")
            }
        }
    }

    @Test(
        "P31, P32, P33: what would be refused at the page is refused when it is pushed",
        arguments: [
            ("request_uri", "urn:ietf:params:oauth:request_uri:x", "invalid_request"),
            ("request", "e30.e30.", "invalid_request"), ("response_type", "token", "unsupported_response_type"),
            ("response_mode", "fragment", "invalid_request"), ("response_type", "", "invalid_request"),
            ("redirect_uri", "https://evil.example/", "invalid_request"), ("code_challenge", "", "invalid_request"),
            ("code_challenge_method", "plain", "invalid_request"), ("scope", "lock.unlock@front-door", "invalid_scope"),
            ("scope", "lock.lock@nowhere", "invalid_scope"), ("resource", "relative", "invalid_target"),
            ("resource", "https://elsewhere.example", "invalid_target"), ("prompt", "all", "invalid_request"),
            ("state", String(repeating: "x", count: 4097), "invalid_request"),
            ("state", "a\r\nSet-Cookie: b=c", "invalid_request"), ("dpop_jkt", "short", "invalid_request"),
            ("authorization_details", "{}", "invalid_authorization_details"),
        ])
    func malformed(name: String, value: String, error: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let parameters = app.request().filter { $0.0 != name } + [(name, value)]
            try await home.expectNothingChanged {
                let answer = try await app.post(Self.path, parameters)
                expect(answer, 400, error)
                #expect(answer.header("Set-Cookie") == nil)
            }
            try await home.expectNothingChanged {
                let twice = try await app.post(Self.path, app.request() + [("state", "s-2")])
                expect(twice, 400, "invalid_request")
            }
        }
    }

    @Test("P31 a name that is unknown, another client's, too old, or was answered with yes or no gets a page")
    func badName() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let other = try await OAuth2App.register(home, named: "Other")
            var browser = Browser(home)
            _ = try await browser.open("/")
            let foreign = try await push(other)
            let unknown = "urn:ietf:params:oauth:request_uri:" + Random.alphanumerics(30)
            try await home.expectNothingChanged {
                for name in [foreign, unknown, "x", "https://evil.example/request", String(repeating: "x", count: 600)]
                {
                    expectPage(try await browser.get(link(app, name)), 400)
                }
                expectPage(try await browser.get(link(other, foreign) + "&request_uri=x"), 400)
            }
            for decision in ["approve", "deny"] {
                let name = try await push(app)
                let page = try await browser.get(link(app, name))
                let again = try await browser.get(link(app, name))
                #expect(try await browser.decide(decision, on: page, at: "/oauth2/authorize").status == 303)
                try await home.expectNothingChanged {
                    expectPage(try await browser.get(link(app, name)), 400)
                    // The same request was open in a second window.
                    expectPage(try await browser.decide("approve", on: again, at: "/oauth2/authorize"), 400)
                }
            }
            let late = try await push(app)
            let page = try await browser.get(link(app, late))
            home.clock.advance(by: 599)
            #expect(try await browser.get(link(app, late)).field("form_token") != nil)
            home.clock.advance(by: 1)
            try await home.expectNothingChanged {
                expectPage(try await browser.get(link(app, late)), 400)
                expectPage(try await browser.decide("approve", on: page, at: "/oauth2/authorize"), 400)
            }
            #expect(try await browser.get(link(other, try await push(other))).field("form_token") != nil)
        }
    }

    @Test("P31 a pushed request dies with its app, and is not good for one of the same name")
    func removedApp() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let name = try await push(app)
            var browser = Browser(home)
            let page = try await browser.open(link(app, name))
            try await home.provider.removeApp("Lamp")
            let second = try await OAuth2App.register(home)
            try await home.expectNothingChanged {
                expectPage(try await browser.get(link(app, name)), 400)
                expectPage(try await browser.get(link(second, name)), 400)
                expectPage(try await browser.decide("approve", on: page, at: "/oauth2/authorize"), 403)
            }
        }
    }

    @Test("P41 a client without the code flow neither pushes nor asks; P31 the fifty-first open request has to wait")
    func limits() async throws {
        try await TestHome.run { home in
            let silent = try await OAuth2App.register(home, named: "Silent", terms: .with("client_credentials"))
            try await home.expectNothingChanged {
                expect(try await silent.post(Self.path, silent.request()), 400, "unauthorized_client")
                expectRedirect(
                    try await home.send("GET", OAuth2App.path(silent.request())), home, "unauthorized_client")
            }
            let app = try await OAuth2App.register(home)
            for _ in 0..<50 { _ = try await push(app) }
            try await home.expectNothingChanged {
                let refused = try await app.post(Self.path, app.request())
                #expect(refused.status == 429)
                #expect(refused.header("Retry-After") == "60")
            }
            let other = try await OAuth2App.register(home, named: "Other")
            _ = try await push(other)
            home.clock.advance(by: 600)
            _ = try await push(app)
        }
    }
}
