// A trouble is told once and rests as long as it lasts; what mends it mends it for everybody.

import Delegation
import FoundationEssentials
import Granting
import Logging
import OAuth
import Sealing
import ServiceLifecycle
import Synchronization
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded) struct TroubleTests {
    private static let minute = Duration.seconds(60)

    @Test("a forecast of the approval's end survives a refresh")
    func forecast() async throws {
        try await TestHome.with { home in
            home.cloud(endpoints: {
                $0.refreshTokenLifetime = 100_000; $0.prolongsRefreshTokens = false
            })
            await home.provider.setLifetime(90_000)
            let grant = try await home.granted()
            try await running(home.keeper) {
                home.clock.advance(by: .seconds(50_001))
                _ = try await home.grant(grant.id) { $0.generation == 2 }
                try await home.takeTurns()
                home.clock.advance(by: .seconds(30_001))
                try await home.waitForTroubles([.forecast])
                _ = try await home.keeper.token(device: grant.device, minimumValidity: .seconds(86_400))
                _ = try await home.grant(grant.id) { $0.generation == 3 }
                try await home.takeTurns()
                #expect(try await home.openTroubles() == [.forecast])
            }
        }
    }

    @Test("a secret rotated while the old one is under way does not rest the consumer")
    func rotateInFlight() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .pausing)
            async let first = Result { () async throws in
                _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
            }
            await home.provider.waitForRequests("/token", count: 2)
            await home.provider.change { $0.consumerSecrets = ["new"] }
            try await home.keeper.rotateConsumer(provider: home.cloud, secret: Secret(text: "new"), by: .user("anna"))
            await home.provider.set("/token", .obliging)
            await home.provider.release()
            _ = await first
            let again = await tried {
                _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
            }
            #expect(again == nil)
        }
    }

    @Test("settling a change-over drops no secret of a later one")
    func settle() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            try await home.keeper.rotateConsumer(provider: home.cloud, secret: Secret(text: "B"), by: .user("anna"))
            await home.provider.change { $0.consumerSecrets = ["B"] }
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .pausing)
            async let first = home.keeper.token(device: grant.device, minimumValidity: Self.minute)
            await home.provider.waitForRequests("/token", count: 2)
            try await home.keeper.rotateConsumer(provider: home.cloud, secret: Secret(text: "C"), by: .user("anna"))
            await home.provider.set("/token", .obliging)
            await home.provider.release()
            _ = try await first
            let device = grant.device
            let consumer = try #require(try await home.vault.read { try $0.heldConsumer(of: home.cloud, for: device) })
            #expect(consumer.formerSecrets.contains { $0.matches(Secret(text: "B")) })
            home.clock.advance(by: .seconds(3601))
            let again = await tried {
                _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
            }
            #expect(again == nil)
        }
    }

    @Test("a clock that is set ends the rest of a consumer too")
    func consumerClock() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            await home.provider.set("/token", .answering(401, "{\"error\":\"invalid_client\"}"))
            try await running(home.keeper) {
                home.clock.advance(by: .seconds(3000))
                await home.provider.waitForRequests("/token", count: 2)
                while try await home.keeper.health(of: grant.id).failures == 0 { await Task.yield() }
                await home.provider.set("/token", .obliging)
                home.clock.setWall(home.clock.wall.addingTimeInterval(86_000))
                for _ in 0..<12 { home.clock.advance(by: .seconds(10)); try await home.takeTurns() }
                #expect(await home.provider.count("/token") == 3)
            }
        }
    }

    @Test("a grant that cannot be renewed is not active and well after its end")
    func expired() async throws {
        try await TestHome.with { home in
            await home.provider.change { $0.reply = "{\"access_token\":\"{at}\",\"expires_in\":3600}" }
            let grant = try await home.granted()
            try await running(home.keeper) {
                for _ in 0..<200 { home.clock.advance(by: .seconds(60)); try await home.takeTurns() }
                let record = try await home.record(grant.id)
                #expect(record.state == .needsReauth)
            }
        }
    }

    @Test("the notice about a consumer that is gone is closed")
    func goneConsumer() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            await home.provider.set("/token", .answering(401, "{\"error\":\"invalid_client\"}"))
            home.clock.advance(by: .seconds(3601))
            _ = await tried { _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute) }
            #expect(try await home.openTroubles() == [.clientBroken])
            _ = try await home.keeper.revoke(device: grant.device, by: .user("anna"))
            try await home.keeper.removeConsumer(provider: home.cloud, by: .user("anna"))
            #expect(try await home.openTroubles().isEmpty)
        }
    }

    @Test("what gets worse is not told as well again")
    func worse() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            await home.provider.set("/token", .rotatingAndBreakingOff)
            home.clock.advance(by: .seconds(2881))
            try await running(home.keeper) {
                await home.provider.waitForRequests("/token", count: 2)
                await home.provider.set("/token", .obliging)
                try await home.waitForTroubles([.forecast])
                await home.pass(.seconds(689))
                // Whoever was about to sleep when the clock moved is woken by the next move.
                for _ in 0..<3 {
                    try await home.takeTurns()
                    home.clock.advance(by: .seconds(61))
                }
                _ = try await home.grant(grant.id) { $0.state == .needsReauth }
            }
            #expect(try await home.kindsTold() == [.forecast, .needsApproval])
        }
    }

    @Test("one refusal of the consumer that passes does not rest a grant for an hour")
    func hiccup() async throws {
        try await TestHome.with(rotation: .none) { home in
            let front = try await home.granted()
            let back = try await home.granted("back-door")
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .pausing)
            async let one = Result { () async throws in
                _ = try await home.keeper.token(device: back.device, minimumValidity: Self.minute)
            }
            await home.provider.waitForRequests("/token", count: 3)
            await home.provider.set("/token", .answering(401, "{\"error\":\"invalid_client\"}"))
            _ = await tried { _ = try await home.keeper.token(device: front.device, minimumValidity: Self.minute) }
            await home.provider.set("/token", .obliging)
            await home.provider.release()
            _ = await one
            home.clock.advance(by: .seconds(60))
            let again = await tried {
                _ = try await home.keeper.token(device: front.device, minimumValidity: Self.minute)
            }
            #expect(again == nil)
        }
    }
}

/// What came of trying; `nil` when it worked.
private func tried(_ body: () async throws -> Void) async -> Refusal? {
    do {
        try await body()
        return nil
    } catch {
        return error as? Refusal ?? Refusal(.failure, "\(error)")
    }
}
