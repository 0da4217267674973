// The profile that ships is used byte for byte, but that its hosts are this machine and an owner's own values stand in
// it: what works here fails at the vendor only where the vendor is not as the stand-in.

import Foundation
import StrictJSON
import Testing

/// The home that all vendors of a suite share; each has a device, a provider and a stand-in of its own.
struct VendorHome: SuiteTrait, TestScoping {
    @TaskLocal static var current: TestHome?

    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        let home = try await TestHome.start()
        try await Self.$current.withValue(home) { try await function() }
        try await home.stop()
    }
}

/// One vendor's stand-in, and a device in the home whose provider it is.
struct VendorDriver {
    let vendor: Vendor
    let home: TestHome
    private let standIn: Program
    private let base: String
    let device: String

    /// Starts the stand-in, adds provider and consumer, and enrols a device, whose name ends on `suffix`.
    static func start(_ vendor: Vendor, _ suffix: String = "") async throws -> VendorDriver {
        let home = try VendorHome.current.orThrow("no home")
        let file = "\(Places.root)/device-profiles/providers/\(vendor.name).yaml"
        let shipped = try String(contentsOfFile: file, encoding: .utf8)
        let own = shipped.split(separator: "\n").first { $0.hasPrefix("redirect_uri: ") }?.dropFirst(14)
        let redirectURI = own.map(String.init) ?? "http://127.0.0.1:\(home.redirectPort)/callback/\(vendor.name)"
        let standIn = try Program(
            Places.python,
            [
                "-u", Places.peer("standin.py"), "--vendor", vendor.name, "--redirect-uri", redirectURI, "--interval",
                "1",
            ])
        let about = try JSON(parsing: try await standIn.output.line(with: "\"base\""))
        let base = try about["base"]?.string.orThrow("no base") ?? ""
        let driver = VendorDriver(
            vendor: vendor, home: home, standIn: standIn, base: base, device: "\(vendor.name)\(suffix)")
        try await driver.add(moved(shipped, vendor, to: base), about)
        return driver
    }

    /// The profile with every pinned host at the stand-in. Pages that a person opens stay where they are, and
    /// a scope that looks like an address is none.
    private static func moved(_ shipped: String, _ vendor: Vendor, to base: String) throws -> String {
        let lines = shipped.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let list = try lines.first { $0.hasPrefix("hosts: [") }.orThrow("no hosts")
        let hosts = list.dropFirst(8).dropLast().split(separator: ", ")
        let names = ["revocation_page: ", "redirect_uri: ", "verification_uri: ", "scopes: "]
        return lines.map { line in
            if line == list { return "hosts: [127.0.0.1]" }
            if names.contains(where: { line.drop { $0 == " " }.hasPrefix($0) }) { return line }
            return hosts.reduce(line) {
                $0.replacingOccurrences(of: "https://\($1)/", with: "\(base)/\($1)/")
            }
        }.joined(separator: "\n")
    }

    private func add(_ profile: String, _ about: JSON) async throws {
        let name = vendor.name
        try profile.write(toFile: "\(home.folder)/\(name).yaml", atomically: true, encoding: .utf8)
        try await home.done("provider", "add", "\(home.folder)/\(name).yaml")
        let key = try about["key"]?.string.orThrow("no key") ?? ""
        if !vendor.own.isEmpty {
            try await home.done(["provider", "set", name] + vendor.own.map { "\($0.key)=\($0.value)" })
        }
        // A public client has no secret.
        let secret = try about["secret"]?.string.map { ["--secret-file", try home.privateFile("\(name).secret", $0)] }
        try await home.done(["consumer", "add", name, "--key", key] + (secret ?? []))
        try await enrol()
    }

