// Cases P25 to P30, P33 and P55, and what the consent page promises.

import Delegation
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct AuthorizeTests {
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
            try await home.expectNothingChanged {
                let answer = try await home.send("GET", OAuth2App.path(app.request(redirectURI: uri)))
                expectPage(answer, 400)
                #expect(!answer.body.contains("name=\"password\""))
                // Not even after something else is found wrong, or for who is signed in.
                var browser = Browser(home)
                _ = try await browser.open("/")
                let wrong = app.request(scope: "everything", redirectURI: uri) + [("prompt", "none")]
                expectPage(try await browser.get(OAuth2App.path(wrong)), 400)
            }
        }
    }

    @Test("P25 an unknown client gets a page and no redirect; a loopback client may use any port")
    func client() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let nobody = app.request().map { $0.0 == "client_id" ? ($0.0, "nobody") : $0 }
            let signed = try await OAuth1App.register(home)
            try await home.expectNothingChanged {
                for id in ["nobody", "", signed.consumer.key, app.id + "x", app.id.lowercased() + "%00"] {
                    let request = nobody.map { $0.0 == "client_id" ? ($0.0, id) : $0 }
                    expectPage(try await home.send("GET", OAuth2App.path(request)), 400)
                }
                expectPage(try await home.send("GET", "/oauth2/authorize"), 400)
            }
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
            try await home.expectNothingChanged {
                for value in [again.1, "other"] {
                    let answer = try await home.send("GET", OAuth2App.path(parameters + [(name, value)]))
                    if ["client_id", "redirect_uri", "state"].contains(name) {
                        expectPage(answer, 400)
                    } else {
                        expectRedirect(answer, home, "invalid_request")
                    }
                }
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
                expectRedirect(try await home.send("GET", OAuth2App.path(parameters)), home, error)
            }
        }
    }

    @Test(
        "P33 a state over 4 KiB, or with a line end or another control character",
        arguments: [
            String(repeating: "x", count: 4097), String(repeating: "\u{20AC}", count: 1366), "a\r\nSet-Cookie: b=c",
            "\n",
            "a\rb", "\0", "\u{1B}[2J", "a\u{7F}",
        ])
    func state(state: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let parameters = app.request().map { $0.0 == "state" ? ($0.0, state) : $0 }
            try await home.expectNothingChanged {
                // With something else wrong too, for which there would be a redirect.
                for extra in [[], [("scope", "everything")], [("prompt", "none")]] {
                    let answer = try await home.send("GET", OAuth2App.path(parameters + extra))
                    expectPage(answer, 400)
                    #expect(answer.header("Set-Cookie") == nil)
                }
            }
        }
    }

    @Test(
        "P33 a state of 4 KiB comes back byte for byte, with yes, no and an error", arguments: ["\u{20AC} &=%+#", "x"])
    func longState(text: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let state = text + String(repeating: "y", count: 4096 - text.utf8.count)
            let parameters = app.request().map { $0.0 == "state" ? ($0.0, state) : $0 }
            var browser = Browser(home)
            for decision in ["approve", "deny"] {
                let page = try await browser.open(OAuth2App.path(parameters))
                let answer = try await browser.decide(decision, on: page, at: "/oauth2/authorize")
                #expect(answer.redirect.all("state") == [state])
            }
            let refused = try await home.send("GET", OAuth2App.path(parameters + [("scope", "everything")]))
            #expect(refused.redirect.all("state") == [state])
            #expect(refused.redirect.first("error") == "invalid_scope")
        }
    }

    @Test("P33 an iss, code or error of the asker's own never comes back; the home's own iss does, once")
    func ownIssuer() async throws {
        try await TestHome.run { home in
            let (registered, secret) = try await home.provider.addApp(
                named: "Web", over: .oauth2, redirectURIs: ["https://app.example/back?x=1"],
                scopes: ["lock.lock@front-door"])
            let app = OAuth2App(home: home, id: registered.key, secret: try #require(secret))
            let evil = [("iss", "https://evil.example"), ("code", "evil"), ("error", "evil")]
            var browser = Browser(home)
            let request = app.request(redirectURI: "https://app.example/back?x=1") + evil
            let refused = try await browser.get(OAuth2App.path(request + [("scope", "everything")]))
            #expect(refused.redirect.map(\.name).sorted() == ["error", "error_description", "iss", "state", "x"])
            for decision in ["deny", "approve"] {
                let page = try await browser.open(OAuth2App.path(request))
                let answer = try await browser.decide(decision, on: page, at: "/oauth2/authorize")
                #expect(answer.redirect.all("iss") == [home.issuer])
                #expect(answer.redirect.all("x") == ["1"])
                #expect(answer.redirect.all("code").count == (decision == "approve" ? 1 : 0))
                #expect(answer.header("Location")?.contains("evil") == false)
            }
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
            try await home.expectNothingChanged {
                expectPage(try await browser.decide("approve", on: page, at: "/oauth1/authorize"), 403)
                home.clock.advance(by: 901)
                expectPage(try await browser.decide("approve", on: page, at: "/oauth2/authorize"), 403)
            }
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
