// Which page a client wants or does not want is its own to say, but never opens what needs a person: whoever has to sign in
// or be asked does, or the client is told so.

import Delegation
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct PromptTests {
    private static let authorize = "/oauth2/authorize"

    private func path(_ app: OAuth2App, _ prompt: String, _ extra: [(String, String)] = []) -> String {
        OAuth2App.path(app.request() + [("prompt", prompt)] + extra)
    }

    /// Says yes for always.
    private func approve(_ app: OAuth2App, _ browser: inout Browser) async throws {
        let page = try await browser.open(OAuth2App.path(app.request()))
        _ = try await browser.decide("approve", on: page, at: Self.authorize, always: true)
        try #require(try await app.home.provider.standingApprovals().count == 1)
    }

    @Test("prompt=none shows no page: nobody signed in is login_required, nobody asked before consent_required")
    func none() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            var browser = Browser(home)
            try await home.expectNothingChanged {
                expectRedirect(try await browser.get(path(app, "none")), home, "login_required")
                _ = try await browser.open("/")
                expectRedirect(try await browser.get(path(app, "none")), home, "consent_required")
            }
            try await approve(app, &browser)
            let answer = try await browser.get(path(app, "none"))
            #expect(answer.status == 303)
            let code = try #require(answer.redirect.first("code"))
            #expect(try await app.token(app.redemption(code)).status == 200)
            try await home.expectNothingChanged {
                expectRedirect(try await Browser(home).get(path(app, "none")), home, "login_required")
                expectRedirect(
                    try await browser.get(path(app, "none", [("scope", "lock.unlock@front-door")])), home,
                    "invalid_scope")
            }
            home.clock.advance(by: 1800)
            try await home.expectNothingChanged {
                expectRedirect(try await browser.get(path(app, "none")), home, "login_required")
            }
        }
    }

    @Test("prompt=consent asks although the answer stands")
    func consent() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            var browser = Browser(home)
            try await approve(app, &browser)
            try await home.expectNothingChanged {
                let page = try await browser.get(path(app, "consent"))
                #expect(page.status == 200)
                #expect(page.field("form_token") != nil)
                expectRedirect(
                    try await browser.decide("deny", on: page, at: Self.authorize), home, "access_denied")
            }
        }
    }

    @Test("prompt=login wants the password of the last minute, from whoever is signed in, and is content then")
    func login() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            var browser = Browser(home)
            _ = try await browser.open("/")
            home.clock.advance(by: 59)
            #expect(try await browser.get(path(app, "login")).field("form_token") != nil)
            home.clock.advance(by: 1)
            let page = try await browser.get(path(app, "login"))
            #expect(page.status == 200)
            #expect(page.field("form_token") == nil)
            #expect(page.body.contains("sure that it is you"))
            #expect(try await browser.get(OAuth2App.path(app.request())).field("form_token") != nil)
            let wrong = try await browser.signIn(page, password: "wrong")
            #expect(wrong.status == 403)
            #expect(try await browser.get(path(app, "login")).field("form_token") == nil)
            let again = try await browser.signIn(page)
            #expect(again.header("Location") == path(app, "login"))
            let shown = try await browser.get(path(app, "login"))
            let answer = try await browser.decide("approve", on: shown, at: Self.authorize, always: true)
            #expect(answer.redirect.first("code") != nil)

            // Not even a yes for always takes the place of the password.
            home.clock.advance(by: 60)
            try await home.expectNothingChanged {
                let asked = try await browser.get(path(app, "login"))
                #expect(asked.status == 200)
                #expect(asked.body.contains("name=\"password\""))
            }
            _ = try await browser.signIn(try await browser.get(path(app, "login")))
            #expect(try await browser.get(path(app, "login")).redirect.first("code") != nil)
        }
    }

    @Test(
        "a word that is not known, or two at once, is refused", arguments: ["select_account", "login consent", "NONE"])
    func unknown(prompt: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            try await home.expectNothingChanged {
                expectRedirect(try await home.send("GET", path(app, prompt)), home, "invalid_request")
                expectRedirect(
                    try await home.send("GET", path(app, "none", [("prompt", "login")])), home, "invalid_request")
            }
        }
    }

    @Test("what can do harm needs a sign-in of the last ten minutes, even if it was allowed for always")
    func highRisk() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, scopes: ["lock.unlock@front-door", "lock.lock@front-door"])
            var browser = Browser(home)
            try await approve(app, &browser)
            home.clock.advance(by: 599)
            #expect(try await browser.get(OAuth2App.path(app.request())).redirect.first("code") != nil)
            home.clock.advance(by: 1)
            try await home.expectNothingChanged {
                let page = try await browser.get(OAuth2App.path(app.request()))
                #expect(page.status == 200)
                #expect(page.body.contains("name=\"password\"") && page.body.contains("sign in again"))
                expectRedirect(try await browser.get(path(app, "none")), home, "login_required")
            }
            // The harmless part still needs nothing.
            let lock = [("scope", "lock.lock@front-door")]
            #expect(try await browser.get(path(app, "none", lock)).redirect.first("code") != nil)
            _ = try await browser.signIn(try await browser.get(OAuth2App.path(app.request())))
            #expect(try await browser.get(OAuth2App.path(app.request())).redirect.first("code") != nil)
        }
    }

    @Test("a pushed request that a standing yes answers is used up by it; OAuth 1.0a is answered by one too")
    func otherWays() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            var browser = Browser(home)
            try await approve(app, &browser)
            let pushed = try await app.post("/oauth2/par", app.request())
            let name = try #require(pushed.json["request_uri"]?.string)
            let link = OAuth2App.path([("client_id", app.id), ("request_uri", name)])
            #expect(try await browser.get(link).redirect.first("code") != nil)
            try await home.expectNothingChanged { expectPage(try await browser.get(link), 400) }

            let bell = try await OAuth1App.register(home)
            let token = try await bell.requestToken()
            let page = try await browser.open("/oauth1/authorize?oauth_token=\(token.token)")
            _ = try await browser.decide("approve", on: page, at: "/oauth1/authorize", always: true)
            let second = try await bell.requestToken()
            let answer = try await browser.get("/oauth1/authorize?oauth_token=\(second.token)")
            let verifier = try #require(answer.redirect.first("oauth_verifier"))
            #expect(try await bell.exchange(second, verifier: verifier).status == 200)
            try await home.expectNothingChanged {
                expectPage(try await browser.get("/oauth1/authorize?oauth_token=\(second.token)"), 400)
            }
        }
    }
}
