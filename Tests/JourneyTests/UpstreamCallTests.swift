// However many want a token at once, its provider is asked once. After a silence a strict provider is not asked again by
// itself, because that may end the grant.

import Foundation
import Sealing
import StrictJSON
import Testing

@Suite(VendorHome()) struct UpstreamCallTests {
    /// Callers that meet.
    struct Crowd: Sendable, CustomTestStringConvertible {
        let name: String
        let processes: Int
        /// How many calls each of them makes at once.
        let calls: Int
        /// Whether they want a token that lives for longer than the one there is; else that one has expired.
        let isForced: Bool

        var testDescription: String { name }
    }

    @Test(
        "callers who meet while their token has to be refreshed cost one request", .timeLimit(.minutes(1)),
        arguments: [
            Crowd(name: "eight-forced", processes: 1, calls: 8, isForced: true),
            Crowd(name: "eight-expired", processes: 1, calls: 8, isForced: false),
            Crowd(name: "two-processes", processes: 2, calls: 1, isForced: true),
            Crowd(name: "two-processes-expired", processes: 2, calls: 1, isForced: false),
        ])
    func once(crowd: Crowd) async throws {
        let provider = try await SlowProvider.start(crowd.name, lifetime: crowd.isForced ? 3600 : 6)
        try await provider.holdAnswers()
        if !crowd.isForced {
            // The hub's own refresh is on its way already, and the token dies meanwhile, which time alone brings about.
            _ = try await provider.log.line(with: "holding")
            try await Task.sleep(for: .seconds(try await provider.tokenLife() + 1))
        }
        let callers = try (0..<crowd.processes).map { _ in
            try provider.callers(crowd.calls, validity: crowd.isForced ? 86_400 : 60)
        }
        for caller in callers {
            for call in 1...crowd.calls { _ = try await caller.errors.line(with: "> POST", "call=\(call) ") }
        }
        _ = try await provider.log.line(with: "holding")
        // Whoever has asked before has been heard when this is answered.
        try await provider.home.done("status")
        #expect(provider.refreshes.count == 1)
        try await provider.release()
        var told: [String] = []
        for caller in callers { told += try await caller.finish().output.split(separator: "}").map { "\($0)}" } }
        #expect(told.count == crowd.processes * crowd.calls)
        let digests = try told.map { try SlowProvider.digest(JSON(parsing: $0)) }
        #expect(Set(digests).count == 1)
        #expect(digests.first == provider.refreshes.first?["issued"]?.string)
        #expect(provider.refreshes.count { $0["presented"]?.integer == 1 } == 1)
        try await provider.stop()
    }

    @Test("a strict provider that says nothing is not asked again while the token lives", .timeLimit(.minutes(1)))
    func silence() async throws {
        let provider = try await SlowProvider.start("silent", lifetime: 3600)
        let token = try await provider.token()["access_token"]?.string
        try await provider.holdAnswers()
        for _ in 0..<3 {
            #expect(try await provider.token("--min-valid", "24h")["access_token"]?.string == token)
        }
        // The refresh itself ends after thirty seconds; whoever wanted the token has it long before.
        _ = try await provider.home.daemon.errors.line(with: "refresh failed", "verdict=ambiguous")
        let health = try await provider.home.done("grant", "show", "silent")["grant"]?["health"]
        #expect(health?["verdict"]?.string == "ambiguous")
        #expect(try #require(health?["next_attempt"]?.integer) > 3300, "\(health?.text ?? "")")
        #expect(provider.refreshes.count == 1)
        try await provider.stop()
    }
}

/// `rotating_provider.py` with the policy `strict`, which answers when it is told to, and the device whose provider it is.
private struct SlowProvider {
    let home: TestHome
    let name: String
    private let program: Program
    private let base: String
    var log: LineLog { program.output }

    static func start(_ name: String, lifetime: Int) async throws -> SlowProvider {
        let home = try VendorHome.current.orThrow("no home")
        try await home.shelve(name)
        let program = try Program(
            Places.python,
            ["-u", Places.peer("rotating_provider.py"), "--policy", "strict", "--life", "\(lifetime)"])
        let base = try JSON(parsing: try await program.output.line(with: "\"base\""))["base"]?.string
        let provider = SlowProvider(home: home, name: name, program: program, base: try base.orThrow("no base"))
        try await provider.add()
        return provider
    }

    private func add() async throws {
        let file = "\(home.folder)/\(name).yaml"
        try """
        provider: \(name)
        title: A slow provider
        hosts: ["127.0.0.1"]
        scopes: [\(name)]
        verified: true
        protocol: oauth2
        oauth2:
          authorization_endpoint: \(base)/authorize
          token_endpoint: \(base)/token
          client_authentication: basic
          rotation: strict
          default_lifetime: 1h
        """.write(toFile: file, atomically: true, encoding: .utf8)
        try await home.done("provider", "add", file)
        let secret = try home.privateFile("\(name).secret", "slowSecret")
        try await home.done("consumer", "add", name, "--key", "slow", "--secret-file", secret)
        let asked = try await home.done("grant", "request", name, "--provider", name)
        _ = try await curl("--location", try asked["authorize_url"]?.string.orThrow("no page") ?? "").finish()
        try await home.done("grant", "show", name, "--wait", "30s")
    }

    /// Decides at once what is asked from now on, and answers when ``release()`` says so.
    func holdAnswers() async throws { _ = try await curl("--data", "{\"hold\":50}", "\(base)/admin").finish() }

    func release() async throws { _ = try await curl("--data", "{\"hold\":0}", "\(base)/admin").finish() }

    /// Every refresh it was asked for, oldest first.
    var refreshes: [JSON] {
        log.lines.compactMap { try? JSON(parsing: $0) }.filter { $0["action"]?.string == "refresh" }
    }

    /// Seconds until the end of the newest token; negative after it.
    func tokenLife() async throws -> Double {
        let end = try await home.done("grant", "show", name)["grant"]?["expires_at"]?.string
        return try Date(try end.orThrow("no end"), strategy: .iso8601).timeIntervalSinceNow
    }

    func token(_ options: String...) async throws -> JSON { try await home.done(["token", name] + options) }

    /// One process that asks the daemon for the token so often at once, and says on its error output when it has.
    func callers(_ count: Int, validity: Int) throws -> Program {
        try curl(
            "--verbose", "--parallel", "--parallel-immediate", "--unix-socket",
            "\(home.homePath)/keyholder.sock", "--header", "Content-Type: application/json", "--data",
            "{\"min_valid\":\(validity)}", "http://localhost/v1/devices/\(name)/token?call=[1-\(count)]")
    }

    private func curl(_ arguments: String...) throws -> Program {
        try Program("/usr/bin/curl", ["--silent", "--show-error", "--noproxy", "*"] + arguments)
    }

    /// How the provider's log names a token.
    static func digest(_ answer: JSON) throws -> String {
        let token = try answer["access_token"]?.string.orThrow("no token in \(answer.text)") ?? ""
        return Hex.encode(HashFunction.sha256.digest(Array(token.utf8)))
    }

    func stop() async throws { try await program.end() }
}
