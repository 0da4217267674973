// A grant that is bound to a key keeps that key for life, and the key never leaves the vault.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded) struct BoundGrantTests {
    private func with(_ body: @Sendable @escaping (TestHome, Grant) async throws -> Void) async throws {
        try await TestHome.with { home in
            let clock = home.clock
            home.cloud(endpoints: { $0.usesDPoP = true })
            await home.provider.change {
                $0.wantsProofs = true
                $0.now = { Int(clock.wall.timeIntervalSince1970) }
            }
            try await body(home, try await home.granted())
        }
    }

    private func thumbprint(_ signed: SignedRequest, _ home: TestHome, _ url: String) throws -> String {
        let parts = signed.authorization.split(separator: " ")
        #expect(parts.first == "DPoP")
        let proof = try DPoPProof.verify(
            [try #require(signed.dpop)], method: "POST", url: url, accessToken: Secret(text: String(parts[1])),
            now: Int(home.clock.wall.timeIntervalSince1970))
        return proof.thumbprint
    }

    @Test("the key survives refreshes and restarts, and a signature gives both headers, with the token's digest")
    func key() async throws {
        try await with { home, grant in
            let url = "\(home.base)/api"
            let first = try await home.keeper.sign(device: grant.device, method: "POST", url: url, form: [])
            let key = try thumbprint(first, home, url)
            home.clock.advance(by: .seconds(3601))
            let (vault, keeper) = try await home.afterCrash(boot: "boot-2")
            // The provider refuses a refresh that another key has signed.
            let second = try await keeper.sign(device: grant.device, method: "POST", url: url, form: [])
            #expect(try thumbprint(second, home, url) == key)
            #expect(second.authorization != first.authorization)
            #expect(second.dpop != first.dpop)
            #expect(try await vault.read { try $0.grant(id: grant.id) }?.grant.generation == 2)
            home.clock.advance(by: .seconds(3601))
            _ = try await home.token(grant.device, from: keeper)
            let third = try await keeper.sign(device: grant.device, method: "POST", url: url, form: [])
            #expect(try thumbprint(third, home, url) == key)
        }
    }

    @Test("another grant has another key")
    func own() async throws {
        try await with { home, grant in
            let url = "\(home.base)/api"
            let back = try await home.granted("back-door")
            let keys = [
                try await home.keeper.sign(device: grant.device, method: "POST", url: url, form: []),
                try await home.keeper.sign(device: back.device, method: "POST", url: url, form: []),
            ]
            #expect(try thumbprint(keys[0], home, url) != thumbprint(keys[1], home, url))
        }
    }

    @Test("a sign-only grant signs for the provider's own hosts and gives no token away")
    func signOnly() async throws {
        try await with { home, _ in
            let name = try TestHome.name("back-door")
            let asked = try await home.keeper.request(device: name, release: .signOnly, by: .user("anna"))
            _ = try await home.keeper.redirected(
                provider: home.cloud, query: try await home.provider.approve(asked.page))
            let url = "\(home.base)/api"
            let signed = try await home.keeper.sign(device: name, method: "POST", url: url, form: [])
            _ = try thumbprint(signed, home, url)
            #expect(await refusal { _ = try await home.token(name) }?.kind == .notAuthorised)
            let elsewhere = await refusal {
                _ = try await home.keeper.sign(device: name, method: "POST", url: "https://evil.example/", form: [])
            }
            #expect(elsewhere?.kind == .notAuthorised)
        }
    }

    @Test("a signature is not made with a token that has died while its provider is away")
    func dead() async throws {
        try await with { home, grant in
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .answering(503, ""))
            let refused = await refusal {
                _ = try await home.keeper.sign(device: grant.device, method: "POST", url: "\(home.base)/api", form: [])
            }
            #expect(refused?.kind == .provider)
        }
    }

    @Test(
        "C28: a nonce that the token endpoint asks for is used at once, and an endless demand is a trouble that is told"
    )
    func nonces() async throws {
        try await with { home, grant in
            home.clock.advance(by: .seconds(3601))
            await home.provider.set(
                "/token", .answering(400, "{\"error\":\"use_dpop_nonce\"}", headers: ["DPoP-Nonce": "n-1"]))
            _ = await refusal { _ = try await home.token(grant.device) }
            // The demand and one answer to it.
            #expect(await home.provider.count("/token") == 3)
            let troubles = try await home.openTroubles()
            #expect(troubles == [.configuration])
            #expect(try await home.record(grant.id).state == .active)
            await home.provider.set("/token", .obliging)
            home.clock.advance(by: .seconds(3600))
            #expect(try await home.token(grant.device).expiresIn == 3600)
            #expect(try await home.openTroubles().isEmpty)
        }
    }
}
