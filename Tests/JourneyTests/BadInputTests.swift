// What is wrong in any way gets an error with place, found and allowed, and changes nothing.

import Foundation
import StrictJSON
import Testing

@Suite(.serialized) struct BadInputTests {
    @Test(
        "a wrong argument, label, name or profile exits with 2, says what is allowed, and changes nothing",
        .timeLimit(.minutes(1)))
    func wrongInput() async throws {
        let home = try await TestHome.furnished()
        let before = try await home.done("device", "list").text
        let label = "dac-label:v1?dev=dev-0011223344556677&key=AAAA&seal=AAAA&code=AAAA&profile=locks/demo-lock"
        let cases: [(arguments: [String], says: String)] = [
            (["device", "enroll", "x", "--label", "nonsense"], "label: text"),
            (["device", "enroll", "x", "--label", label], "label: key"),
            (["device", "enroll", "Not A Name", "--label", label], "device name \"Not A Name\" is not allowed"),
            (["command", "front-door", "lock.lock", "force=true"], "lock.lock takes no argument \"force\""),
            (["command", "front-door", "lock.explode"], "has no operation \"lock.explode\""),
            (["command", "hallway", "climate.set"], "climate.set needs the argument t_mC"),
            (["command", "hallway", "climate.set", "t_mC=warm"], "t_mC is \"warm\", allowed is an integer"),
            (["command", "hallway", "climate.set", "t_mC=21.5"], "allowed is an integer from 5000 to 35000"),
            (["command", "hallway", "climate.set", "t_mC"], "is not name=value"),
            (["command", "hallway", "climate.set", "t_mC=20000", "--timeout", "soon"], "is not a duration"),
            (["grant", "request", "front-door", "--flow", "magic"], "magic"),
            (["user", "add", "anna"], "no password"),
            (["frobnicate"], "frobnicate"),
        ]
        for (arguments, says) in cases {
            let run = try await Program.run(
                Places.program("keyholder"), arguments, environment: ["KEYHOLDER_HOME": home.homePath])
            #expect(run.status == 2, "\(arguments): \(run.status) \(run.errors)")
            #expect(run.errors.hasPrefix("error: "), "\(arguments): \(run.errors)")
            #expect(run.errors.contains(says), "\(arguments): \(run.errors)")
            #expect(run.output.isEmpty, "\(arguments): \(run.output)")
        }
        #expect(try await home.done("device", "list").text == before)
        try await home.stop()
    }

    @Test("what is not there exits with 8", .timeLimit(.minutes(1)))
    func notThere() async throws {
        let home = try await TestHome.start()
        for arguments in [
            ["device", "show", "attic"], ["grant", "show", "attic"], ["command", "attic", "lock.lock"],
            ["provider", "show", "nobody"], ["app", "show", "nobody"], ["user", "remove", "nobody"],
            ["token", "attic"], ["grant", "request", "attic"],
        ] {
            let run = try await Program.run(
                Places.program("keyholder"), arguments, environment: ["KEYHOLDER_HOME": home.homePath])
            #expect(run.status == 8, "\(arguments): \(run.status) \(run.errors)")
        }
        try await home.stop()
    }

    @Test(
        "a provider profile with several faults reports them all, with line, key, found and allowed",
        .timeLimit(.minutes(1)))
    func providerProfile() async throws {
        let home = try await TestHome.start()
        let yaml = """
            provider: cloud
            title: Cloud
            hosts: [cloud.example]
            verfied: true
            verified: true
            protocol: oauth2
            oauth2:
              authorization_endpoint: http://cloud.example/authorize
              token_endpoint: https://elsewhere.example/token
              client_authentication: magic
              rotation: none
              default_lifetime: 60
            """
        try yaml.write(toFile: "\(home.folder)/cloud.yaml", atomically: true, encoding: .utf8)
        let run = try await home.keyholder("provider", "add", "\(home.folder)/cloud.yaml")
        #expect(run.status == 2)
        for says in [
            "cloud.yaml:4: verfied: found the unknown key", "oauth2.authorization_endpoint: found",
            "oauth2.token_endpoint: found", "oauth2.client_authentication: found \"magic\"",
            "oauth2.default_lifetime: found \"60\"",
        ] {
            #expect(run.errors.contains(says), "\(says) not in \(run.errors)")
        }
        #expect(try await home.keyholder("provider", "show", "cloud").status == 8)
        try await home.stop()
    }

