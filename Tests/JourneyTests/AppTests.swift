// What an app was granted it does over HTTP, and has the device's own signature for it; nothing else, no longer than
// that, and not in a circle.

import Foundation
import Sealing
import StrictJSON
import Testing

@Suite(.serialized) struct AppTests {
    private static let warm = "{\"op\":\"climate.set\",\"args\":{\"t_mC\":21500}}"
    private static let commands = "/api/v1/devices/hallway/commands"

    @Test(
        "an app does what it was granted on the device it was granted, gets the signed receipt, and nothing else",
        .timeLimit(.minutes(1)), arguments: ["oauth1", "oauth2"])
    func granted(spoken: String) async throws {
        let home = try await TestHome.granted()
        try await home.enroll("back-door", "locks/demo-lock")
        let app = try await AppClient.register(
            at: home, spoken, scopes: ["climate.set@hallway", "lock.lock@front-door"])
        try await app.isAllowed()
        let topic = try await home.commandTopic("hallway")
        let recorder = try home.intruder("mosquitto_sub", "-d", "-t", topic, "-C", "1", "-q", "1")
        _ = try await recorder.output.line(with: "Subscribed")

        let done = try await app.ask("POST", Self.commands, body: Self.warm)
        #expect(done["status"]?.integer == 200, "\(done.text)")
        #expect(done["body"]?["outcome"]?.string == "executed")
        #expect(done["body"]?["result"]?["target_mC"]?.integer == 21500)
        #expect(done["body"]?["receipt"]?["jws"]?.string?.split(separator: ".").count == 3)
        // The device is told on whose word, and on which token.
        let told = try claims(of: try await recorder.output.line(with: "eyJhbGciOi"))
        #expect(told["sub"]?.string == "app:\(app.key)")
        let token = HashFunction.sha256.digest(Array(try app.token().utf8))
        #expect(told["ath"]?.string == Base64.encode(token, as: .url))
        let entry = try await home.audit().last { $0["action"]?.string == "command" }
        #expect(entry?["actor"]?.string == "app:\(app.key)")
        #expect(entry?["outcome"]?.string == "executed")
        #expect(entry?["detail"]?["app_grant"]?.string?.isEmpty == false)

        let before = try await executed(home)
        let refused: [(device: String, body: String, status: Int64, says: String)] = [
            ("front-door", "{\"op\":\"lock.unlock\"}", 403, "owner has to allow"),
            ("front-door", "{\"op\":\"dac.ping\"}", 403, "owner has to allow"),
            ("back-door", "{\"op\":\"lock.lock\"}", 404, "no device of that id or name"),
            ("attic", "{\"op\":\"lock.lock\"}", 404, "no device of that id or name"),
            ("hallway", "{\"op\":\"climate.set\",\"args\":{\"t_mC\":99000}}", 400, "an integer from 5000 to 35000"),
            ("hallway", "{\"op\":\"climate.set\",\"args\":{\"t_mC\":21500.5}}", 400, "an integer from 5000 to 35000"),
            ("hallway", "{\"op\":\"climate.set\",\"args\":{}}", 400, "needs the argument t_mC"),
            ("hallway", "{\"op\":\"climate.set\",\"args\":{\"t_mC\":21000},\"force\":true}", 400, "force"),
            ("hallway", "{\"op\":\"climate.set\",\"args\":{\"t_mC\":21000},\"timeout\":61}", 400, "from 1 to 60"),
            ("hallway", "{\"op\":\"climate.set\",\"op\":\"climate.set\"}", 400, "op"),
            ("hallway", "{", 400, "the request is"),
        ]
        for (device, body, status, says) in refused {
            let reply = try await app.ask("POST", "/api/v1/devices/\(device)/commands", body: body)
            #expect(reply["status"]?.integer == status, "\(body): \(reply.text)")
            #expect(reply["type"]?.string == "application/problem+json", "\(body): \(reply.text)")
            #expect(reply["body"]?["detail"]?.string?.contains(says) == true, "\(body): \(reply.text)")
            #expect(status != 400 || reply["body"]?["code"]?.string == "usage", "\(body): \(reply.text)")
        }
        #expect(try await executed(home) == before)
        try await home.stop()
    }

    @Test("the hub's own grant must hold too: the app acts through the agent", .timeLimit(.minutes(1)))
    func throughTheAgent() async throws {
        let home = try await TestHome.furnished()
        let app = try await AppClient.register(at: home, "oauth2", scopes: ["climate.set@hallway"])
        try await app.isAllowed()
        let refused = try await app.ask("POST", Self.commands, body: Self.warm)
        #expect(refused["status"]?.integer == 403)
        #expect(refused["body"]?["code"]?.string == "not_authorised", "\(refused.text)")
        #expect(refused["body"]?["hint"]?.string?.isEmpty == false)
        let entry = try await home.audit().last
        #expect(entry?["actor"]?.string == "app:\(app.key)")
        #expect(entry?["outcome"]?.string == "refused")
        try await home.approve("hallway")
        #expect(try await app.ask("POST", Self.commands, body: Self.warm)["status"]?.integer == 200)
        try await home.stop()
    }

    @Test(
        "an app whose access is taken back is refused with its next request", .timeLimit(.minutes(1)),
        arguments: ["oauth1", "oauth2"])
    func takenBack(spoken: String) async throws {
        let home = try await TestHome.granted()
        let app = try await AppClient.register(at: home, spoken, scopes: ["climate.set@hallway"])
        try await app.isAllowed()
        #expect(try await app.ask("POST", Self.commands, body: Self.warm)["status"]?.integer == 200)
        try await app.isTakenBack()
        let before = try await executed(home)
        #expect(try await app.ask("POST", Self.commands, body: Self.warm)["status"]?.integer == 401)
        #expect(try await app.ask("GET", "/api/v1/devices")["status"]?.integer == 401)
        #expect(try await executed(home) == before)
        // The agent's own grant is another one.
        #expect(try await home.command("hallway").status == 0)
        try await home.stop()
    }

