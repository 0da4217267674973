// What a home goes through: restarts, removals, a broker that comes and goes, an owner who takes things back.

import Foundation
import StrictJSON
import Testing

@Suite(.serialized) struct LifeTests {
    @Test(
        "taken back on the provider's page, the next command is refused", .timeLimit(.minutes(1)),
        arguments: ["front-door", "hallway"])
    func takenBack(device: String) async throws {
        let home = try await TestHome.granted()
        let browser = try await Program.run(
            "/usr/bin/env",
            [
                "python3", Places.peer("browser.py"), "take-back", "http://127.0.0.1:\(home.providerPort)/", "--person",
                TestHome.person, "--password-file", "\(home.folder)/anna.password", "--whose", device,
            ])
        #expect(browser.status == 0, "\(browser.output) \(browser.errors)")
        let refused = try await home.command(device)
        #expect(refused.status == 3)
        #expect(refused.errors.contains("hint: run 'keyholder grant request \(device)'"), "\(refused.errors)")
        // Only that one.
        #expect(try await home.command(device == "hallway" ? "front-door" : "hallway").status == 0)
        try await home.stop()
    }

    @Test("a device that restarts has a new session, and the next command reaches it", .timeLimit(.minutes(1)))
    func deviceRestart() async throws {
        let home = try await TestHome.granted()
        #expect(try await home.command("front-door").status == 0)
        let lines = try home.daemon.errors.lines.count
        try await home.device("front-door").end(SIGKILL)
        try home.startDevice("front-door")
        _ = try await home.device("front-door").output.line(with: "connected session=")
        // The hello is on its way; the hub asks for a challenge before it believes any of it.
        _ = try await home.daemon.errors.line(with: "device hello", from: lines)
        let again = try await home.command("front-door")
        #expect(again.status == 0, "\(again.errors)")
        #expect(try home.device("front-door").output.lines.contains { $0.contains("executed lock.lock ctr=1") })
        try await home.stop()
    }

    @Test(
        "a removed device loses its login, its key is revoked, and its label is never taken again",
        .timeLimit(.minutes(1)))
    func removal() async throws {
        let home = try await TestHome.granted()
        let joined = try JSON(
            parsing: try String(contentsOfFile: "\(home.folder)/front-door/joined.json", encoding: .utf8))
        let password = try joined["password"]?.string.orThrow("no password") ?? ""
        let user = try joined["username"]?.string.orThrow("no username") ?? ""
        let topic = try await home.commandTopic("front-door")
        #expect(try await home.keyholder("device", "remove", "front-door").status == 0)
        _ = try await home.device("front-door").output.line(with: "disconnected")
        // The thermostat is told that the lock's key is revoked.
        _ = try await home.device("hallway").output.line(with: "key set version=")
        let login = try await Program.run(
            "/usr/bin/mosquitto_sub",
            [
                "-V", "5", "-h", "localhost", "-p", "\(home.brokerPort)", "-u", user, "-P", password, "--cafile",
                "\(home.homePath)/broker/ca.pem", "-t", topic, "-W", "5",
            ])
        #expect(login.status != 0 && login.status != 27, "\(login.status) \(login.output) \(login.errors)")
        #expect(try await home.command("front-door").status == 8)
        let grants = try await home.done("grant", "list")["grants"]?.array ?? []
        #expect(grants.filter { $0["device"]?.string == "front-door" }.allSatisfy { $0["state"]?.string == "revoked" })
        // The thermostat still listens.
        #expect(try await home.command("hallway").status == 0)
        // The name is free, the key is not.
        try await home.device("front-door").end(SIGKILL)
        try await home.enroll("back-door", "locks/demo-lock")
        try await home.stop()
    }

    @Test("a broker that dies and comes back is found again, and commands go on", .timeLimit(.minutes(1)))
    func brokerRestart() async throws {
        let home = try await TestHome.granted()
        #expect(try await home.command("front-door").status == 0)
        try await home.killBroker()
        _ = try await home.daemon.errors.line(with: "broker disconnected")
        let refused = try await home.command("front-door")
        #expect(refused.status == 1)
        #expect(refused.errors.contains("nothing was sent"))
        let lines = try home.daemon.errors.lines.count
        let deviceLines = try home.device("front-door").output.lines.count
        try await home.startBroker()
        _ = try await home.daemon.errors.line(with: "broker connected", from: lines)
        _ = try await home.device("front-door").output.line(with: "connected session=", from: deviceLines)
        #expect(try await home.command("front-door").status == 0)
        try await home.stop()
    }

    @Test("somebody who waits for a device does not hold up the end of the daemon", .timeLimit(.minutes(1)))
    func terminationWhileWaiting() async throws {
        let home = try await TestHome.start()
        let label = try await Program.run(
            Places.program("keyholder-device"), ["init", "--dir", "\(home.folder)/d", "--profile", "locks/demo-lock"])
        try await home.done(
            "device", "enroll", "front-door", "--label", label.output.trimmed, "--out", "\(home.folder)/j")
        let waiting = try home.follow("device", "show", "front-door", "--wait", "10m", "--json")
        let daemon = try home.daemon
        // It waits once the daemon has taken its question: two questions on one socket are answered in turn.
        try await home.done("status")
        kill(daemon.pid, SIGTERM)
        #expect(try await daemon.finish().status == 0)
        #expect(!daemon.errors.lines.contains { $0.contains("took longer") })
        #expect(try await waiting.finish().status != 0)
        try await home.stop()
    }
}