    @Test("a wrong configuration stops the daemon with exit code 2 and every fault", .timeLimit(.minutes(1)))
    func configuration() async throws {
        let home = try await TestHome.start()
        try await home.daemon.end()
        try "lisen: 1\nlisten: 192.168.0.1:80\naccess_token_lifetime: 5\n".write(
            toFile: "\(home.homePath)/config.yaml", atomically: true, encoding: .utf8)
        let run = try await Program.run(
            Places.program("keyholderd"), [], environment: ["KEYHOLDER_HOME": home.homePath])
        #expect(run.status == 2)
        for says in [
            "config.yaml:1: lisen: found the unknown key", "config.yaml:2: listen: found",
            "config.yaml:3: access_token_lifetime: found",
        ] {
            #expect(run.errors.contains(says), "\(says) not in \(run.errors)")
        }
        try await home.stop()
    }

    @Test(
        "a second daemon for the same home is refused with its own exit code, and the first goes on",
        .timeLimit(.minutes(1)))
    func secondDaemon() async throws {
        let home = try await TestHome.start()
        let second = try await Program.run(
            Places.program("keyholderd"), [], environment: ["KEYHOLDER_HOME": home.homePath])
        #expect(second.status == 10)
        #expect(second.errors.contains("another daemon serves"))
        #expect(try await home.done("status")["sealed"]?.bool == false)
        try await home.stop()
    }

    @Test("without a daemon the CLI exits with 6", .timeLimit(.minutes(1)))
    func noDaemon() async throws {
        let run = try await Program.run(
            Places.program("keyholder"), ["status"], environment: ["KEYHOLDER_HOME": "/nonexistent"])
        #expect(run.status == 6)
        #expect(run.errors.contains("hint: start it with 'keyholderd'"))
    }

