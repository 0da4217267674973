// A session is given for a password only, and ends by itself.

import Delegation
import OAuth
import Sealing
import ServiceProvider
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct SignInTests {
    private func attempt(_ home: TestHome, _ name: String, _ password: String) async throws -> Answer {
        var browser = Browser(home)
        return try await browser.post("/sign-in", [("name", name), ("password", password), ("next", "/")])
    }

    @Test("a wrong password and an unknown name are told apart by nothing, and both are slowed down")
    func failures() async throws {
        try await TestHome.run { home in
            var shown: [String] = []
            for name in ["anna", "nobody"] {
                for _ in 0..<4 {
                    let answer = try await attempt(home, name, "wrong")
                    #expect(answer.status == 403)
                    #expect(answer.header("Set-Cookie") == nil)
                    shown.append(answer.body.split(separator: name).joined())
                }
                let slowed = try await attempt(home, name, name == "anna" ? TestHome.password : "wrong")
                #expect(slowed.status == 429)
                #expect(slowed.header("Retry-After") == "1")
            }
            #expect(Set(shown).count == 1)
            home.clock.advance(by: 2)
            #expect(try await attempt(home, "anna", "wrong").status == 403)
            #expect(try await attempt(home, "anna", TestHome.password).header("Retry-After") == "2")
            home.clock.advance(by: 3)
            #expect(try await attempt(home, "anna", TestHome.password).status == 303)
            #expect(try await attempt(home, "anna", "wrong").status == 403)
            #expect(try await home.audited("provider.signin").filter { $0 == "refused" }.count == 6)
        }
    }

    @Test("the session's cookie is hidden from scripts and from posts of other sites")
    func cookie() async throws {
        try await TestHome.run { home in
            let answer = try await attempt(home, "anna", TestHome.password)
            let cookie = try #require(answer.header("Set-Cookie"))
            #expect(cookie.contains("; HttpOnly"))
            #expect(cookie.contains("; SameSite=Lax"))
            #expect(cookie.contains("; Path=/"))
            #expect(!cookie.contains("Domain"))
        }
    }

    @Test("a session ends half an hour after its last use, and after twelve hours in any case")
    func sessionEnds() async throws {
        try await TestHome.run { home in
            var browser = Browser(home)
            func isSignedIn() async throws -> Bool { try await browser.get("/").body.contains("Signed in as") }
            _ = try await browser.open("/")
            home.clock.advance(by: 1799)
            #expect(try await isSignedIn())
            home.clock.advance(by: 1801)
            #expect(try await !isSignedIn())
            _ = try await browser.open("/")
            for _ in 0..<24 {
                home.clock.advance(by: 1790)
                #expect(try await isSignedIn())
            }
            home.clock.advance(by: 600)
            #expect(try await !isSignedIn())
        }
    }

    @Test("signing out ends the session for whoever kept the cookie")
    func signOut() async throws {
        try await TestHome.run { home in
            var browser = Browser(home)
            let page = try await browser.open("/")
            let kept = browser
            let out = try await browser.post("/sign-out", [("form_token", try #require(page.field("form_token")))])
            #expect(out.status == 303)
            #expect(out.header("Set-Cookie")?.contains("Max-Age=0") == true)
            #expect(try await kept.get("/").body.contains("name=\"password\""))
        }
    }

    @Test("a sign-in from another site is refused, and leads to nowhere but here")
    func foreign() async throws {
        try await TestHome.run { home in
            var browser = Browser(home)
            let fields = [("name", "anna"), ("password", TestHome.password)]
            let form = fields.map { Parameter($0.0, $0.1) }
            let sessions = "SELECT count(*) FROM sp_session"
            try await home.expectNothingChanged {
                let crossSite = [("Origin", home.base), ("Sec-Fetch-Site", "cross-site")]
                for answer in [
                    try await browser.post("/sign-in", fields, origin: "https://evil.example"),
                    try await home.send("POST", "/sign-in", form: form),
                    try await home.send("POST", "/sign-in", headers: crossSite, form: form),
                ] {
                    expectPage(answer, 403, "another site")
                    #expect(answer.header("Set-Cookie") == nil)
                }
            }
            #expect(try await StoredRows.sqlite(home.path, sessions) == ["0"])
            for next in ["https://evil.example/", "//evil.example/", "/\\evil.example", "/oauth2/authorize?\r\nX: y"] {
                let answer = try await browser.post("/sign-in", fields + [("next", next)])
                #expect(answer.status == 303)
                #expect(answer.header("Location") == "/")
            }
        }
    }

    @Test("people and apps that are not allowed are refused with a reason")
    func administration() async throws {
        try await TestHome.run { home in
            let provider = home.provider
            for name in ["", "Anna", "a b", "ä", String(repeating: "a", count: 33)] {
                await #expect(throws: Refusal.self) {
                    _ = try await provider.addPerson(name, password: Secret(text: "long enough"))
                }
            }
            await #expect(throws: Refusal.self) {
                _ = try await provider.addPerson("ben", password: Secret(text: "short"))
            }
            await #expect(throws: Refusal.self) {
                _ = try await provider.addPerson("anna", password: Secret(text: "long enough"))
            }
            await #expect(throws: Refusal.self) { try await provider.removePerson("nobody") }
            #expect(try await provider.people().map(\.name) == ["anna"])

            for uri in ["http://app.example/", "https://app.example/#x", "https://*.example/", "oob", "/back", ""] {
                await #expect(throws: Refusal.self) {
                    _ = try await provider.addApp(
                        named: "App", over: .oauth2, redirectURIs: [uri], scopes: ["lock.lock@front-door"])
                }
            }
            for scope in ["lock.lock@nowhere", "lock.fly@front-door", "lock.lock", "@", "lock.lock@front-door@hall"] {
                await #expect(throws: Refusal.self) {
                    _ = try await provider.addApp(
                        named: "App", over: .oauth2, redirectURIs: ["https://app.example/"], scopes: [scope])
                }
            }
            _ = try await OAuth2App.register(home, named: "App")
            await #expect(throws: Refusal.self) { _ = try await OAuth2App.register(home, named: "App") }
            #expect(try await provider.app("App").name == "App")
            await #expect(throws: Refusal.self) { try await provider.removeApp("Nothing") }
            try await provider.removeApp("App")
            #expect(try await provider.consumers().isEmpty)
        }
    }
}
