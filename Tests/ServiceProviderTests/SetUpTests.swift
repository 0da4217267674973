// A set-up code makes one account, for ten minutes and five tries, and is not used up by a slip of whoever has it.

import Delegation
import FoundationEssentials
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct SetUpTests {
    private static let password = "a new password"

    private func setUp(
        _ home: TestHome, code: String, name: String = "ben", password: String = password, origin: String? = nil
    ) async throws -> Answer {
        var browser = Browser(home, of: name)
        return try await browser.post(
            "/set-up", [("code", code), ("name", name), ("password", password)], origin: origin)
    }

    private func invite(_ home: TestHome) async throws -> String {
        let invitation = try await home.provider.invite()
        #expect(invitation.expiresAt == home.clock.now.addingTimeInterval(600))
        return invitation.code.revealText()
    }

    private func people(_ home: TestHome) async throws -> [String] { try await home.provider.people().map(\.name) }

    /// Another code than this one.
    private func wrong(_ code: String) -> String { code == "00000000" ? "00000001" : "00000000" }

    @Test("with the code from the hub a person makes an account on the page and signs in with it")
    func goodPath() async throws {
        try await TestHome.run { home in
            let code = try await invite(home)
            #expect(code.count == 8 && code.allSatisfy { ("0"..."9").contains($0) })
            let page = try await home.send("GET", "/set-up")
            #expect(page.status == 200)
            for name in ["code", "name", "password"] { #expect(page.body.contains("name=\"\(name)\"")) }
            // As people write what they read.
            let typed = code.prefix(4) + " - " + code.suffix(4)
            let answer = try await setUp(home, code: String(typed))
            #expect(answer.status == 303)
            #expect(answer.header("Location") == "/")
            #expect(answer.header("Set-Cookie") == nil)
            #expect(try await people(home) == ["anna", "ben"])
            var browser = Browser(home, of: "ben")
            let signedIn = try await browser.signIn(try await browser.get("/"), password: Self.password)
            #expect(signedIn.status == 303)
            #expect(try await browser.get("/").body.contains("Signed in as <strong>ben</strong>"))
            let audit = try await home.vault.read { try $0.auditEntries(after: 0, limit: 1000) }.map(\.json.text)
            for line in home.log.lines + audit {
                #expect(!line.contains(code) && !line.contains(Self.password), "\(line.prefix(60))")
            }
        }
    }

    @Test("a code is good once, also for ten who use it at the same time")
    func twice() async throws {
        try await TestHome.run { home in
            let code = try await invite(home)
            let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<10 {
                    group.addTask { try await setUp(home, code: code, name: "ben-\(number)").status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.filter { $0 == 303 }.count == 1)
            #expect(answers.allSatisfy { [303, 403, 429].contains($0) })
            #expect(try await people(home).count == 2)
            home.clock.advance(by: 300)
            try await home.expectNothingChanged {
                expectPage(try await setUp(home, code: code, name: "carl"), 403, "not right")
            }
        }
    }

    @Test("the fifth wrong code takes the right one away, the fourth does not")
    func wrongCodes() async throws {
        try await TestHome.run { home in
            for tries in [4, 5] {
                let code = try await invite(home)
                home.clock.advance(by: 500)
                for _ in 0..<tries {
                    expectPage(try await setUp(home, code: wrong(code)), 403, "not right")
                    // Long enough for any pause; the code lives on.
                    home.clock.advance(by: 16)
                }
                let name = "ben-\(tries)"
                if tries == 4 {
                    #expect(try await setUp(home, code: code, name: name).status == 303)
                } else {
                    try await home.expectNothingChanged {
                        expectPage(try await setUp(home, code: code, name: name), 403, "not right")
                    }
                }
            }
            #expect(try await people(home) == ["anna", "ben-4"])
        }
    }

    @Test("guessing is slowed down: after the fourth wrong code not even the right one is looked at for a while")
    func throttled() async throws {
        try await TestHome.run { home in
            let code = try await invite(home)
            for _ in 0..<4 { expectPage(try await setUp(home, code: wrong(code)), 403, "not right") }
            try await home.expectNothingChanged {
                for guess in [code, wrong(code)] {
                    let answer = try await setUp(home, code: guess)
                    expectPage(answer, 429, "Too many tries")
                    #expect(answer.header("Retry-After") == "1")
                }
            }
            home.clock.advance(by: 1)
            #expect(try await setUp(home, code: code).status == 303)
            // The next one begins without a pause.
            let next = try await invite(home)
            for _ in 0..<3 { expectPage(try await setUp(home, code: wrong(next), name: "carl"), 403, "not right") }
            #expect(try await setUp(home, code: next, name: "carl").status == 303)
        }
    }

    @Test("a code runs out after ten minutes, and the moment there is a new one")
    func expired() async throws {
        try await TestHome.run { home in
            let old = try await invite(home)
            home.clock.advance(by: 600)
            try await home.expectNothingChanged(except: ["sp_invitation"]) {
                expectPage(try await setUp(home, code: old), 403, "run out")
            }
            let first = try await invite(home)
            let second = try await invite(home)
            if first != second { expectPage(try await setUp(home, code: first), 403, "not right") }
            home.clock.advance(by: 599)
            #expect(try await setUp(home, code: second).status == 303)
            try await home.expectNothingChanged {
                expectPage(try await setUp(home, code: "", name: "carl"), 403, "not right")
            }
        }
    }

    @Test("a name or password that is not allowed, or a name that is taken, does not use the code up")
    func slips() async throws {
        try await TestHome.run { home in
            let code = try await invite(home)
            try await home.expectNothingChanged {
                for name in ["", "Ben", "b en", "b\u{e9}n", "<b>", String(repeating: "b", count: 33)] {
                    let page = try await setUp(home, code: code, name: name)
                    expectPage(page, 403, "is not allowed")
                    #expect(!page.body.contains("<b>"))
                }
                for password in ["", "short", String(repeating: "x", count: 1025)] {
                    let page = try await setUp(home, code: code, password: password)
                    expectPage(page, 403, "password has")
                    #expect(!page.body.contains("short"))
                }
                for _ in 0..<6 {
                    expectPage(try await setUp(home, code: code, name: "anna"), 403, "already is a person")
                }
            }
            #expect(try await setUp(home, code: code).status == 303)
        }
    }

    @Test("who has no code learns nothing of the names there are, and changes no password")
    func strangers() async throws {
        try await TestHome.run { home in
            let code = try await invite(home)
            try await home.expectNothingChanged(except: ["sp_invitation.wrong_codes"]) {
                let known = try await setUp(home, code: wrong(code), name: "anna")
                let unknown = try await setUp(home, code: wrong(code), name: "nemo")
                expectPage(known, 403, "not right")
                #expect(known.body.split(separator: "anna") == unknown.body.split(separator: "nemo"))
            }
            var browser = Browser(home)
            #expect(try await browser.signIn(try await browser.get("/")).status == 303)
        }
    }

    @Test("a form that another site sends is not carried out, nor one with a field twice or no form at all")
    func foreign() async throws {
        try await TestHome.run { home in
            let code = try await invite(home)
            let fields = [Parameter("code", code), Parameter("name", "ben"), Parameter("password", Self.password)]
            let own = [("Origin", home.base)]
            try await home.expectNothingChanged {
                for origin in ["https://evil.example", "null"] {
                    expectPage(try await setUp(home, code: code, origin: origin), 403, "another site")
                }
                expectPage(try await home.send("POST", "/set-up", form: fields), 403, "another site")
                expectPage(
                    try await home.send("POST", "/set-up", headers: own, form: fields + [Parameter("name", "eve")]),
                    403)
                expectPage(
                    try await home.send(
                        "POST", "/set-up", headers: own + [("Content-Type", "text/plain")],
                        body: FormCoding.encode(fields)), 403)
                let query = "/set-up?" + FormCoding.encode(fields)
                #expect(try await home.send("GET", query).status == 200)
            }
            #expect(try await setUp(home, code: code).status == 303)
        }
    }

    @Test("a code that was given out before a restart is good after it, and its tries are counted on")
    func restart() async throws {
        try await TestHome.run { home in
            let code = try await invite(home)
            for _ in 0..<3 { expectPage(try await setUp(home, code: wrong(code)), 403, "not right") }
            let again = try await home.restart()
            expectPage(try await setUp(again, code: wrong(code)), 403, "not right")
            #expect(try await setUp(again, code: code).status == 429)
            home.clock.advance(by: 1)
            #expect(try await setUp(again, code: code).status == 303)
        }
    }
}