    private func enrol() async throws {
        let folder = "\(home.homePath)/device-profiles/locks"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let demo = try String(contentsOfFile: "\(Places.root)/device-profiles/locks/demo-lock.yaml", encoding: .utf8)
        let profile = demo.replacingOccurrences(of: "profile: locks/demo-lock", with: "profile: locks/\(vendor.name)")
            .replacingOccurrences(of: "provider: home-oauth1", with: "provider: \(vendor.name)")
        try #require(profile.contains("provider: \(vendor.name)"))
        try profile.write(toFile: "\(folder)/\(vendor.name).yaml", atomically: true, encoding: .utf8)
        let label = try await Program.run(
            Places.program("keyholder-device"),
            ["init", "--dir", "\(home.folder)/\(device)", "--profile", "\(folder)/\(vendor.name).yaml"])
        try await home.done(
            "device", "enroll", device, "--label", label.output.trimmed, "--out", "\(home.folder)/\(device).join")
    }

    /// Asks for a grant and approves it as the vendor's customers do.
    func grant() async throws -> JSON {
        let flow: [String] =
            switch vendor.approval {
            case .redirect, .carried: []
            case .pin: ["--flow", "oob"]
            case .code: ["--flow", "device"]
            }
        let asked = try await home.done(["grant", "request", device] + flow)
        switch vendor.approval {
        case .redirect:
            #expect(asked["finish"] == nil)
            _ = try await curl(try await redirected(asked))
        case .carried:
            #expect(asked["finish"]?.string == "redirected")
            let finished = try await home.keyholder(
                "grant", "finish", device, "--redirected", input: try await redirected(asked))
            #expect(finished.status == 0, "\(finished.errors)")
        case .pin:
            let page = try await curl(try url(asked) + "&email=owner@example.org&password=hunter2")
            let pin = try page.split(separator: "oauth_verifier=").last.orThrow("no PIN in \(page)")
            try await home.done("grant", "finish", device, "--verifier", String(pin))
        case .code:
            #expect(asked["user_code"]?.string?.isEmpty == false)
            #expect(asked["verification_uri"]?.string?.hasPrefix("https://") == true)
        }
        return try await home.done("grant", "show", device, "--wait", "30s")["grant"] ?? [:]
    }

    private func url(_ asked: JSON) throws -> String { try asked["authorize_url"]?.string.orThrow("no page") ?? "" }

    /// Where the vendor's page sends the browser.
    private func redirected(_ asked: JSON) async throws -> String {
        try await curl(try url(asked), "-o", "/dev/null", "-w", "%{redirect_url}")
    }

    @discardableResult
    func curl(_ url: String, _ arguments: String...) async throws -> String {
        let answer = try await Program.run(
            "/usr/bin/curl", ["--silent", "--show-error", "--globoff", "--noproxy", "*"] + arguments + [url])
        guard answer.status == 0 else { throw TestHome.Failure(what: "curl \(url): \(answer.errors)") }
        return answer.output
    }

    /// The access token after a refresh that it is not old enough for.
    func refreshed() async throws -> String {
        try await home.done("token", device, "--min-valid", "24h")["access_token"]?.string.orThrow("no token") ?? ""
    }

    func token() async throws -> String {
        try await home.done("token", device)["access_token"]?.string.orThrow("no token") ?? ""
    }

    /// Signs a request, sends it, and returns its status.
    func signed(_ place: String) async throws -> String {
        let address = "\(base)/\(place)"
        let header = try await home.done("sign", device, "GET", address)["authorization"]?.string ?? ""
        return try await curl(
            address, "-o", "/dev/null", "-w", "%{http_code}", "-H", "Authorization: \(header)")
    }

    /// Approves once more, with tokens that live for an hour, where they would be too young for every refresh.
    func hasten() async throws {
        guard vendor.livesLong else { return }
        try await curl("\(base)/standin/hasten", "-X", "POST")
        _ = try await grant()
    }

    /// The owner takes the access back on the vendor's page.
    func takeBack() async throws { try await curl("\(base)/standin/forget", "-X", "POST") }

    /// What the stand-in was asked, oldest first.
    var asked: [JSON] { standIn.output.lines.dropFirst().compactMap { try? JSON(parsing: $0) } }

    /// What the stand-in refused, but for what is part of the game: "not yet", and the challenge before an answer.
    var refused: [JSON] {
        asked.filter { line in
            guard let why = line["why"]?.string else { return false }
            return why != "not yet" && why != "no answer to a challenge"
        }
    }

    func stop() async throws { try await standIn.end() }
}
