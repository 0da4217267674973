// A trouble reaches people who did not ask, over every way at once, and Home Assistant's login shows it nothing else.

import Foundation
import StrictJSON
import Testing

@Suite(.serialized) struct NoticeTests {
    /// A home with an approved thermostat that tells a program, the broker and Home Assistant.
    private func tellingHome() async throws -> (home: TestHome, told: Program) {
        let home = try await TestHome.start()
        let (script, told) = ("\(home.folder)/tell", "\(home.folder)/told")
        try "#!/bin/sh\nexec cat >> '\(told)'\n".write(toFile: script, atomically: true, encoding: .utf8)
        chmod(script, 0o700)
        try "".write(toFile: told, atomically: true, encoding: .utf8)
        let file = try FileHandle(forWritingTo: URL(filePath: "\(home.homePath)/config.yaml"))
        try file.seekToEnd()
        try file.write(
            contentsOf: Data("\nnotices:\n  command: \(script)\n  mqtt: true\n  home_assistant: true\n".utf8))
        try file.close()
        try await home.daemon.end()
        try await home.startDaemon()
        try await home.enroll("hallway", "thermostats/demo-thermostat")
        try await home.approve("hallway")
        return (home, try Program("/usr/bin/tail", ["-n", "+1", "-F", told]))
    }

    /// A client with Home Assistant's library and habits.
    private func observer(
        _ home: TestHome, _ user: String, _ passwordFile: String, _ arguments: [String] = []
    ) throws -> Program {
        try Program(
            Places.python,
            [
                "-u", Places.peer("observer.py"), "--host", "localhost", "--port", "\(home.brokerPort)", "--user", user,
                "--password-file", passwordFile, "--ca-file", "\(home.homePath)/broker/ca.pem",
            ] + arguments)
    }

    /// Makes a login and returns its user name and the file with its password.
    private func login(_ home: TestHome, _ name: String) async throws -> (user: String, file: String) {
        let file = "\(home.folder)/\(name).password"
        let made = try await home.done("broker", "login", name, "--password-file", file)["login"]
        return (try made?["user"]?.string.orThrow("no user") ?? "", file)
    }

    /// What was printed about a topic or filter: the broker's reason code.
    private func reason(_ program: Program, _ verb: String, _ topic: String) -> Int64? {
        lines(program).first { $0[verb]?.string == topic }?["reason"]?.integer
    }

    private func lines(_ program: Program) -> [JSON] { program.output.lines.compactMap { try? JSON(parsing: $0) } }

    private func takeBack(_ home: TestHome) async throws {
        let browser = try await Program.run(
            "/usr/bin/env",
            [
                "python3", Places.peer("browser.py"), "take-back", "http://127.0.0.1:\(home.providerPort)/", "--person",
                TestHome.person, "--password-file", "\(home.folder)/anna.password", "--whose", "hallway",
            ])
        #expect(browser.status == 0, "\(browser.output) \(browser.errors)")
        #expect(try await home.keyholder("token", "hallway", "--min-valid", "24h").status == 3)
    }

    @Test(
        "access that ends is told to a program, over MQTT and to Home Assistant, and so is its return",
        .timeLimit(.minutes(1)))
    func troubleAndReturn() async throws {
        let (home, told) = try await tellingHome()
        let site = try await home.done("status")["site"]?.string ?? ""
        let (user, file) = try await login(home, "home-assistant")
        let assistant = try observer(home, user, file, ["--also", "dac/v1/\(site)/hub/notice"])
        _ = try await assistant.output.line(with: "\"ready\"")
        let entity = "\"entity\": \"Keyholder Needs attention\""
        _ = try await assistant.output.line(with: entity, "OFF")
        let config = try JSON(parsing: try await assistant.output.line(with: "_attention/config"))
        #expect(config["payload"]?["device_class"]?.string == "problem")
        #expect(config["payload"]?["unique_id"]?.string == "keyholder_\(site)_attention")
        var seen = assistant.output.lines.count

        try await takeBack(home)
        let trouble = try JSON(parsing: try await assistant.output.line(with: "/hub/notice", "needs_approval"))
        let notice = trouble["payload"]?["notice"] ?? [:]
        #expect(notice["device"]?.string == "hallway")
        #expect(notice["provider"]?.string == "home")
        #expect(notice["hint"]?.string?.contains("keyholder grant request hallway") == true, "\(notice.text)")
        _ = try await assistant.output.line(with: entity, "ON", from: seen)
        let state = try JSON(parsing: try await assistant.output.line(with: "_attention/state", "needs_approval"))
        #expect(state["payload"]?["open"]?.integer == 1)
        #expect(state["payload"]?["notices"]?.array == [notice])
        #expect(try JSON(parsing: try await told.output.line(with: "needs_approval"))["notice"] == notice)

        seen = assistant.output.lines.count
        try await home.approve("hallway")
        let end = try JSON(parsing: try await assistant.output.line(with: "/hub/notice", "well_again", from: seen))
        #expect(end["payload"]?["notice"]?["device"]?.string == "hallway")
        _ = try await assistant.output.line(with: entity, "OFF", from: seen)
        #expect(try JSON(parsing: try await told.output.line(with: "well_again")) == end["payload"])
        // Each once, and nothing beside them.
        let heard = lines(assistant).filter { $0["topic"]?.string == "dac/v1/\(site)/hub/notice" }
        #expect(heard.count == 2)
        #expect(told.output.lines.count == 2)
        let listed = try await home.done("notice", "list")["notices"]?.array ?? []
        #expect(listed.compactMap { $0["seq"] } == heard.compactMap { $0["payload"]?["notice"]?["seq"] })
        for program in [assistant, told] { try await program.end() }
        try await home.stop()
    }