    @Test("an access that ends while the device is asked for its challenge ends the command", .timeLimit(.minutes(1)))
    func takenBackMeanwhile() async throws {
        let home = try await TestHome.granted()
        let app = try await AppClient.register(at: home, "oauth2", scopes: ["lock.unlock@front-door"])
        try await app.isAllowed()
        let topic = try await home.commandTopic("front-door").replacing("/cmd", with: "/chal")
        let recorder = try home.intruder("mosquitto_sub", "-d", "-t", topic, "-C", "1", "-q", "1")
        _ = try await recorder.output.line(with: "Subscribed")
        let lock = try home.device("front-door")
        // A device that does not hear the question until the answer has changed.
        kill(lock.pid, SIGSTOP)
        let asking = try app.asking("POST", "/api/v1/devices/front-door/commands", body: "{\"op\":\"lock.unlock\"}")
        _ = try await recorder.output.line(with: "eyJhbGciOi")
        try await app.isTakenBack()
        kill(lock.pid, SIGCONT)
        let reply = try AppClient.reply(try await asking.finish())
        #expect(reply["status"]?.integer == 403, "\(reply.text)")
        #expect(reply["body"]?["detail"]?.string == "the access of app:\(app.key) ended meanwhile", "\(reply.text)")
        #expect(!lock.output.lines.contains { $0.contains("executed lock.unlock") })
        try await home.stop()
    }

    @Test(
        "an OAuth 1.0a command is signed whole and good once: no body hash, another body, a replay, another signature",
        .timeLimit(.minutes(1)))
    func signedWhole() async throws {
        let home = try await TestHome.granted()
        let app = try await AppClient.register(at: home, "oauth1", scopes: ["climate.set@hallway"])
        try await app.isAllowed()
        let before = try await executed(home)
        let bare = try await app.ask("POST", Self.commands, body: Self.warm, "--no-body-hash")
        #expect(bare["status"]?.integer == 400)
        #expect(bare["body"]?.string?.contains("oauth_parameters_absent=oauth_body_hash") == true, "\(bare.text)")
        let hot = Self.warm.replacing("21500", with: "30000")
        let changed = try await app.ask("POST", Self.commands, body: Self.warm, "--change-body-to", hot)
        #expect(changed["status"]?.integer == 401, "\(changed.text)")
        #expect(changed["challenge"]?.string?.contains("signature_invalid") == true, "\(changed.text)")
        let forged = try await app.ask("POST", Self.commands, body: Self.warm, "--spoil")
        #expect(forged["status"]?.integer == 401)
        #expect(try await executed(home) == before)
        let twice = try await app.replies("POST", Self.commands, body: Self.warm, "--times", "2")
        #expect(twice.map { $0["status"]?.integer } == [200, 401])
        #expect(twice.last?["challenge"]?.string?.contains("nonce_used") == true, "\(twice)")
        #expect(try await executed(home) == before + 1)
        try await home.stop()
    }

    @Test("an app that asks in a circle is told to wait; failures in its name cost it nothing", .timeLimit(.minutes(1)))
    func tooOften() async throws {
        let home = try await TestHome.granted()
        let app = try await AppClient.register(at: home, "oauth1", scopes: ["climate.set@hallway"])
        try await app.isAllowed()
        let other = try await AppClient.register(at: home, "oauth2", scopes: ["climate.set@hallway"], name: "Other")
        try await other.isAllowed()
        let forged = try await app.replies("POST", Self.commands, body: Self.warm, "--spoil", "--times", "40")
        #expect(forged.allSatisfy { $0["status"]?.integer == 401 })
        #expect(try await app.ask("POST", Self.commands, body: Self.warm)["status"]?.integer == 200)

        let before = try await executed(home)
        let replies = try await other.replies("POST", Self.commands, body: Self.warm, "--times", "60")
        let statuses = replies.compactMap { $0["status"]?.integer }
        #expect(statuses.prefix(20).allSatisfy { $0 == 200 }, "\(statuses)")
        #expect(Set(statuses) == [200, 429], "\(statuses)")
        for reply in replies where reply["status"]?.integer == 429 {
            #expect((reply["retry_after"]?.string.flatMap { Int($0) } ?? 0) >= 1)
            #expect(reply["type"]?.string == "application/problem+json")
        }
        #expect(try await executed(home) == before + statuses.count { $0 == 200 })
        // Looking is counted apart, and so is everybody else.
        #expect(try await other.ask("GET", "/api/v1/devices")["status"]?.integer == 200)
        #expect(try await app.ask("POST", Self.commands, body: Self.warm)["status"]?.integer == 200)
        try await home.stop()
    }

    /// The claims of a command on the wire.
    private func claims(of command: String) throws -> JSON {
        let payload = command.split(separator: ".", omittingEmptySubsequences: false)
        return try JSON(parsing: try Base64.decode(payload[1].utf8, as: .url).orThrow("no payload in \(command)"))
    }

    /// How many commands devices have executed.
    private func executed(_ home: TestHome) async throws -> Int {
        try await home.audit().count { $0["action"]?.string == "command" && $0["outcome"]?.string == "executed" }
    }
}
