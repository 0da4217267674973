// A provider that nobody here wrote runs as its authors ship it. What is here starts it, tells the home about it as an
// owner would, and plays the person in front of it.

import Foundation
import StrictJSON
import Testing

/// A provider on loopback, known to a home under a name of its own.
struct ProviderPeer {
    let home: TestHome
    let name: String
    private let program: Program
    private let about: JSON
    private static let endpoints = [
        "authorization_endpoint", "token_endpoint", "revocation_endpoint", "introspection_endpoint",
        "device_authorization_endpoint", "pushed_authorization_request_endpoint",
    ]

    /// Starts `Tests/Peers/run_SCRIPT.py`, which knows the home's callback for `name` and no other.
    static func start(
        _ script: String, in home: TestHome, as name: String, _ options: [String]
    ) async throws -> ProviderPeer {
        let callback = "http://127.0.0.1:\(home.redirectPort)/callback/\(name)"
        let program = try Program(
            Places.python, ["-u", Places.peer("run_\(script).py"), "--redirect-uri", callback] + options)
        let about = try JSON(parsing: try await program.output.line(with: "\"peer\""))
        return ProviderPeer(home: home, name: name, program: program, about: about)
    }

    /// What the peer says of itself; empty where it says nothing.
    subscript(_ key: String) -> String { about[key]?.string ?? "" }

    /// How often a path was asked for and answered so; glewlwyd does not say.
    func count(_ endpoint: String, _ status: Int) -> Int {
        let path = URL(string: self[endpoint]).map { $0.path(percentEncoded: true) } ?? ""
        return program.output.lines.count { $0.contains("\"\(path)\"") && $0.contains("\"status\": \(status)}") }
    }

    /// Adds the provider by what it says about itself, and then settles its doubts in the file as an owner would: lines
    /// of it become others, and `more` is added to the outermost mapping.
    func discover(_ settled: KeyValuePairs<String, String>, _ more: String = "") async throws {
        let found = try await home.keyholder("provider", "discover", self["issuer"], "--name", name, "--add")
        #expect(found.status == 0, "\(found.errors)")
        let file = "\(home.homePath)/device-profiles/providers/\(name).yaml"
        var profile = try String(contentsOfFile: file, encoding: .utf8)
        for endpoint in Self.endpoints {
            let line = "  \(endpoint): \"\(self[endpoint])\"\n"
            #expect(profile.contains(self[endpoint].isEmpty ? "\(endpoint):" : line) != self[endpoint].isEmpty)
        }
        for (line, becomes) in settled {
            #expect(profile.contains("  \(line)\n"), "no \(line) in \(profile)")
            profile = profile.replacingOccurrences(of: "  \(line)\n", with: "  \(becomes)\n")
        }
        profile += """
            validation_endpoint: \(self["userinfo_endpoint"])
            scopes: [\(scopes)]
            \(more)
            """
        try profile.write(toFile: file, atomically: true, encoding: .utf8)
        try await addConsumer()
    }

    /// Adds the provider by a profile whose part below `oauth2` is given.
    func add(_ endpoints: String, client: String = "client_id") async throws {
        let file = "\(home.folder)/\(name).yaml"
        try """
        provider: \(name)
        title: A provider of others
        hosts: ["127.0.0.1"]
        scopes: [\(scopes)]
        validation_endpoint: \(self["userinfo_endpoint"])
        verified: true
        protocol: oauth2
        oauth2:
          token_endpoint: \(self["token_endpoint"])
          revocation_endpoint: \(self["revocation_endpoint"])
          default_lifetime: 1h
        \(endpoints.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
        """.write(toFile: file, atomically: true, encoding: .utf8)
        try await home.done("provider", "add", file)
        try await addConsumer(client)
    }

    private var scopes: String { self["scope"].split(separator: " ").map { "\"\($0)\"" }.joined(separator: ", ") }

    /// Registers the agent; `secret` stands for another one than the peer's.
    func addConsumer(_ client: String = "client_id", secret: String? = nil) async throws {
        let file = try home.privateFile("\(name).secret", secret ?? self["client_secret"])
        try await home.done("consumer", "add", name, "--key", self[client], "--secret-file", file)
    }

