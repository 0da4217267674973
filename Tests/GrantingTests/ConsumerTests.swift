// A consumer that its provider refuses is a trouble of the consumer: no grant is lost over it, and none is asked about.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded) struct ConsumerTests {
    private static let refused = Mood.answering(401, "{\"error\":\"invalid_client\"}")
    private static let new = Secret(text: "the-new-secret")

    private func formers(_ home: TestHome) async throws -> Int {
        try await home.vault.read { try $0.heldConsumer(of: home.cloud, for: try TestHome.name("front-door")) }?
            .formerSecrets.count ?? 0
    }

    @Test("C32: a refused consumer rests with all its grants, is told once, and nothing is deleted")
    func broken() async throws {
        try await TestHome.with(rotation: .none) { home in
            let devices = try await home.seed(5)
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", Self.refused)
            for _ in 0..<3 {
                for device in devices {
                    #expect(await refusal { _ = try await home.token(device) }?.kind == .provider)
                }
            }
            #expect(await home.provider.count("/token") == 1)
            #expect(try await home.kindsTold() == [.clientBroken])
            let grants = try await home.keeper.grants()
            #expect(grants.allSatisfy { $0.state == .active })
            for grant in grants {
                #expect(try await home.vault.read { try $0.tokens(of: grant.id) }?.refreshToken != nil)
                #expect(try await home.keeper.health(of: grant.id).verdict == .clientBroken)
            }
            // An hour later one of them tries; a restart does not tell it again.
            home.clock.advance(by: .seconds(3600))
            _ = await refusal { _ = try await home.token(devices[0]) }
            #expect(await home.provider.count("/token") == 2)
            let (vault, keeper) = try await home.afterCrash()
            _ = await refusal { _ = try await home.token(devices[0], from: keeper) }
            #expect(try await home.kindsTold(in: vault) == [.clientBroken])
        }
    }

    @Test("C32: the consumer's new secret mends all its grants at once, and that is told once")
    func mended() async throws {
        try await TestHome.with(rotation: .none) { home in
            let devices = try await home.seed(5)
            home.clock.advance(by: .seconds(3601))
            await home.provider.change { $0.consumerSecrets = ["the-new-secret"] }
            for device in devices { _ = await refusal { _ = try await home.token(device) } }
            #expect(try await home.openTroubles() == [.clientBroken])
            try await home.keeper.rotateConsumer(provider: home.cloud, secret: Self.new, by: .user("anna"))
            for device in devices { #expect(try await home.token(device).expiresIn == 3600) }
            #expect(try await home.kindsTold() == [.clientBroken, .wellAgain])
        }
    }

    @Test("C32: live tokens are served while the consumer is refused")
    func live() async throws {
        try await TestHome.with(rotation: .none) { home in
            let grant = try await home.granted()
            await home.provider.set("/token", Self.refused)
            home.clock.advance(by: .seconds(3000))
            for _ in 0..<3 {
                let token = try await home.keeper.token(device: grant.device, minimumValidity: .seconds(3000))
                #expect(token.expiresIn == 600)
            }
            #expect(await home.provider.count("/token") == 2)
        }
    }

    @Test("during a change-over the former secret is tried where the new one is refused, until the new one is taken")
    func changeOver() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            try await home.keeper.rotateConsumer(provider: home.cloud, secret: Self.new, by: .user("anna"))
            #expect(try await home.record(grant.id) == grant)
            home.clock.advance(by: .seconds(3601))
            _ = try await home.token(grant.device)
            // Once with each of them.
            #expect(await home.provider.count("/token") == 3)
            #expect(try await formers(home) == 1)
            // Told before it hurts: the former secret still works.
            #expect(try await home.openTroubles() == [.configuration])
            await home.provider.change { $0.consumerSecrets = ["the-new-secret"] }
            home.clock.advance(by: .seconds(3601))
            _ = try await home.token(grant.device)
            #expect(await home.provider.count("/token") == 4)
            #expect(try await formers(home) == 0)
            #expect(try await home.audit().contains { $0.action == "consumer.rotate" && $0.outcome == "settled" })
            #expect(try await home.kindsTold() == [.configuration, .wellAgain])
        }
    }

    @Test(
        "what is no word about the consumer does not bring the former secret out",
        arguments: [
            Mood.answering(500, ""), .answering(400, "{\"error\":\"invalid_request\"}"), .breakingOff,
            .answering(429, ""),
        ])
    func otherTrouble(_ mood: Mood) async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            try await home.keeper.rotateConsumer(provider: home.cloud, secret: Self.new, by: .user("anna"))
            await home.provider.set("/token", mood)
            home.clock.advance(by: .seconds(3590))
            _ = try await home.token(grant.device)
            #expect(await home.provider.count("/token") == 2)
            #expect(try await formers(home) == 1)
        }
    }

    @Test("at most three former secrets are kept, and rotating what is not there is refused")
    func limit() async throws {
        try await TestHome.with { home in
            for number in 0..<6 {
                try await home.keeper.rotateConsumer(
                    provider: home.cloud, secret: Secret(text: "secret-\(number)"), by: .user("anna"))
            }
            #expect(try await formers(home) == 3)
            let refused = await refusal {
                try await home.keeper.rotateConsumer(provider: home.own, secret: Self.new, by: .user("anna"))
            }
            #expect(refused?.kind == .notFound)
        }
    }
}
