// Four providers that nobody here wrote, each as odd as its authors made it: whatever the RFCs leave open, one of them
// does in another way than the next.

import Foundation
import Sealing
import StrictJSON
import Testing

@Suite(.serialized, VendorHome()) struct ProviderPeerTests {
    /// What glewlwyd does not say about itself.
    private static let glewlwyd: KeyValuePairs = [
        "client_authentication: basic": "client_authentication: basic_raw", "rotation: unknown": "rotation: strict",
    ]

    @Test(
        "glewlwyd takes a pushed request with PKCE, refresh tokens that are good once, and DPoP with its nonces",
        .timeLimit(.minutes(1)))
    func boundTokens() async throws {
        let home = try VendorHome.current.orThrow("no home")
        try await home.shelve("bound")
        let peer = try await ProviderPeer.start(
            "glewlwyd", in: home, as: "glewlwyd", ["--one-use-refresh", "--dpop-nonce", "--require-par"])
        try await peer.discover(Self.glewlwyd)
        let page = try await peer.ask(for: "bound")
        #expect(page.contains("request_uri=") && !page.contains("code_challenge"))
        try await peer.decide(on: page)
        #expect(try await peer.shown("bound", "--wait", "30s")["state"]?.string == "active")
        #expect(try await peer.check("bound") == "honoured")
        var tokens = [try await peer.token("bound")]
        for _ in 0..<2 { tokens.append(try await peer.refreshed("bound")) }
        #expect(tokens.allSatisfy { $0["token_type"]?.string == "DPoP" })
        #expect(Set(tokens.map { $0["access_token"]?.string }).count == 3)
        try await signs(peer, "bound", bearer: tokens.last?["access_token"]?.string)
        #expect(try await peer.revoke("bound") == nil)
        #expect(try await peer.takeBack() == 0)
        try await peer.stop()
    }

    /// Calls the peer's API with what the hub has signed, and with the token alone.
    private func signs(_ peer: ProviderPeer, _ device: String, bearer: String?) async throws {
        let api = peer["userinfo_endpoint"]
        let signed = try await peer.home.done("sign", device, "GET", api)
        let proof = try signed["dpop"]?.string.orThrow("no proof") ?? ""
        func status(_ headers: [String]) async throws -> String {
            try await peer.curl(
                api, ["-o", "/dev/null", "-w", "%{http_code}"] + headers.flatMap { ["-H", $0] })
        }
        let authorization = signed["authorization"]?.string ?? ""
        #expect(authorization == "DPoP \(bearer ?? "-")")
        #expect(try await status(["Authorization: \(authorization)", "DPoP: \(proof)"]) == "200")
        #expect(try await status(["Authorization: Bearer \(bearer ?? "-")"]) == "401")
        #expect(try await status(["Authorization: \(authorization)"]) == "401")
        // Nobody but the peer can have told it.
        let claims = proof.split(separator: ".").dropFirst().first.flatMap { Base64.decode(String($0), as: .url) }
        #expect(try JSON(parsing: try claims.orThrow("no claims"))["nonce"]?.string?.isEmpty == false)
    }

    @Test(
        "glewlwyd's device grant is approved elsewhere; what the person takes back there is doubted, not thrown away",
        .timeLimit(.minutes(1)))
    func takenBack() async throws {
        let home = try VendorHome.current.orThrow("no home")
        try await home.shelve("by-code")
        let peer = try await ProviderPeer.start(
            "glewlwyd", in: home, as: "glewlwyd-code", ["--one-use-refresh", "--device-interval", "1"])
        try await peer.discover(Self.glewlwyd)
        try await peer.grantByCode("by-code")
        let last = try await peer.refreshed("by-code")["access_token"]?.string
        #expect(try await peer.takeBack() == 1)
        // An empty 400 might be about anything, so the token that lives is used on.
        #expect(try await peer.refreshed("by-code")["access_token"]?.string == last)
        let grant = try await peer.shown("by-code")
        #expect(grant["state"]?.string == "active")
        #expect(grant["health"]?["verdict"]?.string == "suspicious")
        #expect(grant["health"]?["reason"]?.string == "status 400 without an error code")
        #expect(try await home.openNotices("needs_approval").allSatisfy { !$0.contains("by-code") })
        #expect(try await peer.revoke("by-code") == nil)
        try await peer.stop()
    }

    @Test(
        "Django OAuth Toolkit's device grant; a secret that is wrong stops the hub, and the right one mends it",
        .timeLimit(.minutes(1)))
    func wrongSecret() async throws {
        let home = try VendorHome.current.orThrow("no home")
        for device in ["here", "there"] { try await home.shelve(device) }
        let peer = try await ProviderPeer.start(
            "django_oauth_toolkit", in: home, as: "django", ["--grace", "60", "--device-interval", "1"])
        // There is no metadata, which is said and not guessed.
        #expect(try await home.keyholder("provider", "discover", peer["issuer"]).status == 9)
        try await peer.add(
            """
            device_authorization_endpoint: \(peer["device_authorization_endpoint"])
            client_authentication: post
            client_id_in_body: true
            rotation: grace
            rotation_grace: 60s
            """, client: "device_client_id")
        for device in ["here", "there"] { try await peer.grantByCode(device) }
        let token = try await peer.token("here")["access_token"]?.string
        try await peer.addConsumer("device_client_id", secret: "notTheSecret")
        #expect(try await peer.refreshed("here")["access_token"]?.string == token)
        for device in ["here", "there"] {
            let grant = try await peer.shown(device)
            #expect(grant["state"]?.string == "active" && grant["generation"]?.integer == 1)
            #expect(grant["health"]?["verdict"]?.string == "client_broken", "\(grant.text)")
        }
        _ = try await peer.refreshed("there")
        #expect(peer.count("token_endpoint", 401) == 1)
        #expect(try await home.openNotices("client_broken").count == 1)
        let right = try home.privateFile("django.right", peer["client_secret"])
        #expect(try await home.keyholder("consumer", "rotate", "django", "--secret-file", right).status == 0)
        for device in ["here", "there"] {
            #expect(try await peer.refreshed(device)["access_token"]?.string != token)
            #expect(try await peer.shown(device)["health"]?["verdict"]?.string == "well")
        }
        #expect(try await home.openNotices("client_broken").isEmpty)
        #expect(peer.count("token_endpoint", 401) == 1)
        for device in ["here", "there"] { #expect(try await peer.revoke(device) == nil) }
        #expect(peer.count("revocation_endpoint", 200) == 2)
        try await peer.stop()
    }

    @Test(
        "Canaille's refresh tokens die with the access tokens beside them, and are used before", .timeLimit(.minutes(1))
    )
    func refreshedInTime() async throws {
        let home = try VendorHome.current.orThrow("no home")
        try await home.shelve("in-time")
        let peer = try await ProviderPeer.start(
            "canaille", in: home, as: "canaille", ["--access-token-lifetime", "12"])
        try await peer.discover([
            "client_authentication: basic": "client_authentication: basic_raw", "rotation: unknown": "rotation: strict",
            // It names itself in every answer to a browser.
            "announces_issuer: true": "announces_issuer: true",
        ])
        let follower = try home.follow("audit", "--follow", "--json")
        try await peer.grant("in-time")
        _ = try await follower.output.line(with: "\"token.refresh\"", "in-time", "\"refreshed\"")
        try await follower.end()
        #expect(try await peer.shown("in-time")["health"]?["verdict"]?.string == "well")
        #expect(try await peer.check("in-time") == "honoured")
        #expect(peer.count("token_endpoint", 200) == 2)
        #expect(try await peer.revoke("in-time") == nil)
        #expect(peer.count("revocation_endpoint", 200) == 1)
        try await peer.stop()
    }

    @Test(
        "with oidc-provider-mock a no without a state decides nothing, and the one refresh token is kept",
        .timeLimit(.minutes(1)))
    func sloppy() async throws {
        let home = try VendorHome.current.orThrow("no home")
        try await home.shelve("sloppy")
        let peer = try await ProviderPeer.start("oidc_provider_mock", in: home, as: "mock", [])
        try await peer.discover(
            [
                "client_authentication: basic": "client_authentication: basic_raw",
                "rotation: unknown": "rotation: none",
            ],
            "revocation_page: https://mock.example/apps")
        let page = try await peer.ask(for: "sloppy")
        // Anybody can send a browser here like that.
        try await peer.decide(on: page, "--deny")
        #expect(try await peer.shown("sloppy")["state"]?.string == "pending")
        try await peer.decide(on: page)
        #expect(try await peer.shown("sloppy", "--wait", "30s")["state"]?.string == "active")
        var tokens = [try await peer.token("sloppy")]
        for _ in 0..<2 { tokens.append(try await peer.refreshed("sloppy")) }
        #expect(Set(tokens.map { $0["access_token"]?.string }).count == 3)
        #expect(try await peer.check("sloppy") == "honoured")
        #expect(peer.count("token_endpoint", 200) == 3)
        let untold = try await peer.revoke("sloppy")
        #expect(untold?.contains("no revocation endpoint") == true)
        #expect(untold?.contains("take it back at https://mock.example/apps") == true)
        try await peer.stop()
    }
}