    /// Asks for a grant with which a person decides in a browser; the page that the browser was asked to open.
    func ask(for device: String) async throws -> String {
        try await home.done("grant", "request", device, "--provider", name)["authorize_url"]?.string
            .orThrow("no page to approve on") ?? ""
    }

    /// A person decides on a page; the browser goes where it is sent, and sees what this returns.
    @discardableResult
    func decide(on page: String, _ options: String...) async throws -> String {
        let report = try await person([page] + options)
        return try await curl(try report["redirected_to"]?.string.orThrow("sent nowhere: \(report.text)") ?? "")
    }

    /// Asks for a grant and gets it, through the browser.
    func grant(_ device: String) async throws {
        try await decide(on: try await ask(for: device))
        #expect(try await shown(device, "--wait", "30s")["state"]?.string == "active")
    }

    /// Asks for a grant and gets it, with a code that is typed in elsewhere.
    func grantByCode(_ device: String) async throws {
        let asked = try await home.done("grant", "request", device, "--provider", name, "--flow", "device")
        let page = try asked["verification_uri"]?.string.orThrow("no page") ?? ""
        let code = try asked["user_code"]?.string.orThrow("no code") ?? ""
        _ = try await person([page, "--user-code", code])
        #expect(try await shown(device, "--wait", "30s")["state"]?.string == "active")
    }

    /// The person takes back whatever the hub has.
    ///
    /// - Returns: How many tokens lived until then.
    func takeBack() async throws -> Int64? {
        try await person([self["issuer"], "--take-back"])["taken_back"]?.integer
    }

    private func person(_ arguments: [String]) async throws -> JSON {
        let run = try await Program.run(Places.python, [Places.peer("approve.py"), self["peer"]] + arguments)
        guard run.status == 0 else { throw TestHome.Failure(what: "the person: \(run.output) \(run.errors)") }
        return run.json
    }

    @discardableResult
    func curl(_ url: String, _ arguments: [String] = []) async throws -> String {
        let answer = try await Program.run(
            "/usr/bin/curl", ["--silent", "--show-error", "--noproxy", "*", url] + arguments)
        guard answer.status == 0 else { throw TestHome.Failure(what: "curl \(url): \(answer.errors)") }
        return answer.output
    }

    /// The device's grant.
    func shown(_ device: String, _ options: String...) async throws -> JSON {
        try await home.done(["grant", "show", device] + options)["grant"] ?? [:]
    }

    func token(_ device: String) async throws -> JSON { try await home.done("token", device) }

    /// A token that no provider makes so long-lived, so that there is a refresh unless one is out of the question.
    func refreshed(_ device: String) async throws -> JSON {
        try await home.done("token", device, "--min-valid", "24h")
    }

    func check(_ device: String) async throws -> String? {
        try await home.done("grant", "check", device)["answer"]?.string
    }

    /// Ends the grant here; what the home says about telling the peer.
    func revoke(_ device: String) async throws -> String? {
        let ended = try await home.done("grant", "revoke", device)
        #expect(ended["grant"]?["state"]?.string == "revoked")
        return ended["provider_error"]?.string
    }

    func stop() async throws { try await program.end() }
}

extension TestHome {
    /// Enrols a device by its label; nobody sends it a command.
    func shelve(_ device: String) async throws {
        let label = try await Program.run(
            Places.program("keyholder-device"),
            ["init", "--dir", "\(folder)/\(device)", "--profile", "locks/demo-lock"])
        try await done("device", "enroll", device, "--label", label.output.trimmed, "--out", "\(folder)/\(device).join")
    }

    /// The open notices of a kind, and whom they are about.
    func openNotices(_ kind: String) async throws -> [String] {
        let all = try await done("notice", "list")["notices"]?.array ?? []
        return all.filter { $0["kind"]?.string == kind && $0["open"]?.bool == true }.map(\.text)
    }

    /// Starts the daemon anew so that it dies in the midst of the first refresh, the provider's answer in its hands.
    func startDaemonThatDies() async throws -> Program {
        try await daemon.end()
        let doomed = try Program(
            Places.program("keyholderd"), [],
            environment: ["KEYHOLDER_HOME": homePath, "KEYHOLDER_FAILPOINT": "refresh.answered"])
        _ = try await doomed.errors.line(with: " ready")
        return doomed
    }
}
