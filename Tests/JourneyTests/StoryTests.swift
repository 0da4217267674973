// The story of the README, point by point, each with what must not happen.

import Foundation
import StrictJSON
import Testing

@Suite(.serialized) struct StoryTests {
    @Test(
        "1: a device is enrolled by a signed round trip, after probes with its login on a neighbour's topics failed",
        .timeLimit(.minutes(1)))
    func enrolment() async throws {
        let home = try await TestHome.furnished()
        let devices = try await home.done("device", "list")["devices"]?.array ?? []
        #expect(devices.map { $0["state"]?.string } == ["enrolled", "enrolled"])
        let enrolments = try await home.audit().filter { $0["action"]?.string == "device.enroll" }
        #expect(enrolments.map { $0["outcome"]?.string } == ["enrolling", "enrolled", "enrolling", "enrolled"])
        #expect(enrolments[0]["detail"]?["probes"]?.string == "refused as they must be")
        // The ping is a command like any other: the device logged that it executed it.
        #expect(try home.device("front-door").output.lines.contains { $0.contains("executed dac.ping ctr=1") })
        try await home.stop()
    }

    @Test("1: a label can be used once; its device cannot come in under a second name", .timeLimit(.minutes(1)))
    func labelOnce() async throws {
        let home = try await TestHome.start()
        let label = try await Program.run(
            Places.program("keyholder-device"), ["init", "--dir", "\(home.folder)/d", "--profile", "locks/demo-lock"])
        try await home.done(
            "device", "enroll", "front-door", "--label", label.output.trimmed, "--out", "\(home.folder)/j")
        let again = try await home.keyholder("device", "enroll", "back-door", "--label", label.output.trimmed)
        #expect(again.status == 1)
        #expect(again.errors.contains("the key on this label is enrolled already"))
        #expect(try await home.done("device", "list")["devices"]?.array?.count == 1)
        try await home.stop()
    }

    @Test("2: without a grant the hub refuses with exit code 3 and says what to do", .timeLimit(.minutes(1)))
    func refusedWithoutGrant() async throws {
        let home = try await TestHome.furnished()
        let refused = try await home.keyholder("command", "front-door", "lock.lock")
        #expect(refused.status == 3)
        #expect(refused.errors.contains("error: no grant for device \"front-door\""))
        #expect(refused.errors.contains("hint: run 'keyholder grant request front-door'"))
        let last = try await home.audit().last
        #expect(last?["action"]?.string == "command")
        #expect(last?["outcome"]?.string == "refused")
        #expect(try home.device("front-door").output.lines.contains { $0.contains("lock.lock") } == false)
        try await home.stop()
    }

    @Test(
        "3 and 4: granted over OAuth 1.0a and OAuth 2, commands are executed and proven by receipts",
        .timeLimit(.minutes(1)))
    func grantedAndExecuted() async throws {
        let home = try await TestHome.granted()
        let grants = try await home.done("grant", "list")["grants"]?.array ?? []
        #expect(Set(grants.compactMap { $0["provider"]?.string }) == ["home", "home-oauth1"])
        #expect(grants.allSatisfy { $0["state"]?.string == "active" })

        let unlocked = try await home.done("command", "front-door", "lock.unlock")
        #expect(unlocked["outcome"]?.string == "executed")
        #expect(unlocked["result"]?["lock"]?.string == "unlocked")
        #expect(unlocked["receipt"]?["jws"]?.string?.split(separator: ".").count == 3)
        let locked = try await home.done("command", "front-door", "lock.lock")
        #expect(locked["result"]?["lock"]?.string == "locked")
        let set = try await home.done("command", "hallway", "climate.set", "t_mC=21500", "mode=auto")
        #expect(set["result"]?["target_mC"]?.integer == 21500)
        #expect(set["result"]?["mode"]?.string == "auto")

        let text = try await home.keyholder("command", "front-door", "lock.lock")
        #expect(text.status == 0)
        #expect(text.output.contains("front-door: lock.lock executed"))
        #expect(text.output.contains("signed by key"))
        try await home.stop()
    }

