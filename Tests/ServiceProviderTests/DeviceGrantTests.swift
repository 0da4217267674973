// Case P46: a device code is its client's, is polled in peace, gives tokens once, and only after a person who saw the same
// code said so.

import Delegation
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

/// An app on a device without a browser.
struct DeviceApp: Sendable {
    static let grantTypes = "device_code refresh_token"

    let app: OAuth2App

    static func register(
        _ home: TestHome, named name: String = "Television", scopes: [String] = ["lock.lock@front-door"],
        terms: ConsumerTerms = .with(grantTypes)
    ) async throws -> DeviceApp {
        DeviceApp(app: try await OAuth2App.register(home, named: name, scopes: scopes, terms: terms))
    }

    /// Asks for codes.
    func begin(_ form: [(String, String)] = []) async throws -> (device: String, user: String) {
        let answer = try await app.post("/oauth2/device_authorization", form)
        try #require(answer.status == 200)
        return (try #require(answer.json["device_code"]?.string), try #require(answer.json["user_code"]?.string))
    }

    func poll(_ code: String) async throws -> Answer {
        try await app.token([("grant_type", GrantType.deviceCode.rawValue), ("device_code", code)])
    }
}

extension Browser {
    /// The page a user code leads to.
    mutating func open(userCode: String) async throws -> Answer { try await open("/device?user_code=\(userCode)") }
}

@Suite(.timeLimit(.minutes(5))) struct DeviceGrantTests {
    @Test("a device shows a code, a person types it and says yes, and the device gets tokens that work and renew")
    func goodPath() async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home)
            let answer = try await television.app.post("/oauth2/device_authorization", [])
            #expect(answer.status == 200)
            #expect(answer.header("Cache-Control") == "no-store")
            #expect(answer.json["expires_in"] == 600)
            #expect(answer.json["interval"] == 5)
            #expect(answer.json["verification_uri"]?.string == home.issuer + "/device")
            let code = try #require(answer.json["device_code"]?.string)
            let userCode = try #require(answer.json["user_code"]?.string)
            #expect(answer.json["verification_uri_complete"]?.string == home.issuer + "/device?user_code=\(userCode)")
            expect(try await television.poll(code), 400, "authorization_pending")

