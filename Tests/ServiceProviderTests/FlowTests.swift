// Both protocols from the first request to the last, as a client and a browser see them.

import Delegation
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct FlowTests {
    @Test("OAuth 1.0a by redirect: an app gets a token, uses it, and ends it")
    func oauth1Redirect() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let token = try await app.requestToken()
            var browser = Browser(home)
            let page = try await browser.open("/oauth1/authorize?oauth_token=\(token.token)")
            #expect(page.status == 200)
            #expect(page.body.contains("Bell") && page.body.contains("Lock the door"))
            #expect(page.body.contains("front-door") && page.body.contains("Demo lock"))
            #expect(!page.body.contains("Unlock the door"))
            let answer = try await browser.decide("approve", on: page, at: "/oauth1/authorize")
            #expect(answer.status == 303)
            #expect(answer.header("Location")?.hasPrefix(OAuth1App.callback + "&oauth_token=") == true)
            #expect(answer.redirect.first("oauth_token") == token.token)
            let verifier = try #require(answer.redirect.first("oauth_verifier"))

            let issued = try await app.exchange(token, verifier: verifier)
            #expect(issued.status == 200)
            let access = try TokenCredentialsReply.parse(Array(issued.body.utf8)).credentials
            #expect(access.token != token.token)
            let devices = try await app.devices(access)
            #expect(devices.status == 200)
            #expect(devices.json["devices"]?.array?.count == 1)
            #expect(devices.json["devices"]?.array?.first?["name"] == "front-door")

            let revoked = try await app.send(
                "POST", "/oauth1/revoke", header: app.header("POST", "/oauth1/revoke", token: access))
            #expect(revoked.status == 200)
            let after = try await app.devices(access)
            #expect(after.status == 401)
            #expect(after.form.first("oauth_problem") == "token_revoked")
            #expect(try await home.provider.grants().isEmpty)
            #expect(try await home.audited("provider.consent") == ["approved"])
            #expect(try await home.audited("provider.token") == ["issued"])
            #expect(try await home.audited("provider.revoke") == ["revoked"])
        }
    }

    @Test("OAuth 1.0a out of band: the owner reads a PIN and types it into the app")
    func oauth1OutOfBand() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let token = try await app.requestToken(callback: "oob")
            var browser = Browser(home)
            let page = try await browser.open("/oauth1/authorize?oauth_token=\(token.token)")
            let answer = try await browser.decide("approve", on: page, at: "/oauth1/authorize")
            #expect(answer.status == 200)
            let start = try #require(answer.body.firstRange(of: "<p class=\"pin\">")?.upperBound)
            let pin = String(answer.body[start...].prefix { $0 != "<" })
            #expect(pin.count == 8)
            #expect(try await app.exchange(token, verifier: pin).status == 200)
        }
    }

    @Test(
        "OAuth 1.0a: the owner who says no sends the app away with user_refused",
        arguments: ["oob", OAuth1App.callback])
    func oauth1Denied(callback: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let token = try await app.requestToken(callback: callback)
            var browser = Browser(home)
            let page = try await browser.open("/oauth1/authorize?oauth_token=\(token.token)")
            let answer = try await browser.decide("deny", on: page, at: "/oauth1/authorize")
            if callback == "oob" {
                #expect(answer.status == 200)
            } else {
                #expect(answer.redirect.first("oauth_problem") == "user_refused")
            }
            let refused = try await app.exchange(token, verifier: "00000000")
            #expect(refused.status == 401)
            #expect(refused.form.first("oauth_problem") == "user_refused")
            #expect(try await home.provider.grants().isEmpty)
        }
    }

    @Test("OAuth 2 with PKCE: code, token, refresh, and revocation that works at once")
    func oauth2() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            var browser = Browser(home)
            let page = try await browser.open(OAuth2App.path(app.request()))
            #expect(page.body.contains("Lamp") && page.body.contains("Lock the door"))
            let answer = try await browser.decide("approve", on: page, at: "/oauth2/authorize")
            #expect(answer.status == 303)
            #expect(answer.redirect.first("state") == "s-1")
            #expect(answer.redirect.first("iss") == home.base)
            let code = try #require(answer.redirect.first("code"))

            let issued = try await app.token(app.redemption(code))
            #expect(issued.status == 200)
            #expect(issued.header("Cache-Control") == "no-store")
            let reply = try TokenReply.parse(Array(issued.body.utf8))
            #expect(reply.expiresIn == 20)
            #expect(reply.scope == ["lock.lock@front-door"])
            let access = reply.accessToken.revealText()
            #expect(try await app.devices(access).status == 200)

            home.clock.advance(by: 21)
            let expired = try await app.devices(access)
            #expect(expired.status == 401)
            #expect(expired.header("WWW-Authenticate")?.contains("invalid_token") == true)

            let refresh = try #require(reply.refreshToken).revealText()
            let renewed = try await app.refresh(refresh)
            #expect(renewed.status == 200)
            #expect(renewed.json["refresh_token"] == nil)
            let second = try #require(renewed.json["access_token"]?.string)
            #expect(try await app.devices(second).status == 200)

            #expect(try await app.revoke(refresh).status == 200)
            #expect(try await app.devices(second).status == 401)
            #expect(try await app.refresh(refresh).json["error"] == "invalid_grant")
            #expect(try await home.audited("provider.token") == ["issued", "issued", "refused"])
        }
    }

    @Test("OAuth 2: the owner who says no sends the app away with access_denied, state and iss")
    func oauth2Denied() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            try await home.expectNothingChanged {
                var browser = Browser(home)
                let page = try await browser.open(OAuth2App.path(app.request()))
                let answer = try await browser.decide("deny", on: page, at: "/oauth2/authorize")
                #expect(answer.redirect.first("error") == "access_denied")
                #expect(answer.redirect.first("state") == "s-1")
                #expect(answer.redirect.first("iss") == home.base)
                #expect(answer.redirect.first("code") == nil)
            }
            #expect(try await home.audited("provider.consent") == ["denied"])
        }
    }

    @Test("the agent's consumer is registered once per device and protocol and may ask for all its device can do")
    func agent() async throws {
        try await TestHome.run { home in
            let name = try DeviceName(checking: "front-door")
            let first = try await home.provider.registerAgent(
                for: name, over: .oauth1, redirectURI: "http://127.0.0.1:8421/callback")
            let again = try await home.provider.registerAgent(
                for: name, over: .oauth1, redirectURI: "http://127.0.0.1:8421/other")
            #expect(first.key == again.key)
            #expect(first.secret.matches(again.secret))
            let other = try await home.provider.registerAgent(
                for: name, over: .oauth2, redirectURI: "http://127.0.0.1:8421/callback")
            #expect(other.key != first.key)
            #expect(try await home.provider.consumers().filter(\.isAgent).count == 2)

            let app = OAuth1App(home: home, consumer: ConsumerCredentials(key: first.key, secret: first.secret))
            let token = try await app.requestToken(callback: "http://127.0.0.1:8421/other")
            var browser = Browser(home)
            let page = try await browser.open("/oauth1/authorize?oauth_token=\(token.token)")
            #expect(page.body.contains("Unlock the door"))
            #expect(page.body.contains("Take care"))
        }
    }

    @Test("a narrower scope than registered is what is granted")
    func narrower() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home, scopes: ["lock.lock@front-door", "lock.unlock@front-door"])
            let token = try await app.requestToken(scope: "lock.lock@front-door")
            let answer = try await app.exchange(token, verifier: try await app.approve(token))
            let access = try TokenCredentialsReply.parse(Array(answer.body.utf8)).credentials
            let devices = try await app.devices(access)
            let operations = devices.json["devices"]?.array?.first?["operations"]?.array
            #expect(operations?.compactMap { $0["op"]?.string } == ["lock.lock"])
        }
    }

    @Test("the page at / shows what has access to what, and takes it back with one press")
    func takeBack() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (access, _) = try await app.tokens()
            var browser = Browser(home)
            let page = try await browser.open("/")
            #expect(page.body.contains("Lamp") && page.body.contains("Lock the door"))
            let answer = try await browser.takeBack(page)
            #expect(answer.status == 303)
            #expect(answer.header("Location") == "/")
            #expect(try await browser.get("/").body.contains("Nothing and nobody has access"))
            #expect(try await app.devices(access).status == 401)
            #expect(try await home.audited("provider.revoke") == ["revoked"])
        }
    }

    @Test("a device enrolled anew under an old name inherits nothing")
    func reenrolled() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (access, refresh) = try await app.tokens()
            let now = home.clock.now
            let old = try await home.vault.read {
                try $0.requiredDevice(named: try DeviceName(checking: "front-door"))
            }
            try await home.vault.write { try $0.setState(.removed, ofDevice: old.id, at: now) }
            try await home.enrol("front-door", as: "locks/demo-lock")
            #expect(try await app.devices(access).json["devices"]?.array?.isEmpty == true)
            #expect(try await app.devices(access, path: "/api/v1/devices/front-door").status == 404)
            let renewed = try await app.refresh(refresh, scope: "lock.lock@front-door")
            #expect(renewed.json["error"] == "invalid_scope")
        }
    }
}