    @Test(
        "with a passphrase the daemon starts sealed, everything says so with exit code 7, and unseal opens it",
        .timeLimit(.minutes(1)))
    func passphrase() async throws {
        let folder =
            FileManager.default.temporaryDirectory.path + "/kh-sealed-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let environment = ["KEYHOLDER_HOME": "\(folder)/home"]
        try "correct horse battery staple\n".write(toFile: "\(folder)/pass", atomically: true, encoding: .utf8)
        chmod("\(folder)/pass", 0o600)
        let ports = Places.freePorts(3)
        func keyholder(_ arguments: String..., input: String? = nil) async throws -> Finished {
            try await Program.run(Places.program("keyholder"), arguments, environment: environment, input: input)
        }
        let made = try await keyholder(
            "init", "--key-source", "passphrase", "--passphrase-file", "\(folder)/pass", "--listen",
            "127.0.0.1:\(ports[0])", "--redirect", "127.0.0.1:\(ports[1])", "--broker", "localhost:\(ports[2])")
        #expect(made.status == 0, "\(made.errors)")
        let daemon = try Program(Places.program("keyholderd"), [], environment: environment)
        _ = try await daemon.errors.line(with: " ready")
        #expect(try await keyholder("status", "--json").json["sealed"]?.bool == true)
        #expect(
            try await keyholder("user", "add", "anna", "--password-file", "-", input: "a long password").status == 7)
        #expect(try await keyholder("unseal", "--passphrase-file", "-", input: "wrong horse battery").status == 3)
        #expect(try await keyholder("status", "--json").json["sealed"]?.bool == true)
        #expect(try await keyholder("unseal", "--passphrase-file", "\(folder)/pass").status == 0)
        let status = try await keyholder("status", "--json").json
        #expect(status["sealed"]?.bool == false)
        #expect(status["protection"]?["stolen_disk"]?.bool == true)
        #expect(
            try await keyholder("user", "add", "anna", "--password-file", "-", input: "a long password").status == 0)
        #expect(try await keyholder("seal").status == 0)
        #expect(
            try await keyholder("user", "add", "bert", "--password-file", "-", input: "a long password").status == 7)
        try await daemon.end()
    }

    @Test(
        "the daemon ends at once on SIGTERM with exit code 0, also while somebody follows the log",
        .timeLimit(.minutes(1)))
    func termination() async throws {
        let home = try await TestHome.start()
        let follower = try home.follow("audit", "--follow", "--json")
        _ = try await follower.output.line(with: "home.create")
        let daemon = try home.daemon
        kill(daemon.pid, SIGTERM)
        #expect(try await daemon.finish().status == 0)
        #expect(!daemon.errors.lines.contains { $0.contains("took longer") })
        _ = try await follower.finish()
        try await home.stop()
    }

    @Test("an app with a blank or an accent in its name can be shown and removed", .timeLimit(.minutes(1)))
    func namesInPaths() async throws {
        let home = try await TestHome.furnished()
        for name in ["Energy Monitor", "Wärme", "a+b"] {
            try await home.done(
                "app", "add", name, "--redirect", "http://127.0.0.1:1/back", "--scope", "lock.lock@front-door",
                "--secret-file", "\(home.folder)/secret")
            #expect(try await home.done("app", "show", name)["app"]?["name"]?.string == name)
            #expect(try await home.keyholder("app", "remove", name).status == 0)
        }
        #expect(try await home.done("app", "list")["apps"]?.array?.isEmpty == true)
        try await home.stop()
    }

    @Test(
        "a bundle that cannot be written enrols nothing, and a withdrawn enrolment frees its label",
        .timeLimit(.minutes(1)))
    func enrolmentTakenBack() async throws {
        let home = try await TestHome.start()
        let label = try await Program.run(
            Places.program("keyholder-device"), ["init", "--dir", "\(home.folder)/d", "--profile", "locks/demo-lock"])
        for out in ["\(home.folder)/nowhere/j", home.folder, "/dev/null"] {
            let run = try await home.keyholder(
                "device", "enroll", "front-door", "--label", label.output.trimmed, "--out", out)
            #expect(run.status == 2, "\(out): \(run.status) \(run.errors)")
        }
        #expect(try await home.done("device", "list")["devices"]?.array?.isEmpty == true)
        try await home.done(
            "device", "enroll", "front-door", "--label", label.output.trimmed, "--out", "\(home.folder)/j")
        #expect(try await home.keyholder("device", "remove", "front-door").status == 0)
        try await home.done(
            "device", "enroll", "back-door", "--label", label.output.trimmed, "--out", "\(home.folder)/j")
        try await home.stop()
    }

    @Test(
        "a taken port, an open home or a missing key is told in our words before anything is said to be ready",
        .timeLimit(.minutes(1)))
    func startFailures() async throws {
        let home = try await TestHome.start()
        try await home.daemon.end()
        func start() async throws -> Finished {
            try await Program.run(Places.program("keyholderd"), [], environment: ["KEYHOLDER_HOME": home.homePath])
        }
        let squatter = try Program(
            "/usr/bin/env",
            [
                "python3", "-uc",
                "import socket,sys; s=socket.create_server(('127.0.0.1',int(sys.argv[1]))); print('taken'); s.accept()",
                "\(home.providerPort)",
            ])
        _ = try await squatter.output.line(with: "taken")
        let taken = try await start()
        #expect(taken.status == 1)
        #expect(taken.errors.contains("error: cannot listen"), "\(taken.errors)")
        #expect(!taken.errors.contains(" ready"))
        try await squatter.end(SIGKILL)
        chmod(home.homePath, 0o755)
        let open = try await start()
        #expect(open.status == 1 && open.errors.contains("is open to others"))
        chmod(home.homePath, 0o700)
        try FileManager.default.moveItem(atPath: "\(home.homePath)/vault.key", toPath: "\(home.folder)/key")
        let keyless = try await start()
        #expect(keyless.status == 1 && keyless.errors.contains("error: there is no file"), "\(keyless.errors)")
        try FileManager.default.moveItem(atPath: "\(home.folder)/key", toPath: "\(home.homePath)/vault.key")
        try await home.startDaemon()
        try await home.stop()
    }

    @Test(
        "a crash of the daemon prints no memory", .timeLimit(.minutes(1)),
        arguments: [SIGSEGV, SIGILL, SIGABRT])
    func crash(signal: Int32) async throws {
        let home = try await TestHome.start()
        let daemon = try home.daemon
        kill(daemon.pid, signal)
        #expect(try await daemon.finish().status == 128 + signal)
        #expect(
            !daemon.errors.lines.contains { $0.contains("rip") || $0.contains("Registers") || $0.contains("rashed") })
        // And the next start finds everything as it was.
        try await home.startDaemon()
        #expect(try await home.done("audit", "verify")["intact"]?.bool == true)
        try await home.stop()
    }

    @Test(
        "no secret is in the vault file, the log, the audit or the process's environment and arguments",
        .timeLimit(.minutes(1)))
    func noSecretOutside() async throws {
        let home = try await TestHome.granted()
        let token = try await home.done("token", "hallway")["access_token"]?.string ?? ""
        #expect(token.count > 40)
        let vault = try ["vault.sqlite", "vault.sqlite-wal"].map {
            try Data(contentsOf: URL(filePath: "\(home.homePath)/\($0)"))
        }
        let pid = try home.daemon.pid
        let process = try ["cmdline", "environ"].map { try Data(contentsOf: URL(filePath: "/proc/\(pid)/\($0)")) }
        let log = Data(try home.daemon.errors.lines.joined().utf8)
        let audit = Data(try await home.keyholder("audit").output.utf8)
        for secret in [TestHome.password, token, String(token.suffix(40))] {
            for place in vault + process + [log, audit] { #expect(place.firstRange(of: Data(secret.utf8)) == nil) }
        }
        // The search finds what is there: the device's name is not encrypted.
        #expect(vault.contains { $0.firstRange(of: Data("hallway".utf8)) != nil })
        try await home.stop()
    }
}