    @Test(
        "3: an owner who says no leaves no grant behind", .timeLimit(.minutes(1)), arguments: ["front-door", "hallway"])
    func denied(device: String) async throws {
        let home = try await TestHome.furnished()
        try await home.approve(device, decision: "deny")
        #expect(try await home.done("grant", "show", device)["grant"]?["state"]?.string == "denied")
        #expect(try await home.command(device).status == 3)
        try await home.stop()
    }

    @Test("3: a PIN from the page finishes an out-of-band request, once", .timeLimit(.minutes(1)))
    func outOfBand() async throws {
        let home = try await TestHome.furnished()
        let asked = try await home.done("grant", "request", "front-door", "--flow", "oob")
        let page = try await home.browse(try asked["authorize_url"]?.string.orThrow("no URL") ?? "")
        let pin = try page["pin"]?.string.orThrow("no PIN on the page: \(page.text)") ?? ""
        let wrong = try await home.keyholder("grant", "finish", "front-door", "--verifier", "wrong" + pin)
        #expect(wrong.status != 0)
        #expect(try await home.done("grant", "show", "front-door")["grant"]?["state"]?.string != "active")
        try await home.stop()
    }

    @Test("3: the right PIN makes the grant active", .timeLimit(.minutes(1)))
    func outOfBandFinished() async throws {
        let home = try await TestHome.furnished()
        let asked = try await home.done("grant", "request", "front-door", "--flow", "oob")
        let page = try await home.browse(try asked["authorize_url"]?.string.orThrow("no URL") ?? "")
        let pin = try page["pin"]?.string.orThrow("no PIN on the page: \(page.text)") ?? ""
        #expect(
            try await home.done("grant", "finish", "front-door", "--verifier", pin)["grant"]?["state"]?.string
                == "active")
        #expect(try await home.done("command", "front-door", "lock.lock")["outcome"]?.string == "executed")
        #expect(try await home.keyholder("grant", "finish", "front-door", "--verifier", pin).status != 0)
        try await home.stop()
    }

    @Test(
        "5: tampered, replayed and redirected copies of a real command move nothing and are written down",
        .timeLimit(.minutes(1)))
    func attacks() async throws {
        let home = try await TestHome.granted()
        let topic = try await home.commandTopic("front-door")
        let other = try await home.commandTopic("hallway")
        let recorder = try home.intruder("mosquitto_sub", "-d", "-t", topic, "-C", "1", "-q", "1")
        _ = try await recorder.output.line(with: "Subscribed")
        try await home.done("command", "front-door", "lock.unlock")
        let unlock = try await recorder.output.line(with: "eyJhbGciOi")
        try await home.done("command", "front-door", "lock.lock")
        let lock = try home.device("front-door")
        let thermostat = try home.device("hallway")

        try await put(unlock, on: topic, home)
        _ = try await lock.output.line(with: "rejected E_CTR")
        let dot = try unlock.lastIndex(of: ".").orThrow("not a JWS")
        let forged = unlock[..<dot] + "." + String(repeating: "A", count: 86)
        try await put(String(forged), on: topic, home)
        _ = try await lock.output.line(with: "rejected E_SIG")
        try await put(unlock, on: other, home)
        _ = try await thermostat.output.line(with: "rejected E_AUD")

        let shown = try await home.done("device", "show", "front-door")
        #expect(shown["device"]?["signed"]?["state"]?["lock"]?.string == "locked")
        #expect(lock.output.lines.count { $0.contains("executed lock.unlock") } == 1)

        // The hub sees them too; each is in the log with what it was.
        let follower = try home.follow("audit", "--follow", "--json")
        _ = try await follower.output.line(with: "wire.foreign", "not sent by this hub", topic)
        _ = try await follower.output.line(with: "wire.foreign", "a copy of command", topic)
        _ = try await follower.output.line(with: "wire.foreign", "a copy of command", other)
        // What the lock made of the replay is its own signed word.
        _ = try await follower.output.line(with: "device.rejected", "front-door", "E_CTR")
        try await follower.end()

        // And the lock still listens to its owner.
        #expect(try await home.done("command", "front-door", "lock.lock")["outcome"]?.string == "executed")
        try await home.stop()
    }

    @Test("5: a setpoint out of range is refused before anything is sent", .timeLimit(.minutes(1)))
    func outOfRange() async throws {
        let home = try await TestHome.granted()
        let refused = try await home.keyholder("command", "hallway", "climate.set", "t_mC=99000")
        #expect(refused.status == 2)
        #expect(refused.errors.contains("t_mC is \"99000\", allowed is an integer from 5000 to 35000"))
        #expect(try home.device("hallway").output.lines.contains { $0.contains("climate.set") } == false)
        try await home.stop()
    }

    @Test(
        "6: short-lived tokens are refreshed, and a killed daemon goes on without a new approval",
        .timeLimit(.minutes(1)))
    func refreshAndCrash() async throws {
        let home = try await TestHome.granted(tokenLifetime: "4s")
        let follower = try home.follow("audit", "--follow", "--json")
        for _ in 0..<2 {
            _ = try await follower.output.line(
                with: "\"token.refresh\"", "\"refreshed\"", from: follower.output.lines.count)
            #expect(
                try await home.done("command", "hallway", "climate.set", "t_mC=20500")["outcome"]?.string == "executed")
        }
        let before = try await home.done("grant", "show", "hallway")["grant"]?["generation"]?.integer ?? 0
        #expect(before >= 3)
        try await home.daemon.end(SIGKILL)
        try await home.startDaemon()
        #expect(try await home.done("command", "hallway", "climate.set", "t_mC=19000")["outcome"]?.string == "executed")
        #expect(try await home.done("command", "front-door", "lock.unlock")["outcome"]?.string == "executed")
        let after = try await home.done("grant", "show", "hallway")["grant"]
        #expect(after?["state"]?.string == "active")
        #expect((after?["generation"]?.integer ?? 0) >= before)
        #expect(try await home.done("audit", "verify")["intact"]?.bool == true)
        try await home.stop()
    }

    @Test(
        "7: after a revocation the next command is refused, and the log tells everything in order and verifies",
        .timeLimit(.minutes(1)))
    func revoked() async throws {
        let home = try await TestHome.granted()
        try await home.done("command", "front-door", "lock.unlock")
        try await home.done("grant", "revoke", "front-door")
        let refused = try await home.keyholder("command", "front-door", "lock.lock")
        #expect(refused.status == 3)
        #expect(refused.errors.contains("revoked"))
        // The other grant is untouched.
        #expect(try await home.done("command", "hallway", "climate.set", "t_mC=20000")["outcome"]?.string == "executed")
        let told = try await home.audit().filter {
            $0["subject"]?.string == "front-door" || $0["action"]?.string == "command"
        }
        .compactMap { entry in entry["action"]?.string.map { "\($0) \(entry["outcome"]?.string ?? "")" } }
        let expected = [
            "device.enroll enrolled", "command executed", "grant.revoke revoked", "command refused", "command executed",
        ]
        var rest = told[...]
        for line in expected {
            let place = try rest.firstIndex(of: line).orThrow("no \"\(line)\" in order in \(told)")
            rest = rest[(place + 1)...]
        }
        #expect(try await home.done("audit", "verify")["intact"]?.bool == true)
        try await home.stop()
    }

    private func put(_ message: String, on topic: String, _ home: TestHome) async throws {
        let sent = try await home.intruder("mosquitto_pub", "-q", "1", "-t", topic, "-s", input: message).finish()
        #expect(sent.status == 0, "\(sent.errors)")
    }
}
