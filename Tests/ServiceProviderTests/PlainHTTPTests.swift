// Over plain http every port of the machine sees the cookie: it shows who is signed in and never approves anything.

import OAuth
import ServiceProvider
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct PlainHTTPTests {
    @Test("plain http is what a base URL without TLS means")
    func configuration() {
        #expect(!ServiceProviderConfiguration(homeName: "Home", baseURL: "http://127.0.0.1:8420").trustsCookies)
        #expect(ServiceProviderConfiguration(homeName: "Home", baseURL: "https://home.example").trustsCookies)
    }

    @Test("who has the cookie and the form, and not the password, approves nothing, and is slowed down")
    func cookieAlone() async throws {
        try await TestHome.run(trustsCookies: false) { home in
            let app = try await OAuth2App.register(home)
            var browser = Browser(home)
            let page = try await browser.open(OAuth2App.path(app.request()))
            #expect(page.body.contains("Your password, to allow this"))
            #expect(!page.body.contains("name=\"always\""))
            let token = try #require(page.field("form_token"))
            try await home.expectNothingChanged {
                for password in [nil, "", "wrong", "wrong again"] {
                    let fields = [("form_token", token), ("decision", "approve")]
                    let answer = try await browser.post(
                        "/oauth2/authorize", fields + (password.map { [("password", $0)] } ?? []))
                    expectPage(answer, 403)
                }
                let late = try await browser.post(
                    "/oauth2/authorize",
                    [("form_token", token), ("decision", "approve"), ("password", TestHome.password)])
                #expect(late.status == 429)
            }
            home.clock.advance(by: 2)
            let answer = try await browser.post(
                "/oauth2/authorize",
                [("form_token", token), ("decision", "approve"), ("password", TestHome.password), ("always", "yes")])
            #expect(answer.redirect.first("code") != nil)
            #expect(try await home.provider.standingApprovals().isEmpty)
        }
    }

    @Test("a no needs no password, and nothing is answered without a page")
    func denial() async throws {
        try await TestHome.run(trustsCookies: false) { home in
            let app = try await OAuth2App.register(home)
            var browser = Browser(home)
            let page = try await browser.open(OAuth2App.path(app.request()))
            let answer = try await browser.decide("deny", on: page, at: "/oauth2/authorize")
            #expect(answer.redirect.first("error") == "access_denied")
            let silent = try await browser.get(OAuth2App.path(app.request() + [("prompt", "none")]))
            #expect(silent.redirect.first("error") == "consent_required")
        }
    }
}