            var browser = Browser(home)
            let form = try await browser.open("/device")
            #expect(form.body.contains("name=\"user_code\""))
            let typed = userCode.lowercased().split(separator: "-").joined(separator: "+")
            let page = try await browser.get("/device?user_code=\(typed)")
            #expect(page.body.contains(userCode))
            #expect(page.body.contains("Television") && page.body.contains("Lock the door"))
            let allowed = try await browser.decide("approve", on: page, at: "/device")
            expectPage(allowed, 200, "Allowed")
            home.clock.advance(by: 5)
            let issued = try await television.poll(code)
            #expect(issued.status == 200)
            #expect(issued.json["scope"] == "lock.lock@front-door")
            let access = try #require(issued.json["access_token"]?.string)
            #expect(try await television.app.devices(access).status == 200)
            let refresh = try #require(issued.json["refresh_token"]?.string)
            #expect(try await television.app.refresh(refresh).status == 200)
            #expect(try await home.audited("provider.consent") == ["approved"])
        }
    }

    @Test("P46 whoever polls too fast is told so, and has to wait five seconds longer each time")
    func tooFast() async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home)
            let (code, _) = try await television.begin()
            // What follows each wait; the interval grows from 5 to 10 to 15.
            let polls: [(Double, String)] = [
                (0, "authorization_pending"), (5, "authorization_pending"), (1, "slow_down"), (5, "slow_down"),
                (15, "authorization_pending"), (14, "slow_down"), (20, "authorization_pending"),
            ]
            try await home.expectNothingChanged(except: ["sp_device_code.polled_at", "sp_device_code.interval"]) {
                for (wait, error) in polls {
                    home.clock.advance(by: wait)
                    expect(try await television.poll(code), 400, error)
                }
            }
            #expect(try await home.audited("provider.token").isEmpty)
        }
    }

    @Test("P46 a code that ran out is no good to the device, to the person, or on a page that was open")
    func expired() async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home)
            let (code, userCode) = try await television.begin()
            var browser = Browser(home)
            let page = try await browser.open(userCode: userCode)
            home.clock.advance(by: 600)
            try await home.expectNothingChanged {
                expectPage(try await browser.decide("approve", on: page, at: "/device"), 400, "not good any more")
                expectPage(try await browser.get("/device?user_code=\(userCode)"), 400, "No device waits")
                expect(try await television.poll(code), 400, "expired_token")
            }
            let (second, other) = try await television.begin()
            let again = try await browser.open(userCode: other)
            #expect(try await browser.decide("approve", on: again, at: "/device").status == 200)
            home.clock.advance(by: 600)
            try await home.expectNothingChanged { expect(try await television.poll(second), 400, "expired_token") }
        }
    }

    @Test("P46 a no is final")
    func denied() async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home)
            let (code, userCode) = try await television.begin()
            var browser = Browser(home)
            let page = try await browser.open(userCode: userCode)
            let open = try await browser.get("/device?user_code=\(userCode)")
            expectPage(try await browser.decide("deny", on: page, at: "/device"), 200, "Not allowed")
            try await home.expectNothingChanged {
                for _ in 0..<2 { expect(try await television.poll(code), 400, "access_denied") }
                expectPage(try await browser.decide("approve", on: open, at: "/device"), 400)
                expectPage(try await browser.get("/device?user_code=\(userCode)"), 400, "No device waits")
                expect(try await television.poll(code), 400, "access_denied")
            }
            #expect(try await home.audited("provider.consent") == ["denied"])
        }
    }

    @Test("P46 a code gives tokens once, also to twenty who ask at the same time")
    func twice() async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home)
            let (code, userCode) = try await television.begin()
            var browser = Browser(home)
            let page = try await browser.open(userCode: userCode)
            _ = try await browser.decide("approve", on: page, at: "/device")
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<20 { group.addTask { try await television.poll(code) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.filter { $0.status == 200 }.count == 1)
            for answer in answers where answer.status != 200 { expect(answer, 400, "invalid_grant") }
            #expect(try await home.provider.grants().count == 1)
            try await home.expectNothingChanged { expect(try await television.poll(code), 400, "invalid_grant") }
        }
    }

    @Test("P46 another client's code, an unknown one, and a client that may not")
    func otherClient() async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home)
            let other = try await DeviceApp.register(home, named: "Other", terms: .open(DeviceApp.grantTypes))
            let plain = DeviceApp(app: try await OAuth2App.register(home))
            let (code, userCode) = try await television.begin()
            try await home.expectNothingChanged {
                expect(try await other.poll(code), 400, "invalid_grant")
                expect(try await television.poll("unknown"), 400, "invalid_grant")
                expect(try await plain.poll(code), 400, "unauthorized_client")
                expect(
                    try await plain.app.post("/oauth2/device_authorization", []), 400, "unauthorized_client")
                let stranger = OAuth2App(home: home, id: television.app.id, secret: Secret(text: "wrong"))
                expect(try await stranger.post("/oauth2/device_authorization", []), 401, "invalid_client")
                expect(
                    try await home.send("POST", "/oauth2/device_authorization", form: [Parameter("client_id", "x")]),
                    400, "invalid_client")
            }
            var browser = Browser(home)
            let page = try await browser.open(userCode: userCode)
            _ = try await browser.decide("approve", on: page, at: "/device")
            try await home.expectNothingChanged { expect(try await other.poll(code), 400, "invalid_grant") }
            #expect(try await television.poll(code).status == 200)
        }
    }

    @Test(
        "P46, P49: an approved code is worth nothing once the person or the app is gone", arguments: ["person", "app"])
    func gone(who: String) async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home)
            let (code, userCode) = try await television.begin()
            let (_, second) = try await television.begin()
            var browser = Browser(home)
            let page = try await browser.open(userCode: userCode)
            _ = try await browser.decide("approve", on: page, at: "/device")
            _ = try await home.provider.addPerson("ben", password: Secret(text: TestHome.password))
            if who == "person" {
                try await home.provider.removePerson("anna")
            } else {
                try await home.provider.removeApp("Television")
            }
            var other = Browser(home, of: "ben")
            _ = try await other.open("/")
            try await home.expectNothingChanged {
                let answer = try await television.poll(code)
                expect(answer, who == "person" ? 400 : 401, who == "person" ? "invalid_grant" : "invalid_client")
                if who == "app" { expectPage(try await other.get("/device?user_code=\(second)"), 400) }
            }
            #expect(try await home.provider.grants().isEmpty)
        }
    }

    @Test(
        "P29, P32: what a device may not ask for gets no code",
        arguments: [
            ("scope", "lock.unlock@front-door", "invalid_scope"), ("scope", "lock.lock@nowhere", "invalid_scope"),
            ("resource", "relative", "invalid_target"), ("resource", "https://elsewhere.example", "invalid_target"),
            ("authorization_details", "[]", "invalid_authorization_details"),
        ])
    func malformed(name: String, value: String, error: String) async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home)
            try await home.expectNothingChanged {
                expect(try await television.app.post("/oauth2/device_authorization", [(name, value)]), 400, error)
            }
        }
    }

    @Test("P46 the fifty-first code that nobody decided about has to wait")
    func limit() async throws {
        try await TestHome.run { home in
            let television = try await DeviceApp.register(home)
            for _ in 0..<50 { _ = try await television.begin() }
            try await home.expectNothingChanged {
                let refused = try await television.app.post("/oauth2/device_authorization", [])
                #expect(refused.status == 429)
                #expect(refused.header("Retry-After") == "60")
            }
            home.clock.advance(by: 600)
            _ = try await television.begin()
        }
    }
}
