// What a person sees stays true until the yes, and what grows has an end.

import Delegation
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct LimitTests {
    @Test("a yes to what can do harm counts only while the sign-in is fresh, however long the page lay open")
    func staleYes() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, scopes: ["lock.unlock@front-door"])
            var browser = Browser(home)
            let page = try await browser.open(OAuth2App.path(app.request()))
            home.clock.advance(by: 601)
            try await home.expectNothingChanged {
                let answer = try await browser.decide("approve", on: page, at: "/oauth2/authorize")
                expectPage(answer, 403)
                #expect(answer.body.contains("sign in again"))
            }
            // The form was not used up, so a no still counts.
            let denied = try await browser.decide("deny", on: page, at: "/oauth2/authorize")
            #expect(denied.redirect.first("error") == "access_denied")
        }
    }

    @Test("the fifty-first grant of one app and person ends the first, and the page can take back each of them")
    func manyGrants() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (first, _) = try await app.tokens()
            for _ in 0..<49 { _ = try await app.tokens() }
            #expect(try await app.devices(first).status == 200)
            let (last, _) = try await app.tokens()
            #expect(try await app.devices(first).status == 401)
            #expect(try await home.provider.grants().count == 50)
            #expect(try await home.audited("provider.revoke") == ["revoked"])
            var browser = Browser(home)
            #expect(try await browser.takeBack(try await browser.open("/")).status == 303)
            #expect(try await home.provider.grants().count == 49)
            #expect(try await app.devices(last).status == 200)
        }
    }

    @Test("what ended a month ago is forgotten with all that belonged to it, and what lives is not")
    func forgotten() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (_, gone) = try await app.tokens()
            let ended = try #require(try await home.provider.grants().first?.id)
            #expect(try await app.revoke(gone).status == 200)
            let (_, kept) = try await app.tokens()
            home.clock.advance(by: 31 * 86400)
            _ = try await app.tokens()
            let isThere = try await home.vault.read { try $0.consentedGrant(ended) } != nil
            #expect(!isThere)
            #expect(try await home.provider.grants().count == 2)
            #expect(try await app.refresh(kept).status == 200)
        }
    }

    @Test("what cannot be renewed ends with its only token")
    func notRenewable() async throws {
        try await TestHome.run { home in
            var terms = ConsumerTerms()
            terms.grantTypes = ["authorization_code"]
            let app = try await OAuth2App.register(home, terms: terms)
            let answer = try await app.token(app.redemption(try await app.code()))
            #expect(answer.json["access_token"] != nil)
            #expect(answer.json["refresh_token"] == nil)
            home.clock.advance(by: 20)
            #expect(try await home.provider.grants().isEmpty)
        }
    }

    @Test("to ask for openid alone is not to ask for everything")
    func openID() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let answer = try await home.send("GET", OAuth2App.path(app.request(scope: "openid offline_access")))
            #expect(answer.redirect.first("error") == "invalid_scope")
            let (_, refresh) = try await app.tokens(scope: "openid lock.lock@front-door offline_access")
            expect(try await app.refresh(refresh, scope: "openid"), 400, "invalid_scope")
            #expect(try await app.refresh(refresh, scope: "openid lock.lock@front-door").status == 200)
        }
    }

    @Test("P16 a PIN is for apps that registered for one")
    func unregisteredPIN() async throws {
        try await TestHome.run { home in
            let (registered, secret) = try await home.provider.addApp(
                named: "Web", over: .oauth1, redirectURIs: [OAuth1App.callback], scopes: ["lock.lock@front-door"])
            let app = OAuth1App(
                home: home, consumer: ConsumerCredentials(key: registered.key, secret: try #require(secret)))
            let path = "/oauth1/request_token"
            try await home.expectNothingChanged(except: ["sp_consumer"]) {
                let answer = try await app.send("POST", path, header: try app.header("POST", path, callback: "oob"))
                #expect(answer.status == 400)
                #expect(answer.form.first("oauth_parameters_rejected") == "oauth_callback")
            }
        }
    }
}
