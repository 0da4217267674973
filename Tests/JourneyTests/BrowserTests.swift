// A person in a real Chromium: the distribution's browser, driven by its own driver, clicks through the pages that the
// built daemon serves, and other sites in the same browser try to click for that person.

import Foundation
import StrictJSON
import Testing

@Suite(.serialized) struct BrowserTests {
    private static let scope = "climate.set@hallway"
    private static let hostileName = "\"'><img src=x onerror=\"window.hit=1\"><b id=planted>{{home}}"

    @Test(
        "a person signs in, allows, and lands where the app said", .timeLimit(.minutes(2)),
        arguments: ["oauth1", "oauth2"], [[], ["--keyboard"], ["--no-script"]])
    func allowed(spoken: String, how: [String]) async throws {
        let home = try await TestHome.furnished()
        let app = try await app(of: home, spoken)
        let report = try await chromium(home, ["dance", spoken] + app.options + how)
        #expect(report["landed"]?[spoken == "oauth1" ? "oauth_verifier" : "code"]?.string?.isEmpty == false)
        #expect(report["text"]?.string?.contains("hallway") == true)
        #expect(report["text"]?.string?.contains("front-door") == false)
        #expect(try await answers(home) == ["approved"])
        try await home.stop()
    }

    @Test(
        "a person who refuses sends the app away with bad news", .timeLimit(.minutes(1)),
        arguments: ["oauth1", "oauth2"])
    func denied(spoken: String) async throws {
        let home = try await TestHome.furnished()
        let app = try await app(of: home, spoken)
        _ = try await chromium(home, ["dance", spoken] + app.options + ["--decision", "deny"])
        #expect(try await answers(home) == ["denied"])
        try await home.stop()
    }

    @Test(
        "a PIN is shown when there is no address to go to, and only when it was allowed", .timeLimit(.minutes(1)),
        arguments: ["approve", "deny"])
    func pin(decision: String) async throws {
        let home = try await TestHome.furnished()
        let app = try await app(of: home, "oauth1")
        let report = try await chromium(
            home, ["dance", "oauth1"] + app.options + ["--pin", "--decision", decision])
        #expect(report["pin"]?.string?.count == (decision == "approve" ? 8 : nil))
        #expect(try await answers(home) == [decision == "approve" ? "approved" : "denied"])
        try await home.stop()
    }

    @Test(
        "no page is rendered in a frame of another origin", .timeLimit(.minutes(1)), arguments: ["oauth1", "oauth2"])
    func framed(spoken: String) async throws { try await attack("framed", spoken, approvals: 0) }

    @Test(
        "a form that another origin makes the browser send is refused, with the right form token too",
        .timeLimit(.minutes(1)), arguments: ["oauth1", "oauth2"])
    func forged(spoken: String) async throws { try await attack("forged", spoken, approvals: 1) }

    @Test(
        "an approval counts once: not by the back button, not sent again, not eight times at once",
        .timeLimit(.minutes(1)), arguments: ["oauth1", "oauth2"])
    func replayed(spoken: String) async throws { try await attack("replayed", spoken, approvals: 2) }

    @Test(
        "a form token of another session or another form approves nothing", .timeLimit(.minutes(1)),
        arguments: ["oauth1", "oauth2"])
    func borrowed(spoken: String) async throws { try await attack("borrowed", spoken, approvals: 1) }

    @Test("markup in what apps and visitors say is text on every page", .timeLimit(.minutes(1)))
    func injected() async throws {
        let report = try await attack("injected", "oauth2", name: Self.hostileName, approvals: 1)
        #expect(report["asked_by"]?.string == Self.hostileName)
    }

    @Test(
        "every page can be used by everybody: named, in order, in contrast, by keyboard, on a narrow screen",
        .timeLimit(.minutes(1)))
    func pages() async throws {
        let home = try await TestHome.furnished()
        try await home.approve("hallway")
        let agent = try await home.done("grant", "request", "front-door")["authorize_url"]?.string ?? ""
        let pin = try await home.done("grant", "request", "front-door", "--flow", "oob")["authorize_url"]?.string ?? ""
        let base = "http://127.0.0.1:\(home.providerPort)"
        let report = try await chromium(
            home,
            ["pages"]
                + ["agent=\(agent)", "pin=\(pin)", "device=\(base)/device", "set-up=\(base)/set-up"]
                .flatMap { ["--url", $0] })
        #expect((report["checks"]?.members?.count ?? 0) >= 10)
        try await home.stop()
    }

    /// Plays an attack; `approvals` is how often the person really said yes in it.
    @discardableResult
    private func attack(
        _ name: String, _ spoken: String, name appName: String = "Dashboard", approvals: Int
    ) async throws -> JSON {
        let home = try await TestHome.furnished()
        let app = try await app(of: home, spoken, name: appName)
        let report = try await chromium(home, [name, spoken] + app.options)
        #expect(try await answers(home) == Array(repeating: "approved", count: approvals))
        try await home.stop()
        return report
    }

    /// A registered app.
    private struct App {
        let options: [String]
    }

    private func app(of home: TestHome, _ spoken: String, name: String = "Dashboard") async throws -> App {
        let landing = "http://127.0.0.1:\(Places.freePorts(1)[0])/back"
        let secret = "\(home.folder)/app.secret"
        let other = spoken == "oauth1" ? "oob" : "http://127.0.0.1:1/other"
        let added = try await home.done(
            "app", "add", name, "--protocol", spoken, "--redirect", landing, "--redirect", other, "--scope", Self.scope,
            "--secret-file", secret)
        let key = try added["app"]?["key"]?.string.orThrow("no key") ?? ""
        return App(options: ["--key", key, "--secret-file", secret, "--landing", landing, "--scope", Self.scope])
    }

    /// Runs the browser against the home; every check it makes has to hold.
    private func chromium(_ home: TestHome, _ arguments: [String]) async throws -> JSON {
        let finished = try await Program.run(
            Places.python,
            [Places.peer("chromium.py"), "--deadline", "50"] + arguments + [
                "--base", "http://127.0.0.1:\(home.providerPort)", "--person", TestHome.person, "--password-file",
                "\(home.folder)/anna.password",
            ])
        #expect(finished.status == 0, "\(finished.output) \(finished.errors)")
        return finished.json
    }

    /// What people answered on consent pages, oldest first.
    private func answers(_ home: TestHome) async throws -> [String] {
        try await home.audit().filter { $0["action"]?.string == "provider.consent" }
            .compactMap { $0["outcome"]?.string }
    }
}
