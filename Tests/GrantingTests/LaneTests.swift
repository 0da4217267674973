// Few refreshes at a time, and none that waits behind a provider which does not answer.

import Delegation
import FoundationEssentials
import Granting
import Logging
import OAuth
import Sealing
import ServiceLifecycle
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded, .serialized) struct LaneTests {
    /// Longer than any test, so that only the manual clock ends a wait.
    private static let deadline = Duration.seconds(120)

    @Test("a strict provider that hangs holds up another strict one for two seconds, and no longer")
    func patience() async throws {
        try await TestHome.with(deadline: Self.deadline) { home in
            let other = try await home.addOther()
            let front = try await home.granted("front-door").device
            let back = try await home.granted("back-door", at: other).device
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .hanging)
            let hanging = Task { try await home.token(front) }
            await home.provider.waitForRequests("/token", count: 2)
            async let token = home.token(back)
            await home.clock.waitForSleeper(lasting: .seconds(2))
            #expect(await home.provider.count("/b/token") == 1)
            home.clock.advance(by: .seconds(2))
            #expect(try await token.expiresIn == 3600)
            #expect(await home.provider.count("/b/token") == 2)
            await home.provider.release()
            _ = await hanging.result
        }
    }

    @Test("a lenient provider does not wait for a strict one that hangs")
    func lenient() async throws {
        try await TestHome.with(deadline: Self.deadline) { home in
            let other = try await home.addOther(.none)
            let front = try await home.granted("front-door").device
            let back = try await home.granted("back-door", at: other).device
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .hanging)
            let hanging = Task { try await home.token(front) }
            await home.provider.waitForRequests("/token", count: 2)
            #expect(try await home.token(back).expiresIn == 3600)
            await home.provider.release()
            _ = await hanging.result
        }
    }

    @Test("a token that lives is served at once while another provider hangs, and while its own does")
    func cached() async throws {
        try await TestHome.with(deadline: Self.deadline) { home in
            let other = try await home.addOther()
            let front = try await home.granted("front-door").device
            home.clock.advance(by: .seconds(3601))
            let back = try await home.granted("back-door", at: other).device
            await home.provider.set("/token", .hanging)
            await home.provider.set("/b/token", .hanging)
            let hanging = Task { try await home.token(front) }
            await home.provider.waitForRequests("/token", count: 2)
            #expect(try await home.token(back).expiresIn == 3600)
            home.clock.advance(by: .seconds(3000))
            let refreshing = Task {
                try await home.keeper.token(device: back, minimumValidity: .seconds(3000))
            }
            await home.provider.waitForRequests("/b/token", count: 2)
            #expect(try await home.token(back).expiresIn == 600)
            await home.provider.release()
            _ = await (hanging.result, refreshing.result)
        }
    }

    @Test("at most four refreshes are under way at a lenient provider")
    func width() async throws {
        try await TestHome.with(rotation: .none, deadline: Self.deadline) { home in
            let devices = try await home.seed(10)
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .pausing)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for device in devices { group.addTask { _ = try await home.token(device) } }
                await home.provider.waitForRequests("/token", count: 4)
                try await home.takeTurns()
                #expect(await home.provider.count("/token") == 4)
                await home.provider.set("/token", .obliging)
                await home.provider.release()
                try await group.waitForAll()
            }
            #expect(await home.provider.mostAtOnce == 4)
            #expect(await home.provider.count("/token") == 10)
        }
    }

    @Test("of those that are due, the one that somebody waits for goes first", arguments: 1...3)
    func urgent(_ run: Int) async throws {
        try await TestHome.with(deadline: Self.deadline) { home in
            let devices = try await home.seed(8)
            await home.provider.set("/token", .pausing)
            home.clock.advance(by: .seconds(2881))
            try await running(home.keeper) {
                await home.provider.waitForRequests("/token", count: 1)
                try await home.takeTurns()
                let first = await home.provider.received.first?.form("refresh_token")
                // The last one that could be next.
                let number = try #require((0..<8).last { "seed-rt-\($0)" != first })
                async let token = home.keeper.token(device: devices[number], minimumValidity: .seconds(1000))
                try await home.takeTurns()
                await home.provider.set("/token", .obliging)
                await home.provider.release()
                _ = try await token
                #expect(await home.provider.received[1].form("refresh_token") == "seed-rt-\(number)")
            }
        }
    }

    @Test("a pause empties the queue: what is under way is finished, nothing else is sent")
    func paused() async throws {
        try await TestHome.with(deadline: Self.deadline) { home in
            _ = try await home.seed(8)
            await home.provider.set("/token", .pausing)
            home.clock.advance(by: .seconds(2881))
            try await running(home.keeper) {
                await home.provider.waitForRequests("/token", count: 1)
                try await home.takeTurns()
                async let paused: Void = home.keeper.pause(within: .seconds(25))
                await home.clock.waitForSleeper(lasting: .seconds(25))
                await home.provider.set("/token", .obliging)
                await home.provider.release()
                await paused
                try await home.takeTurns()
                #expect(await home.provider.count("/token") == 1)
                let generations = try await home.keeper.grants().map(\.generation).sorted()
                #expect(generations == [1, 1, 1, 1, 1, 1, 1, 2])
                // And the queue fills again once the pause is over.
                await home.keeper.resume()
                await home.provider.waitForRequests("/token", count: 8)
            }
        }
    }

    @Test("a shutdown empties the queue")
    func stopped() async throws {
        try await TestHome.with(deadline: Self.deadline) { home in
            _ = try await home.seed(8)
            await home.provider.set("/token", .pausing)
            home.clock.advance(by: .seconds(2881))
            var logger = Logger(label: "group")
            logger.logLevel = .critical
            let group = ServiceGroup(configuration: .init(services: [home.keeper], logger: logger))
            async let ended: Void = group.run()
            await home.provider.waitForRequests("/token", count: 1)
            try await home.takeTurns()
            await group.triggerGracefulShutdown()
            await home.clock.waitForSleeper(lasting: .seconds(25))
            await home.provider.set("/token", .obliging)
            await home.provider.release()
            try await ended
            #expect(await home.provider.count("/token") == 1)
            #expect(try await home.keeper.grants().count { $0.generation == 2 } == 1)
        }
    }

    @Test("two hundred grants that expire together are spread, and none of their tokens is served dead")
    func spread() async throws {
        try await TestHome.with(rotation: .none, deadline: Self.deadline) { home in
            let devices = try await home.seed(200)
            home.clock.advance(by: .seconds(2880))
            try await running(home.keeper) {
                // 120 a minute: a quarter of a minute's at once, then two a second.
                for step in 0...9 {
                    if step > 0 { home.clock.advance(by: .seconds(10)) }
                    let allowed = min(200, 31 + 20 * step)
                    await home.provider.waitForRequests("/token", count: allowed)
                    try await home.takeTurns()
                    #expect(await home.provider.count("/token") == allowed)
                    let device = devices[(step * 37) % 200]
                    let token = try await home.token(device)
                    #expect((token.expiresIn ?? 0) >= 600)
                    #expect(await home.provider.accessTokens[token.accessToken.revealText()] != nil)
                }
            }
            #expect(await home.provider.mostAtOnce <= 4)
            #expect(try await home.keeper.grants().allSatisfy { $0.generation == 2 })
        }
    }

    @Test("after a night without power nobody gets a dead token, and whoever waits does not wait for the others")
    func morning() async throws {
        try await TestHome.with(rotation: .none, deadline: Self.deadline) { home in
            home.cloud(.none, profile: { $0.refreshesPerMinute = 12 })
            let devices = try await home.seed(100)
            await home.provider.expireAccessTokens()
            home.clock.advance(by: .seconds(7200))
            try await running(home.keeper) {
                // A quarter of a minute's go at once, and the others are held up.
                await home.provider.waitForRequests("/token", count: 4)
                for device in devices.suffix(20) {
                    let token = try await home.token(device)
                    #expect(token.expiresIn == 3600)
                    #expect(await home.provider.accessTokens[token.accessToken.revealText()] != nil)
                }
                #expect(await home.provider.count("/token") <= 24)
                // Lets go whoever still waits for a turn.
                await home.keeper.pause(within: .seconds(25))
            }
        }
    }
}
