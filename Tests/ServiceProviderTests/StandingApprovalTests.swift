// A yes for always holds for the same app, the same person and no more than was on the page, until either takes it back.

import Delegation
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct StandingApprovalTests {
    private static let both = ["lock.lock@front-door", "climate.set@hall"]
    private static let authorize = "/oauth2/authorize"

    /// Says yes for always; the browser that did.
    private func approve(_ app: OAuth2App, _ extra: [(String, String)] = []) async throws -> Browser {
        var browser = Browser(app.home)
        let page = try await browser.open(OAuth2App.path(app.request() + extra))
        #expect(page.body.contains("name=\"always\""))
        let answer = try await browser.decide("approve", on: page, at: Self.authorize, always: true)
        #expect(answer.redirect.first("code") != nil)
        return browser
    }

    /// Whether an app is answered without a page; a page that asks counts as no.
    private func isSilent(
        _ app: OAuth2App, _ browser: Browser, _ extra: [(String, String)] = []
    ) async throws -> Bool {
        let answer = try await browser.get(OAuth2App.path(app.request() + extra))
        guard answer.status == 303 else {
            #expect(answer.field("form_token") != nil)
            return false
        }
        #expect(answer.redirect.first("state") == "s-1")
        #expect(answer.redirect.first("iss") == app.home.issuer)
        let code = try #require(answer.redirect.first("code"))
        #expect(try await app.token(app.redemption(code)).status == 200)
        return true
    }

    @Test("who said yes for always is not asked again, in this browser and the next; who only said yes is")
    func goodPath() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            var browser = Browser(home)
            let page = try await browser.open(OAuth2App.path(app.request()))
            _ = try await browser.decide("approve", on: page, at: Self.authorize)
            #expect(try await !isSilent(app, browser))
            let first = try await approve(app)
            #expect(try await isSilent(app, first))
            #expect(try await isSilent(app, browser))
            #expect(try await isSilent(app, first, [("prompt", "none")]))
            let approvals = try await home.provider.standingApprovals()
            #expect(approvals.map(\.consumer.key) == [app.id])
            #expect(approvals.map(\.person.name) == ["anna"])
            let authorities = try await home.vault.read { try $0.auditEntries(after: 0, limit: 1000) }
                .filter { $0.action == "provider.consent" }.map(\.authority)
            let id = try #require(approvals.first?.id)
            #expect(
                authorities == ["session", "session"] + Array(repeating: "standing approval:\(id)", count: 3))
        }
    }

    @Test("it holds for no other app, no other person, no more operations, and not under another name for less")
    func onlyTheSame() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, scopes: Self.both)
            let other = try await OAuth2App.register(home, named: "Other", scopes: Self.both)
            _ = try await home.provider.addPerson("ben", password: Secret(text: TestHome.password))
            let browser = try await approve(app, [("scope", "lock.lock@front-door")])
            var ben = Browser(home, of: "ben")
            _ = try await ben.open("/")
            try await home.expectNothingChanged {
                let lock = [("scope", "lock.lock@front-door")]
                let isOther = try await [isSilent(app, ben, lock), isSilent(other, browser, lock)]
                #expect(isOther == [false, false])
                for scope in ["climate.set@hall", Self.both.joined(separator: " ")] {
                    #expect(try await !isSilent(app, browser, [("scope", scope)]))
                }
                #expect(try await !isSilent(app, browser))
            }
            #expect(try await isSilent(app, browser, [("scope", "lock.lock@front-door")]))
        }
    }

    @Test("an app that cannot prove itself, the hub's own agent and a device are asked for each time, box or no box")
    func confidentialOnly() async throws {
        try await TestHome.run { home in
            let open = try await OAuth2App.register(home, named: "Open", terms: .open())
            let (key, secret) = try await home.provider.registerAgent(
                for: try DeviceName(checking: "front-door"), over: .oauth2, redirectURI: OAuth2App.redirectURI)
            for app in [open, OAuth2App(home: home, id: key, secret: secret)] {
                var browser = Browser(home)
                let page = try await browser.open(OAuth2App.path(app.request()))
                #expect(!page.body.contains("name=\"always\""))
                let answer = try await browser.decide("approve", on: page, at: Self.authorize, always: true)
                #expect(answer.redirect.first("code") != nil)
                #expect(try await home.provider.standingApprovals().isEmpty)
                try await home.expectNothingChanged {
                    #expect(try await !isSilent(app, browser))
                    let silent = try await browser.get(OAuth2App.path(app.request() + [("prompt", "none")]))
                    expectRedirect(silent, home, "consent_required")
                }
            }
        }
    }

    @Test("a no for always is kept no more than any no")
    func denied() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            var browser = Browser(home)
            let page = try await browser.open(OAuth2App.path(app.request()))
            try await home.expectNothingChanged {
                let answer = try await browser.decide("deny", on: page, at: Self.authorize, always: true)
                expectRedirect(answer, home, "access_denied")
                #expect(try await !isSilent(app, browser))
            }
        }
    }

    @Test(
        "taking back the access takes back the yes for always, on the page and from the hub", arguments: [true, false])
    func takenBack(onPage: Bool) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            var browser = try await approve(app)
            #expect(try await isSilent(app, browser))
            if onPage {
                let page = try await browser.get("/")
                let answer = try await browser.takeBack(page)
                #expect(answer.status == 303)
            } else {
                let grant = try #require(try await home.provider.grants().first)
                try await home.provider.revokeGrant(grant.id, by: .user("test"))
            }
            #expect(try await home.provider.standingApprovals().isEmpty)
            #expect(try await !isSilent(app, browser))
        }
    }

    @Test("the page shows what is not asked again, and lets it be asked again, without ending what it gave")
    func forgotten() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (access, _) = try await app.tokens()
            var browser = try await approve(app)
            let page = try await browser.get("/")
            let start = try #require(page.body.firstRange(of: "Not asked again")?.upperBound)
            let part = Answer(status: 200, headers: page.headers, body: String(page.body[start...]))
            #expect(part.body.contains("Lamp") && part.body.contains("Lock the door"))
            let token = try #require(part.field("form_token"))
            let approval = ("approval", try #require(part.field("approval")))
            var other = Browser(home)
            let others = try await other.open("/")
            let revoking = try #require(others.field("form_token"))
            try await home.expectNothingChanged {
                expectPage(try await browser.post("/forget", []), 403)
                expectPage(try await browser.post("/forget", [("form_token", "x"), approval]), 403)
                expectPage(
                    try await browser.post(
                        "/forget", [("form_token", token), approval], origin: "https://evil.example"), 403)
                expectPage(try await other.post("/forget", [("form_token", token), approval]), 403)
                expectPage(try await other.post("/forget", [("form_token", revoking), approval]), 403)
                expectPage(try await browser.post("/revoke", [("form_token", token), approval]), 403)
                // What was not on the page is not taken back by it.
                expectPage(try await browser.post("/forget", [("form_token", token), ("approval", "another")]), 403)
                expectPage(try await browser.post("/forget", [("form_token", token)]), 403)
            }
            #expect(try await isSilent(app, browser))
            let answer = try await browser.post("/forget", [("form_token", token), approval])
            #expect(answer.status == 303)
            #expect(answer.header("Location") == "/")
            #expect(try await !browser.get("/").body.contains("Not asked again"))
            #expect(try await !isSilent(app, browser))
            #expect(try await app.devices(access).status == 200)
            #expect(try await home.audited("provider.approval") == ["revoked"])
            expectPage(try await browser.post("/forget", [("form_token", token), approval]), 403)
        }
    }

    @Test("it ends with the app, the person and the device, and is not there for one of the same name")
    func gone() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let browser = try await approve(app)
            let id = try #require(try await home.provider.standingApprovals().first?.id)
            try await home.provider.revokeStandingApproval(id, by: .user("test"))
            await #expect(throws: Refusal.self) {
                try await home.provider.revokeStandingApproval(id, by: .user("test"))
            }
            #expect(try await !isSilent(app, browser))

            let second = try await approve(app)
            try await home.provider.removeApp("Lamp")
            #expect(try await home.provider.standingApprovals().isEmpty)
            let again = try await OAuth2App.register(home)
            #expect(try await !isSilent(again, second))

            let third = try await approve(again)
            let now = home.clock.now
            let old = try await home.vault.read {
                try $0.requiredDevice(named: try DeviceName(checking: "front-door"))
            }
            try await home.vault.write { try $0.setState(.removed, ofDevice: old.id, at: now) }
            try await home.enrol("front-door", as: "locks/demo-lock")
            #expect(try await !isSilent(again, third))

            _ = try await approve(again)
            try await home.provider.removePerson("anna")
            _ = try await home.provider.addPerson("anna", password: Secret(text: TestHome.password))
            #expect(try await home.provider.standingApprovals().isEmpty)
            var anew = Browser(home)
            #expect(try await anew.open(OAuth2App.path(again.request())).field("form_token") != nil)
        }
    }
}