    @Test(
        "an observer reads nothing of a device and writes nothing but that it is there, and a device no notice",
        .timeLimit(.minutes(1)))
    func nothingElse() async throws {
        let home = try await TestHome.granted()
        let command = try await home.commandTopic("front-door")
        let device = String(command.dropLast("/cmd".count))
        let site = String(device[..<(device.lastIndex(of: "/") ?? device.endIndex)])
        let notices = "\(site)/hub/notice"
        let reads = [
            "#", "+/#", "dac/#", "\(site)/#", "\(site)/+/notice", "\(site)/+/ack", command, "\(device)/ack",
            "\(device)/state", "\(device)/hello", "\(site)/keys", "$CONTROL/#", "$SYS/#",
            "$CONTROL/dynamic-security/v1/response", "$share/all/#", "$share/all/\(device)/ack",
        ]
        let writes = [
            command, "\(device)/ack", "\(site)/keys", notices, "$CONTROL/dynamic-security/v1",
            "homeassistant/binary_sensor/front-door/config",
        ]
        let (user, file) = try await login(home, "one")
        let also = (reads + [notices, "homeassistant/#"]).flatMap { ["--also", $0] }
        let one = try observer(
            home, user, file,
            also + (writes + ["homeassistant/status"]).flatMap { ["--try", $0] } + ["--without-will"])
        _ = try await one.output.line(with: "\"ready\"")
        for filter in reads { #expect(reason(one, "subscribed", filter) ?? 0 >= 0x80, "\(filter)") }
        for topic in writes { #expect(reason(one, "published", topic) == 0x87, "\(topic)") }
        for filter in [notices, "homeassistant/#"] { #expect(reason(one, "subscribed", filter) == 1, "\(filter)") }
        #expect(reason(one, "published", "homeassistant/status") ?? 255 < 0x80)

        let seen = one.output.lines.count
        #expect(try await home.command("front-door").status == 0)
        // Whatever the broker would have passed on arrives before what it passes on next.
        let (next, nextFile) = try await login(home, "two")
        let two = try observer(home, next, nextFile)
        _ = try await one.output.line(with: "homeassistant/status", "online", from: seen)
        #expect(!one.output.lines.contains { $0.contains("\"topic\": \"dac/") })

        // The device's own login, while the device is not there.
        try await home.device("front-door").end()
        let joined = try JSON(
            parsing: try String(contentsOfFile: "\(home.folder)/front-door/joined.json", encoding: .utf8))
        let lock = try observer(
            home, try joined["username"]?.string.orThrow("no username") ?? "",
            try home.privateFile("lock", try joined["password"]?.string.orThrow("no password") ?? ""),
            ["--without-will", "--try", "homeassistant/status", "--try", notices, "--also", notices, "--also", command])
        _ = try await lock.output.line(with: "\"ready\"")
        #expect(reason(lock, "subscribed", command) == 1)
        for filter in [notices, "homeassistant/+/+/+/config"] {
            #expect(reason(lock, "subscribed", filter) == 0x87, "\(filter)")
        }
        for topic in [notices, "homeassistant/status"] { #expect(reason(lock, "published", topic) == 0x87, "\(topic)") }
        for program in [one, two, lock] { try await program.end() }
        try await home.stop()
    }

    @Test("a login outlives the broker's restart and ends with its removal", .timeLimit(.minutes(1)))
    func life() async throws {
        let home = try await TestHome.start()
        let (user, file) = try await login(home, "home-assistant")
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        let password = try String(contentsOfFile: file, encoding: .utf8)
        #expect(password.utf8.count == 32)
        let listed = try await home.done("broker", "list")["logins"]?.array ?? []
        #expect(listed.map { $0["name"]?.string } == ["home-assistant"])
        #expect(listed.first?["user"]?.string == user)
        #expect(listed.first?["host"]?.string == "localhost")
        #expect(listed.first?["port"]?.integer == Int64(home.brokerPort))
        #expect(listed.first?["ca_file"]?.string == "\(home.homePath)/broker/ca.pem")

        let assistant = try observer(home, user, file)
        _ = try await assistant.output.line(with: "\"ready\"")
        var seen = assistant.output.lines.count
        var told = try home.daemon.errors.lines.count
        try await home.killBroker()
        _ = try await home.daemon.errors.line(with: "broker disconnected", from: told)
        let absent = try await home.keyholder("broker", "login", "late", "--password-file", "\(home.folder)/late")
        #expect(absent.status == 1 && absent.errors.contains("the broker is not connected"), "\(absent.errors)")
        #expect(!FileManager.default.fileExists(atPath: "\(home.folder)/late"))
        told = try home.daemon.errors.lines.count
        try await home.startBroker()
        _ = try await home.daemon.errors.line(with: "broker connected", from: told)
        _ = try await assistant.output.line(with: "\"ready\"", from: seen)
        #expect(try await home.done("broker", "list")["logins"]?.array == listed)

        seen = assistant.output.lines.count
        #expect(try await home.keyholder("broker", "remove", "home-assistant").status == 0)
        _ = try await assistant.output.line(with: "\"disconnected\"", from: seen)
        // Back at once, as its library does: 0x87, or 0x86, whichever the broker finds fitting.
        let back = try JSON(parsing: try await assistant.output.line(with: "\"connected\"", from: seen))
        #expect(back["connected"]?.integer ?? 0 >= 0x80)
        #expect(try await home.done("broker", "list")["logins"]?.array == [])
        let audit = try await home.audit().filter { $0["action"]?.string?.hasPrefix("broker.") == true }
        #expect(audit.map { $0["action"]?.string } == ["broker.login", "broker.remove"])
        #expect(audit.allSatisfy { $0["subject"]?.string == "home-assistant" })
        // Shown once.
        #expect(try !home.daemon.errors.lines.contains { $0.contains(password) })
        #expect(!audit.contains { $0.text.contains(password) })
        try await assistant.end()
        try await home.stop()
    }

    @Test("a login that cannot be made or handed out is not made, and says why", .timeLimit(.minutes(1)))
    func refused() async throws {
        let home = try await TestHome.start()
        let kept = try home.privateFile("kept", "somebody's")
        let (new, other) = ("\(home.folder)/new", "\(home.folder)/other")
        try await home.done("broker", "login", "kitchen", "--password-file", other)
        let cases: [(arguments: [String], code: Int32, says: String)] = [
            (["login", "tv"], 2, "nowhere to put the login's password"),
            (["login", "tv", "--reveal"], 2, "nowhere to put the login's password"),
            (["login", "tv", "--password-file", kept], 2, "there already is a file"),
            (["login", "tv", "--password-file", "/nowhere/file"], 2, "cannot create file"),
            (["login", "T V", "--password-file", new], 2, "login name \"T V\" is not allowed"),
            (["login", "tv.hub", "--password-file", new], 2, "is not allowed"),
            (["login", "kitchen", "--password-file", new], 1, "there already is a broker login \"kitchen\""),
            (["remove", "tv"], 8, "there is no broker login \"tv\""),
            (["remove", "hub"], 8, "no broker login \"hub\""),
        ]
        func check(_ arguments: [String], _ code: Int32, _ says: String) async throws {
            let run = try await Program.run(
                Places.program("keyholder"), ["broker"] + arguments, environment: ["KEYHOLDER_HOME": home.homePath])
            #expect(run.status == code, "\(arguments): \(run.status) \(run.output) \(run.errors)")
            #expect(run.errors.contains(says), "\(arguments): \(run.errors)")
            #expect(!FileManager.default.fileExists(atPath: new), "\(arguments)")
        }
        for (arguments, code, says) in cases { try await check(arguments, code, says) }
        #expect(try String(contentsOfFile: kept, encoding: .utf8) == "somebody's")
        #expect(try await home.keyholder("seal").status == 0)
        for arguments in [["login", "tv", "--password-file", new], ["remove", "kitchen"]] {
            try await check(arguments, 7, "the vault is sealed")
        }
        #expect(try await home.keyholder("broker", "list").output == "kitchen  observer.kitchen")
        let told = try home.daemon.errors.lines.count
        try await home.killBroker()
        _ = try await home.daemon.errors.line(with: "broker disconnected", from: told)
        try await check(["list"], 7, "the vault is sealed")
        let gone = try home.daemon.errors.lines.count
        try await home.startBroker()
        _ = try await home.daemon.errors.line(with: "broker connected", from: gone)
        #expect(try await home.keyholder("unseal").status == 0)
        let listed = try await home.done("broker", "list")["logins"]?.array ?? []
        #expect(listed.map { $0["name"]?.string } == ["kitchen"])
        try await home.stop()
    }
}
