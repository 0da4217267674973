// The hub loses power with the provider's answer in its hands. Whether that costs the grant is for the provider to say:
// one that repeats itself for a while costs nothing, a strict one costs this grant, and the owner is told.

import Foundation
import StrictJSON
import Testing

@Suite(.serialized) struct ProviderPeerCrashTests {
    @Test(
        "within Django OAuth Toolkit's grace the lost answer comes once more, and the grant lives",
        .timeLimit(.minutes(1)))
    func grace() async throws {
        let home = try await TestHome.start()
        try await home.shelve("front-door")
        let peer = try await Self.django(at: home, "rotation: grace\nrotation_grace: 60s", "--grace", "60")
        let doomed = try await home.startDaemonThatDies()
        try await peer.grant("front-door")
        try await Self.kill(doomed, of: home)
        try await Self.told(home, "\"refreshed\"")
        #expect(try await peer.shown("front-door")["generation"]?.integer == 2)
        #expect(peer.count("token_endpoint", 200) == 3)
        // What came is good for more than this once.
        _ = try await peer.refreshed("front-door")
        #expect(try await peer.shown("front-door")["generation"]?.integer == 3)
        #expect(try await peer.check("front-door") == "honoured")
        #expect(try await home.done("notice", "list")["notices"]?.array?.isEmpty == true)
        try await peer.stop()
        try await home.stop()
    }

    @Test(
        "without a grace the lost answer costs that grant and no other, and the owner is told", .timeLimit(.minutes(1)))
    func strict() async throws {
        let home = try await TestHome.start()
        for device in ["hallway", "front-door"] { try await home.shelve(device) }
        let peer = try await Self.django(at: home, "rotation: strict", "--access-token-lifetime", "14")
        let doomed = try await home.startDaemonThatDies()
        try await peer.grant("front-door")
        try await Self.kill(doomed, of: home)
        // Nothing is gone while the access token lives, and nothing is risked: asking now would end it.
        try await Self.told(home, "\"failed\"")
        let waiting = try await peer.shown("front-door")
        #expect(waiting["state"]?.string == "active")
        #expect(waiting["health"]?["verdict"]?.string == "ambiguous", "\(waiting.text)")
        #expect(try await home.openNotices("forecast").count { $0.contains("front-door") } == 1)
        try await peer.grant("hallway")
        try await Self.told(home, "\"needs_reauth\"")
        let lost = try await peer.shown("front-door")
        #expect(lost["state"]?.string == "needs_reauth")
        #expect(lost["reason"]?.string?.contains("after a refresh whose answer was lost") == true, "\(lost.text)")
        #expect(peer.count("token_endpoint", 400) == 1)
        #expect(try await home.openNotices("needs_approval").count == 1)
        #expect(try await home.openNotices("needs_approval").first?.contains("front-door") == true)
        #expect(try await home.keyholder("token", "front-door").status == 3)
        _ = try await peer.refreshed("hallway")
        #expect(try await peer.check("hallway") == "honoured")
        #expect(try await peer.shown("hallway")["state"]?.string == "active")
        try await peer.grant("front-door")
        #expect(try await home.openNotices("needs_approval").isEmpty)
        try await peer.stop()
        try await home.stop()
    }

    private static func django(
        at home: TestHome, _ rotation: String, _ options: String...
    ) async throws -> ProviderPeer {
        let peer = try await ProviderPeer.start("django_oauth_toolkit", in: home, as: "django", options)
        try await peer.add(
            """
            issuer: \(peer["issuer"])
            announces_issuer: true
            authorization_endpoint: \(peer["authorization_endpoint"])
            client_authentication: basic
            \(rotation)
            """)
        return peer
    }

    /// Kills the daemon in the midst of a refresh, and starts it again.
    private static func kill(_ doomed: Program, of home: TestHome) async throws {
        #expect(try await home.keyholder("token", "front-door", "--min-valid", "24h").status != 0)
        #expect(try await doomed.finish().status == 128 + SIGKILL)
        try await home.startDaemon()
    }

    /// Waits until the log has what came of the front door's refresh.
    private static func told(_ home: TestHome, _ outcome: String) async throws {
        let follower = try home.follow("audit", "--follow", "--json")
        _ = try await follower.output.line(with: "\"token.refresh\"", "front-door", outcome)
        try await follower.end()
    }
}
