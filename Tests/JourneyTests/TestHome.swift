// A home of a test's own: the real daemon, the real CLI, the distribution's Mosquitto with TLS, real devices; gone with
// the test.

import Foundation
import Sealing
import StrictJSON
import Synchronization

/// A running home.
final class TestHome: Sendable {
    let folder: String
    let providerPort: Int
    let redirectPort: Int
    let brokerPort: Int
    private let daemonSlot = Mutex<Program?>(nil)
    private let brokerSlot = Mutex<Program?>(nil)
    private let devices = Mutex<[String: Program]>([:])
    static let person = "anna"
    static let password = "correct horse battery"
    static let intruderPassword = "hostile-broker-client"

    struct Failure: Error, CustomStringConvertible {
        let what: String
        var description: String { what }
    }

    private var environment: [String: String] { ["KEYHOLDER_HOME": "\(folder)/home"] }
    var homePath: String { "\(folder)/home" }
    var daemon: Program { get throws { try daemonSlot.withLock { try $0.orThrow("the daemon is not running") } } }

    private init(folder: String, ports: [Int]) {
        self.folder = folder
        providerPort = ports[0]
        redirectPort = ports[1]
        brokerPort = ports[2]
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Makes a home and starts broker and daemon; a person `anna` can sign in.
    static func start(tokenLifetime: String = "10m") async throws -> TestHome {
        let folder = FileManager.default.temporaryDirectory.path + "/kh-\(Random.alphanumerics(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let ports = Places.freePorts(3)
        let made = try await Program.run(
            Places.program("keyholder"),
            [
                "init", "--name", "Test home", "--listen", "127.0.0.1:\(ports[0])", "--redirect",
                "127.0.0.1:\(ports[1])", "--broker", "localhost:\(ports[2])", "--access-token-lifetime", tokenLifetime,
            ], environment: ["KEYHOLDER_HOME": "\(folder)/home"])
        guard made.status == 0 else { throw Failure(what: "init: \(made.errors)") }
        try admitIntruder("\(folder)/home/broker/dynamic-security.json")
        let home = TestHome(folder: folder, ports: ports)
        try await home.startBroker()
        try await home.startDaemon()
        try home.privateFile("anna.password", password)
        _ = try await home.done("user", "add", person, "--password-file", "\(folder)/anna.password")
        return home
    }

    /// A home with an enrolled lock and thermostat.
    static func furnished(tokenLifetime: String = "10m") async throws -> TestHome {
        let home = try await start(tokenLifetime: tokenLifetime)
        try await home.enroll("front-door", "locks/demo-lock")
        try await home.enroll("hallway", "thermostats/demo-thermostat")
        return home
    }

    /// A home with both grants approved.
    static func granted(tokenLifetime: String = "10m") async throws -> TestHome {
        let home = try await furnished(tokenLifetime: tokenLifetime)
        try await home.approve("front-door")
        try await home.approve("hallway")
        return home
    }

    /// Starts the distribution's broker and waits until it runs.
    func startBroker() async throws {
        let program = try Program("/usr/sbin/mosquitto", ["-c", "\(homePath)/broker/mosquitto.conf"])
        brokerSlot.withLock { $0 = program }
        _ = try await program.errors.line(with: "running")
    }

    /// Ends the broker as a power cut would.
    func killBroker() async throws {
        let program = brokerSlot.withLock { slot in
            defer { slot = nil }
            return slot
        }
        try await program?.end(SIGKILL)
    }

    /// A command that the device can do and that is allowed.
    func command(_ device: String) async throws -> Finished {
        let operation = device == "hallway" ? ["climate.set", "t_mC=20000"] : ["lock.lock"]
        return try await Program.run(
            Places.program("keyholder"), ["command", device] + operation, environment: environment)
    }

    /// Starts the daemon and waits until it serves and has its broker, which it leaves alone in quarantine.
    func startDaemon(inQuarantine: Bool = false) async throws {
        let program = try Program(Places.program("keyholderd"), [], environment: environment)
        daemonSlot.withLock { $0 = program }
        _ = try await program.errors.line(with: " ready")
        if !inQuarantine { _ = try await program.errors.line(with: "broker connected") }
    }

    /// Ends everything; what a test does at its end, so that nothing is left behind.
    func stop() async throws {
        for device in devices.withLock({ Array($0.values) }) { try await device.end() }
        if let program = daemonSlot.withLock({ $0 }) { try await program.end() }
        if let program = brokerSlot.withLock({ $0 }) { try await program.end() }
    }

    /// Writes a file of mode 0600 and returns its path.
    @discardableResult
    func privateFile(_ name: String, _ text: String) throws -> String {
        let path = "\(folder)/\(name)"
        try PrivateFile.replace(path, Secret(text: text))
        return path
    }

    /// Runs the CLI.
    func keyholder(_ arguments: String..., input: String? = nil) async throws -> Finished {
        try await Program.run(Places.program("keyholder"), arguments, environment: environment, input: input)
    }

    /// Runs the CLI with `--json`, which must succeed.
    @discardableResult
    func done(_ arguments: String...) async throws -> JSON { try await done(arguments) }

    @discardableResult
    func done(_ arguments: [String]) async throws -> JSON {
        let finished = try await Program.run(
            Places.program("keyholder"), arguments + ["--json"], environment: environment)
        guard finished.status == 0 else {
            throw Failure(what: "\(arguments.joined(separator: " ")): \(finished.status) \(finished.errors)")
        }
        return finished.json
    }

    /// Starts the CLI and leaves it running.
    func follow(_ arguments: String...) throws -> Program {
        try Program(Places.program("keyholder"), arguments, environment: environment)
    }

    /// Makes a device, enrols its label, starts it and waits until it has proved itself.
    func enroll(_ name: String, _ profile: String) async throws {
        let label = try await Program.run(
            Places.program("keyholder-device"), ["init", "--dir", "\(folder)/\(name)", "--profile", profile])
        guard label.status == 0 else { throw Failure(what: label.errors) }
        try await done("device", "enroll", name, "--label", label.output.trimmed, "--out", "\(folder)/\(name).join")
        try startDevice(name)
        try await done("device", "show", name, "--wait", "30s")
    }

    /// Starts a device that was enrolled.
    func startDevice(_ name: String) throws {
        let program = try Program(
            Places.program("keyholder-device"),
            ["run", "--dir", "\(folder)/\(name)", "--join", "\(folder)/\(name).join"])
        devices.withLock { $0[name] = program }
    }

    /// A running device.
    func device(_ name: String) throws -> Program { try devices.withLock { try $0[name].orThrow("no device \(name)") } }

    /// Asks for a grant and approves it on the provider's page, as a person in a browser would.
    func approve(_ name: String, provider: String? = nil, decision: String = "approve") async throws {
        let asked = try await done(
            ["grant", "request", name] + (provider.map { ["--provider", $0] } ?? []))
        let url = try asked["authorize_url"]?.string.orThrow("no authorize_url") ?? ""
        try await browse(url, decision: decision)
        if decision == "approve" { try await done("grant", "show", name, "--wait", "30s") }
    }

    /// Goes through sign-in and consent pages.
    @discardableResult
    func browse(_ url: String, decision: String = "approve") async throws -> JSON {
        let browser = try await Program.run(
            "/usr/bin/env",
            [
                "python3", Places.peer("browser.py"), "approve", url, "--person", Self.person, "--password-file",
                "\(folder)/anna.password", "--decision", decision,
            ])
        guard browser.status == 0 else { throw Failure(what: "browser: \(browser.output) \(browser.errors)") }
        return browser.json
    }

    /// The audit log, oldest first.
    func audit() async throws -> [JSON] {
        try await keyholder("audit", "--json").output.split(separator: "\n").compactMap {
            try? JSON(parsing: String($0))
        }
    }

    /// The site and a device's command topic.
    func commandTopic(_ name: String) async throws -> String {
        let site = try await done("status")["site"]?.string ?? ""
        let device = try await done("device", "show", name)["device"]?["id"]?.string ?? ""
        return "dac/v1/\(site)/\(device)/cmd"
    }

    /// A client of Mosquitto's own tools with all rights below `dac/v1/`, which no home has: the hostile broker's hand.
    func intruder(_ tool: String, _ arguments: String..., input: String? = nil) throws -> Program {
        try Program(
            // Line by line, so that a test sees the subscription when it is there.
            "/usr/bin/stdbuf",
            [
                "-oL", "/usr/bin/\(tool)",
                "-V", "5", "-h", "localhost", "-p", "\(brokerPort)", "-u", "intruder", "-P", Self.intruderPassword,
                "--cafile", "\(homePath)/broker/ca.pem",
            ] + arguments, input: input)
    }

    private static func admitIntruder(_ file: String) throws {
        let document = try JSON(parsing: try String(contentsOfFile: file, encoding: .utf8))
        let salt = Random.bytes(12)
        let hash = try PBKDF2.sha512(password: Secret(text: intruderPassword), salt: salt, iterations: 1000)
        let rules: [JSON] = ["publishClientSend", "publishClientReceive", "subscribePattern"].map { type in
            ["acltype": .string(type), "topic": "dac/v1/#", "priority": 0, "allow": true]
        }
        let client: JSON = [
            "username": "intruder", "password": .string(Base64.encode(hash, as: .standard)),
            "salt": .string(Base64.encode(salt, as: .standard)), "iterations": 1000,
            "roles": [["rolename": "intruder"]],
        ]
        let role: JSON = ["rolename": "intruder", "acls": .array(rules)]
        let members = (document.members ?? []).map { member -> JSON.Member in
            switch member.name {
            case "clients": .init("clients", .array((member.value.array ?? []) + [client]))
            case "roles": .init("roles", .array((member.value.array ?? []) + [role]))
            default: member
            }
        }
        try JSON.object(members).prettyText.write(toFile: file, atomically: true, encoding: .utf8)
    }
}

extension Optional {
    /// The value, or an error that says what is missing.
    func orThrow(_ what: String) throws -> Wrapped {
        guard let self else { throw TestHome.Failure(what: what) }
        return self
    }
}

extension String {
    var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
