// Case P46 on the screen: a user code is typed by who is signed in, guessed slowly, and approved on this page only.

import Delegation
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct UserCodeTests {
    @Test("P46 guessing user codes is slowed down for the guesser alone, however many browsers; the right one frees")
    func guessing() async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home)
            let (code, userCode) = try await television.begin()
            _ = try await home.provider.addPerson("ben", password: Secret(text: TestHome.password))
            var browser = Browser(home)
            _ = try await browser.open("/")
            var second = Browser(home)
            _ = try await second.open("/")
            var ben = Browser(home, of: "ben")
            _ = try await ben.open("/")
            try await home.expectNothingChanged {
                for _ in 0..<4 {
                    expectPage(try await browser.get("/device?user_code=BBBB-BBBB"), 400, "No device waits")
                }
                // Waits of 1, 2, 4 … seconds, in which not even the right code is looked at.
                for pause in [1, 2, 4, 8] {
                    for guesser in [browser, second] {
                        let answer = try await guesser.get("/device?user_code=\(userCode)")
                        expectPage(answer, 429, "Too many tries")
                        #expect(answer.header("Retry-After") == "\(pause)")
                        #expect(!answer.body.contains("Television"))
                    }
                    home.clock.advance(by: Double(pause))
                    expectPage(try await browser.get("/device?user_code=CCCC-CCCC"), 400, "No device waits")
                }
                #expect(try await ben.get("/device?user_code=\(userCode)").body.contains("Television"))
            }
            home.clock.advance(by: 16)
            let page = try await browser.get("/device?user_code=\(userCode)")
            #expect(try await browser.decide("approve", on: page, at: "/device").status == 200)
            #expect(try await television.poll(code).status == 200)
            for _ in 0..<4 {
                expectPage(try await browser.get("/device?user_code=BBBB-BBBB"), 400, "No device waits")
            }
        }
    }

    @Test("P46 a thousand guesses take more time than a code lives")
    func longestPause() async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home)
            let (_, userCode) = try await television.begin()
            var browser = Browser(home)
            _ = try await browser.open("/")
            var guesses = 0
            for _ in 0..<40 where home.clock.seconds < 1_790_000_600 {
                let answer = try await browser.get("/device?user_code=BBBB-BBBB")
                if answer.status == 400 { guesses += 1 }
                let wait = answer.header("Retry-After").flatMap { Double($0) } ?? 0
                home.clock.advance(by: wait)
            }
            #expect(home.clock.seconds >= 1_790_000_600)
            #expect((10...14).contains(guesses), "\(guesses)")
            #expect(try await browser.get("/device?user_code=\(userCode)").status != 200)
        }
    }

    @Test("a code that cannot be one is said to be so and not counted; who is not signed in learns nothing of codes")
    func notACode() async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home)
            let (_, userCode) = try await television.begin()
            var browser = Browser(home)
            _ = try await browser.open("/")
            try await home.expectNothingChanged {
                for typed in ["x", "AEIO-UAEI", "BBBB-BBBBB", "%00", "<b>"] {
                    let page = try await browser.get("/device?user_code=\(typed)")
                    expectPage(page, 400, "eight letters")
                    #expect(!page.body.contains("<b>"))
                }
                for typed in [userCode, "BBBB-BBBB"] {
                    for _ in 0..<6 {
                        let page = try await home.send("GET", "/device?user_code=\(typed)")
                        #expect(page.status == 200)
                        #expect(page.body.contains("name=\"password\"") && !page.body.contains("Television"))
                    }
                }
            }
            #expect(try await browser.get("/device?user_code=\(userCode)").body.contains("Television"))
        }
    }

    @Test("P30 a device is not approved without the page's own token, from another site, session or flow")
    func forged() async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home)
            let lamp = try await OAuth2App.register(home)
            let (code, userCode) = try await television.begin()
            var browser = Browser(home)
            let page = try await browser.open(userCode: userCode)
            let token = try #require(page.field("form_token"))
            let fields = [("form_token", token), ("decision", "approve"), ("user_code", userCode)]
            var other = Browser(home)
            let lampPage = try await other.open(OAuth2App.path(lamp.request()))
            var nobody = Browser(home)
            try await home.expectNothingChanged {
                for fields in [
                    [("decision", "approve"), ("user_code", userCode)], [("decision", "approve"), ("form_token", "x")],
                    [("form_token", token)], [("form_token", token), ("decision", "yes")],
                ] {
                    expectPage(try await browser.post("/device", fields), 403)
                }
                expectPage(try await browser.post("/device", fields, origin: "https://evil.example"), 403)
                expectPage(try await other.post("/device", fields), 403)
                expectPage(try await nobody.post("/device", fields), 403)
                expectPage(try await other.decide("approve", on: lampPage, at: "/device"), 403)
                expectPage(try await browser.decide("approve", on: page, at: "/oauth2/authorize"), 403)
                expectPage(try await browser.decide("approve", on: page, at: "/oauth1/authorize"), 403)
            }
            #expect(try await browser.decide("approve", on: page, at: "/device", always: true).status == 200)
            #expect(try await home.provider.standingApprovals().isEmpty)
            #expect(try await television.poll(code).status == 200)
        }
    }

    @Test("what can do harm needs a sign-in of the last ten minutes for a device too")
    func freshSignIn() async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home, scopes: ["lock.unlock@front-door"])
            var browser = Browser(home)
            _ = try await browser.open("/")
            home.clock.advance(by: 601)
            let (_, userCode) = try await television.begin()
            let page = try await browser.get("/device?user_code=\(userCode)")
            #expect(page.field("form_token") == nil)
            #expect(page.body.contains("sign in again"))
            let again = try await browser.signIn(page)
            #expect(again.header("Location") == "/device?user_code=\(userCode)")
            #expect(try await browser.get("/device?user_code=\(userCode)").field("form_token") != nil)
        }
    }
}
