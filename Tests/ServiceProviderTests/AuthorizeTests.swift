// Cases P25 to P30, P33 and P55, and what the consent page promises.

import Delegation
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import Testing
import Vault

@Suite(.timeLimit(.minutes(2))) struct AuthorizeTests {
    @Test(
        "P25 a redirect URI that is not the registered one gets a page and no redirect",
        arguments: [
            "https://app.example/back/", "https://app.example/Back", "https://APP.example/back",
            "https://app.example:444/back", "https://app.example/x/../back", "https://app.example@evil.example/back",
            "https://app.example/back#x", "https://app.example/bac", "https://sub.app.example/back",
            "https://app.example/back?x=1", "http://app.example/back", "https://evil.example/", "javascript:alert(1)",
        ])
    func redirectURI(uri: String) async throws {
        try await TestHome.run { home in
            let (registered, secret) = try await home.provider.addApp(
                named: "Web", over: .oauth2, redirectURIs: ["https://app.example/back"],
                scopes: ["lock.lock@front-door"])
            let app = OAuth2App(home: home, id: registered.key, secret: try #require(secret))
            let answer = try await home.send("GET", OAuth2App.path(app.request(redirectURI: uri)))
            #expect(answer.status == 400)
            #expect(answer.header("Location") == nil)
            #expect(answer.header("Content-Type")?.hasPrefix("text/html") == true)
            #expect(!answer.body.contains("name=\"password\""))
        }
    }

    @Test("P25 an unknown client gets a page and no redirect; a loopback client may use any port")
    func client() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let nobody = app.request().map { $0.0 == "client_id" ? ($0.0, "nobody") : $0 }
            let answer = try await home.send("GET", OAuth2App.path(nobody))
            #expect(answer.status == 400)
            #expect(answer.header("Location") == nil)
            let port = try await home.send(
                "GET", OAuth2App.path(app.request(redirectURI: "http://127.0.0.1:41234/back")))
            #expect(port.status == 200)
        }
    }

    @Test("P26 a repeated parameter", arguments: ["client_id", "redirect_uri", "state", "scope", "response_type"])
    func repeated(name: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let parameters = app.request(scope: "lock.lock@front-door")
            let again = try #require(parameters.first { $0.0 == name })
            let answer = try await home.send("GET", OAuth2App.path(parameters + [again]))
            if ["client_id", "redirect_uri", "state"].contains(name) {
                #expect(answer.status == 400)
                #expect(answer.header("Location") == nil)
            } else {
                #expect(answer.status == 303)
                #expect(answer.redirect.first("error") == "invalid_request")
                #expect(answer.redirect.first("iss") == home.base)
            }
        }
    }

    @Test(
        "P27, P28, P29, P32: what is wrong behind a good redirect URI is sent there, with state and iss",
        arguments: [
            ("response_type", "token", "unsupported_response_type"), ("response_type", "", "invalid_request"),
            ("response_type", "code token", "unsupported_response_type"), ("code_challenge", "", "invalid_request"),
            ("code_challenge", "short", "invalid_request"), ("code_challenge_method", "plain", "invalid_request"),
            ("code_challenge_method", "", "invalid_request"),
            ("code_challenge", String(repeating: "=", count: 43), "invalid_request"),
            ("scope", "lock.unlock@front-door", "invalid_scope"), ("scope", "lock.lock@nowhere", "invalid_scope"),
            ("scope", "everything", "invalid_scope"), ("scope", "lock.lock@hall", "invalid_scope"),
            ("resource", "relative", "invalid_target"), ("resource", "https://elsewhere.example/", "invalid_target"),
        ])
    func wrong(name: String, value: String, error: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let parameters = app.request().filter { $0.0 != name } + [(name, value)]
            try await home.expectNothingChanged {
                let answer = try await home.send("GET", OAuth2App.path(parameters))
                #expect(answer.status == 303)
                #expect(answer.header("Location")?.hasPrefix(OAuth2App.redirectURI + "?") == true)
                #expect(answer.redirect.first("error") == error)
                #expect(answer.redirect.first("state") == "s-1")
                #expect(answer.redirect.first("iss") == home.base)
            }
        }
    }

    @Test(
        "P33 a state over 4 KiB or with a line end",
        arguments: [String(repeating: "x", count: 4097), "a\r\nSet-Cookie: b=c"])
    func state(state: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let parameters = app.request().map { $0.0 == "state" ? ($0.0, state) : $0 }
            let answer = try await home.send("GET", OAuth2App.path(parameters))
            #expect(answer.status == 400)
            #expect(answer.header("Location") == nil)
            #expect(answer.header("Set-Cookie") == nil)
        }
    }

    @Test("P30 consent is not given without the page's own token, twice, by another session, or from another site")
    func forgedConsent() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let path = OAuth2App.path(app.request())
            var browser = Browser(home)
            let page = try await browser.open(path)
            let token = try #require(page.field("form_token"))
            try await home.expectNothingChanged {
                for fields in [
                    [("decision", "approve")], [("decision", "approve"), ("form_token", "guess")],
                    [("form_token", token)], [("form_token", token), ("form_token", token), ("decision", "approve")],
                ] {
                    let answer = try await browser.post("/oauth2/authorize", fields)
                    #expect(answer.status == 403)
                    #expect(answer.header("Location") == nil)
                }
                let foreign = try await browser.post(
                    "/oauth2/authorize", [("form_token", token), ("decision", "approve")],
                    origin: "https://evil.example")
                #expect(foreign.status == 403)
                let anonymous = try await browser.post(
                    "/oauth2/authorize", [("form_token", token), ("decision", "approve")], origin: "null")
                #expect(anonymous.status == 403)
                var other = Browser(home)
                _ = try await other.open(path)
                let stolen = try await other.post(
                    "/oauth2/authorize", [("form_token", token), ("decision", "approve")])
                #expect(stolen.status == 403)
                var signedOut = Browser(home)
                let nobody = try await signedOut.post(
                    "/oauth2/authorize", [("form_token", token), ("decision", "approve")])
                #expect(nobody.status == 403)
            }
            #expect(try await home.audited("provider.consent").isEmpty)
            #expect(try await browser.decide("approve", on: page, at: "/oauth2/authorize").status == 303)
            #expect(try await browser.decide("approve", on: page, at: "/oauth2/authorize").status == 403)
        }
    }

    @Test("P30 a form of one protocol, or an old one, is not good at the other")
    func wrongForm() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            var browser = Browser(home)
            let page = try await browser.open(OAuth2App.path(app.request()))
            #expect(try await browser.decide("approve", on: page, at: "/oauth1/authorize").status == 403)
            home.clock.advance(by: 901)
            #expect(try await browser.decide("approve", on: page, at: "/oauth2/authorize").status == 403)
        }
    }

    @Test("the consent page cannot be framed, scripted, cached or sniffed, and lets the answer go to the app only")
    func headers() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            var browser = Browser(home)
            let page = try await browser.open(OAuth2App.path(app.request(redirectURI: "http://127.0.0.1:41234/back")))
            let policy = try #require(page.header("Content-Security-Policy"))
            #expect(policy.contains("default-src 'none'"))
            #expect(policy.contains("frame-ancestors 'none'"))
            #expect(policy.contains("form-action 'self' http://127.0.0.1:41234;"))
            #expect(!policy.contains("unsafe"))
            let style = try #require(page.body.firstRange(of: "<style>")?.upperBound)
            let sheet = page.body[style...].prefix { $0 != "<" }
            let hash = Base64.encode(HashFunction.sha256.digest(Array(sheet.utf8)), as: .standard)
            #expect(policy.contains("style-src 'sha256-\(hash)'"))
            #expect(page.header("X-Frame-Options") == "DENY")
            #expect(page.header("X-Content-Type-Options") == "nosniff")
            #expect(page.header("Cache-Control") == "no-store")
            #expect(page.header("Referrer-Policy") == "same-origin")
            #expect(!page.body.contains("<script"))
            #expect(page.header("Access-Control-Allow-Origin") == nil)
            let answer = try await browser.decide("deny", on: page, at: "/oauth2/authorize")
            #expect(answer.header("Referrer-Policy") == "no-referrer")
        }
    }

    @Test("what can do harm needs a sign-in of the last ten minutes")
    func freshSignIn() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, scopes: ["lock.unlock@front-door", "lock.lock@front-door"])
            var browser = Browser(home)
            _ = try await browser.open("/")
            home.clock.advance(by: 601)
            let harmless = try await browser.get(OAuth2App.path(app.request(scope: "lock.lock@front-door")))
            #expect(harmless.field("form_token") != nil)
            let page = try await browser.get(OAuth2App.path(app.request()))
            #expect(page.field("form_token") == nil)
            #expect(page.body.contains("sign in again"))
            let again = try await browser.signIn(page)
            #expect(again.header("Location") == OAuth2App.path(app.request()))
            #expect(try await browser.get(OAuth2App.path(app.request())).field("form_token") != nil)
        }
    }

    @Test("P55 a foreign Host is refused and never copied into the metadata")
    func host() async throws {
        try await TestHome.run { home in
            let path = "/.well-known/oauth-authorization-server"
            let good = try await home.send("GET", path)
            #expect(good.status == 200)
            let metadata = try AuthorizationServerMetadata.parse(Array(good.body.utf8), issuer: home.base)
            #expect(metadata.tokenEndpoint == home.base + "/oauth2/token")
            #expect(metadata.codeChallengeMethodsSupported == ["S256"])
            #expect(metadata.sendsIssuerInResponse)
            for target in [path, "/", "/oauth2/jwks", "/api/v1/devices", "/nothing"] {
                let answer = try await home.send("GET", target, headers: [("Host", "evil.example")])
                #expect(answer.status == 421)
                #expect(!answer.body.contains("evil.example"))
            }
        }
    }

    @Test("an app's name cannot carry markup or hidden characters onto the page")
    func names() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home, named: "<b>&\"x'")
            let token = try await app.requestToken()
            var browser = Browser(home)
            let page = try await browser.open("/oauth1/authorize?oauth_token=\(token.token)")
            #expect(page.body.contains("&lt;b&gt;&amp;&quot;x&#39;"))
            #expect(!page.body.contains("<b>"))
            for name in ["a\u{202E}b", "a\u{200B}b", "a\nb", "", String(repeating: "x", count: 65), "✅ safe"] {
                await #expect(throws: (any Error).self) { _ = try await OAuth1App.register(home, named: name) }
            }
        }
    }
}
