// What comes late changes nothing that is newer, and what is under way is not thrown away.

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

@Suite(.timeLimit(.minutes(1)), .bounded) struct RaceTests {
    private static let minute = Duration.seconds(60)

    @Test("sign-only: a bearer token does not leave through sign")
    func signLeak() async throws {
        try await TestHome.with { home in
            home.cloud(endpoints: { $0.usesDPoP = true })
            let asked = try await home.keeper.request(
                device: try TestHome.name("front-door"), release: .signOnly, by: .user("anna"))
            let grant = try await home.keeper.redirected(
                provider: home.cloud, query: try await home.provider.approve(asked.page))
            let token = try #require(try await home.vault.read { try $0.tokens(of: grant.id) })
            let signed = try? await home.keeper.sign(
                device: grant.device, method: "GET", url: "\(home.base)/api", form: [])
            #expect(signed?.authorization.contains(token.accessToken.revealText()) != true)
        }
    }

    @Test("a generation that is not honoured costs no newer one")
    func disown() async throws {
        try await TestHome.with(rotation: .none, deadline: .seconds(60)) { home in
            let grant = try await home.granted()
            await home.provider.expireAccessTokens()
            // The first look says 401, a refresh follows, the second look is slow.
            async let authority = Result { () async throws in
                _ = try await home.keeper.authorise("lock.unlock", on: try TestHome.device("front-door", 0))
            }
            await home.provider.waitForRequests("/api", count: 1)
            await home.provider.set("/api", .pausing)
            await home.provider.waitForRequests("/api", count: 2)
            // Meanwhile another refresh; the provider ends the access token of the second generation with it.
            await home.provider.expireAccessTokens()
            home.clock.advance(by: .seconds(3590))
            let token = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
            #expect(await home.provider.accessTokens[token.accessToken.revealText()] != nil)
            await home.provider.release()
            _ = await authority
            let record = try await home.record(grant.id)
            #expect(record.state == .active)
        }
    }

    @Test("a 502 of a strict provider is not asked about early because another grant was refreshed")
    func badGateway() async throws {
        try await TestHome.with { home in
            let front = try await home.granted()
            home.clock.advance(by: .seconds(100))
            let back = try await home.granted("back-door")
            await home.provider.set("/token", .answering(502, ""))
            try await running(home.keeper) {
                home.clock.advance(by: .seconds(2781))
                await home.provider.waitForRequests("/token", count: 3)
                while try await home.keeper.health(of: front.id).failures == 0 { await Task.yield() }
                await home.provider.set("/token", .obliging)
                home.clock.advance(by: .seconds(100))
                _ = try await home.grant(back.id) { $0.generation == 2 }
                try await home.takeTurns()
                try await home.takeTurns()
                #expect(await home.provider.count("/token") == 4)
            }
        }
    }

    @Test("a provider is not told again and again when that cannot be noted")
    func farewellStorm() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            try await home.sqlite(
                "CREATE TRIGGER f1 BEFORE DELETE ON revocation BEGIN SELECT RAISE(ABORT, 'full'); END; CREATE TRIGGER f2 BEFORE UPDATE OF attempts ON revocation BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
            try await running(home.keeper) {
                _ = try await home.keeper.revoke(device: grant.device, by: .user("anna"))
                for _ in 0..<20 { try await home.takeTurns() }
                #expect(await home.provider.count("/revoke") <= 2)
            }
        }
    }

    @Test("a provider whose tokens live a second is not refreshed every second")
    func second() async throws {
        try await TestHome.with { home in
            await home.provider.setLifetime(1)
            try await home.granted()
            try await running(home.keeper) {
                for _ in 0..<60 {
                    home.clock.advance(by: .seconds(1))
                    try await home.takeTurns()
                }
                #expect(await home.provider.count("/token") < 20)
            }
        }
    }

    @Test("a shutdown keeps the tokens that a poll under way brings")
    func pollDrained() async throws {
        try await TestHome.with(deadline: .seconds(60)) { home in
            let base = home.base
            home.cloud(endpoints: { $0.deviceAuthorization = "\(base)/device" })
            var logger = Logger(label: "group")
            logger.logLevel = .critical
            let group = ServiceGroup(configuration: .init(services: [home.keeper], logger: logger))
            async let ended: Void = group.run()
            let asked = try await home.keeper.request(
                device: try TestHome.name("front-door"), flow: .device, by: .user("anna"))
            await home.clock.waitForSleeper(lasting: .seconds(5))
            await home.provider.approveDevices()
            await home.provider.set("/token", .pausing)
            home.clock.advance(by: .seconds(5))
            await home.provider.waitForRequests("/token", count: 1)
            await group.triggerGracefulShutdown()
            for _ in 0..<50 { _ = try await home.keeper.grants() }
            await home.provider.release()
            try await ended
            let state = try await home.record(asked.grant.id).state
            #expect(state == .active)
        }
    }

    @Test("a revocation is told although the clock was ahead when it was put off")
    func farewellClock() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            await home.provider.set("/revoke", .answering(503, ""))
            let right = home.clock.wall
            try await running(home.keeper) {
                home.clock.setWall(right.addingTimeInterval(10 * 365 * 86_400))
                _ = try await home.keeper.revoke(device: grant.device, by: .user("anna"))
                await home.provider.set("/revoke", .obliging)
                home.clock.setWall(right)
                for _ in 0..<3 {
                    home.clock.advance(by: .seconds(60))
                    try await home.takeTurns()
                }
                await home.provider.waitForRequests("/revoke", count: 2)
            }
        }
    }

    @Test("nothing is asked of a provider while the vault is being sealed")
    func pausedRequest() async throws {
        try await TestHome.with { home in
            let base = home.base
            home.cloud(endpoints: {
                $0.deviceAuthorization = "\(base)/device"; $0.offersClientCredentials = true
            })
            await home.keeper.pause(within: .seconds(25))
            _ = await tried {
                _ = try await home.keeper.request(
                    device: try TestHome.name("front-door"), flow: .client, by: .user("anna"))
            }
            #expect(await home.provider.count("/token") == 0)
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
