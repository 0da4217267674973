// The agent as a consumer of a provider that offers every flow: the home's own, described as if it were a vendor's.

import Foundation
import StrictJSON
import Testing

@Suite(.serialized) struct ConsumerFlowTests {
    private static func profile(of home: TestHome, _ more: String = "") -> String {
        let base = "http://127.0.0.1:\(home.providerPort)"
        return """
            provider: vendor
            title: A vendor
            hosts: ["127.0.0.1"]
            scope_format: "{operation}@{device}"
            validation_endpoint: \(base)/api/v1/devices
            verified: false
            doubts:
              - whether anybody uses it
            revocation_page: https://vendor.example/apps
            protocol: oauth2
            oauth2:
              authorization_endpoint: \(base)/oauth2/authorize
              token_endpoint: \(base)/oauth2/token
              device_authorization_endpoint: \(base)/oauth2/device_authorization
              client_authentication: basic
              rotation: strict
              default_lifetime: 10m
            \(more)
            """
    }

    /// A home with a thermostat, and an app of it that the agent is.
    private static func home() async throws -> TestHome {
        let home = try await TestHome.start()
        try await home.enroll("hallway", "thermostats/demo-thermostat")
        let app = try await home.done(
            "app", "add", "Vendor", "--redirect", "http://127.0.0.1:\(home.redirectPort)/callback/vendor", "--scope",
            "climate.set@hallway", "--grant-type", "authorization_code", "--grant-type", "device_code", "--grant-type",
            "refresh_token", "--secret-file", "\(home.folder)/app.secret")
        try profile(of: home).write(toFile: "\(home.folder)/vendor.yaml", atomically: true, encoding: .utf8)
        try await home.done("provider", "add", "\(home.folder)/vendor.yaml")
        try await home.done(
            "consumer", "add", "vendor", "--key", try app["app"]?["key"]?.string.orThrow("no key") ?? "",
            "--secret-file", "\(home.folder)/app.secret")
        return home
    }

    @Test("a device code that is approved on another device becomes a grant that works", .timeLimit(.minutes(1)))
    func deviceCode() async throws {
        let home = try await Self.home()
        let asked = try await home.done(
            "grant", "request", "hallway", "--provider", "vendor", "--flow", "device", "--scope", "climate.set")
        #expect(asked["grant"]?["state"]?.string == "pending" && asked["grant"]?["flow"]?.string == "device")
        #expect(asked["user_code"]?.string?.isEmpty == false)
        #expect(asked["interval"]?.integer != nil && asked["expires_at"]?.string != nil)
        #expect(asked["authorize_url"] == nil)
        try await home.browse(try asked["verification_uri_complete"]?.string.orThrow("no page") ?? "")
        let shown = try await home.done("grant", "show", "hallway", "--wait", "40s")
        #expect(shown["grant"]?["state"]?.string == "active", "\(shown.text)")
        #expect(try await home.done("command", "hallway", "climate.set", "t_mC=21000")["outcome"]?.string == "executed")
        // A provider whose rotation can cost a grant is named.
        let status = try await home.done("status")
        #expect(status["strict"] == [["device": "hallway", "provider": "vendor"]], "\(status.text)")
        #expect(try await home.keyholder("status").output.contains("may cost a grant: hallway (vendor)"))
        try await home.stop()
    }

    @Test("who stops waiting for an approval leaves the request as it is", .timeLimit(.minutes(1)))
    func interrupted() async throws {
        let home = try await Self.home()
        let waiting = try home.follow(
            "grant", "request", "hallway", "--provider", "vendor", "--flow", "device", "--wait", "10m")
        _ = try await waiting.output.line(with: "it is good for")
        try await waiting.end(SIGINT)
        let shown = try await home.done("grant", "show", "hallway")
        #expect(shown["grant"]?["state"]?.string == "pending", "\(shown.text)")
        try await home.stop()
    }

    @Test("a provider is shown with its rotation in words, its doubts and its profile", .timeLimit(.minutes(1)))
    func shown() async throws {
        let home = try await Self.home()
        let words = try await home.keyholder("provider", "show", "vendor").output
        for says in [
            "a replaced one is dead at once", "whether anybody uses it", "no: nobody has tried",
            "take grants back by hand on https://vendor.example/apps", "redirect, device",
        ] {
            #expect(words.contains(says), "\(says) not in \(words)")
        }
        #expect(
            try await home.keyholder("provider", "show", "vendor", "--yaml").output == Self.profile(of: home).trimmed)
        let json = try await home.done("provider", "show", "vendor")["provider"]
        #expect(json?["rotation"]?.string == "strict" && json?["verified"]?.bool == false)
        #expect(json?["flows"]?.strings == ["redirect", "device"])
        try await home.stop()
    }

    @Test("a new secret keeps the grants, and the log says that it came", .timeLimit(.minutes(1)))
    func rotation() async throws {
        let home = try await Self.home()
        let before = try await home.done("consumer", "list")["consumers"]?.array?.first { $0["device"] == nil }
        let secret = try home.privateFile("new.secret", "another secret\n")
        #expect(try await home.keyholder("consumer", "rotate", "vendor", "--secret-file", secret).status == 0)
        let after = try await home.done("consumer", "list")["consumers"]?.array?.first { $0["device"] == nil }
        #expect(before == after && before != nil)
        let log = try await home.audit()
        #expect(log.contains { $0["action"]?.string == "consumer.rotate" })
        #expect(!log.contains { $0.text.contains("another secret") })
        try await home.stop()
    }

    @Test("an issuer's metadata becomes a profile that can be kept", .timeLimit(.minutes(1)))
    func discovery() async throws {
        let home = try await Self.home()
        let issuer = "http://127.0.0.1:\(home.providerPort)"
        let read = try await home.keyholder("provider", "discover", issuer, "--name", "found")
        #expect(read.status == 0, "\(read.errors)")
        #expect(read.output.contains("token_endpoint: ") && read.errors.contains("nothing was kept"), "\(read.output)")
        #expect(try await home.keyholder("provider", "show", "found").status == 8)
        let kept = try await home.keyholder("provider", "discover", issuer, "--name", "found", "--add")
        #expect(kept.status == 0 && kept.errors.contains("doubt: "), "\(kept.errors)")
        #expect(try await home.keyholder("provider", "show", "found", "--yaml").output == kept.output)
        let down = try await home.keyholder("provider", "discover", "http://127.0.0.1:1", "--name", "down")
        #expect(down.status == 9, "\(down.status) \(down.errors)")
        try await home.stop()
    }
}
