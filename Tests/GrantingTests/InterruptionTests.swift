// A crash at any moment of a refresh leaves something that the next start finishes.

import Delegation
import Dispatch
import FoundationEssentials
import Granting
import Logging
import OAuth
import Sealing
import ServiceLifecycle
import Synchronization
import Testing
import Vault

@Suite(.timeLimit(.minutes(1))) struct InterruptionTests {
    private static let minute = Duration.seconds(60)

    @Test("a reply that was kept before the crash is put in place at the next start, without the provider")
    func staged() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            let intent = OpenRefresh(
                grant: grant.id, generation: 1, tokenHash: [], boot: "boot-0", startedAt: home.clock.wall)
            let body = TokenReply(
                accessToken: Secret(text: "kept-access-token"), expiresIn: 3600,
                refreshToken: Secret(text: "kept-refresh-token")
            ).body()
            #expect(try await home.vault.write { try $0.beginRefresh(intent) })
            #expect(try await home.vault.write { try $0.stageReply(body, of: grant.id, generation: 1) })
            await home.provider.set("/token", .answering(500, ""))
            let (vault, keeper) = try await home.afterCrash()
            try await running(keeper) {
                _ = try await home.grant(grant.id, in: vault) { $0.generation == 2 }
            }
            let token = try await keeper.token(device: grant.device, minimumValidity: Self.minute)
            #expect(token.accessToken.revealText() == "kept-access-token")
            #expect(try await vault.read { try $0.openRefreshes() }.isEmpty)
            #expect(await home.provider.count("/token") == 1)
        }
    }

    @Test("a refresh is on the disk before it is sent, and after a crash the same token is sent again at once")
    func intent() async throws {
        try await TestHome.with(rotation: .grace) { home in
            await home.provider.setGrace(true)
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .hanging)
            let device = grant.device
            async let first = Result { () async throws in
                _ = try await home.keeper.token(device: device, minimumValidity: Self.minute)
            }
            await home.provider.waitForRequests("/token", count: 2)
            let (vault, keeper) = try await home.afterCrash()
            let open = try #require(try await vault.read { try $0.openRefresh(of: grant.id) })
            #expect(open.boot == "boot-1")
            await home.provider.set("/token", .obliging)
            try await running(keeper) {
                _ = try await home.grant(grant.id, in: vault) { $0.generation == 2 }
            }
            await home.provider.release()
            _ = await first
        }
    }

    @Test("an answer that is lost is asked for again at once, with the same token")
    func lost() async throws {
        try await TestHome.with(rotation: .grace) { home in
            await home.provider.setGrace(true)
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .rotatingAndBreakingOff)
            _ = await refusal { _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute) }
            #expect(await home.provider.count("/token") == 3)
            await home.provider.set("/token", .obliging)
            home.clock.advance(by: .seconds(10))
            let token = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
            #expect(await home.provider.accessTokens[token.accessToken.revealText()] != nil)
            #expect(await home.provider.count("/token") == 4)
        }
    }

    @Test("a grant that a crash has cost says so")
    func lostInCrash() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3590))
            await home.provider.set("/token", .rotatingAndBreakingOff)
            _ = try? await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
            home.clock.advance(by: .seconds(60))
            await home.provider.set("/token", .obliging)
            _ = await refusal { _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute) }
            #expect(try await home.record(grant.id).reason?.contains("whose answer was lost") == true)
        }
    }

    @Test("a shutdown waits for the refresh under way and keeps its tokens")
    func drained() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(2900))
            await home.provider.set("/token", .pausing)
            var logger = Logger(label: "group")
            logger.logLevel = .critical
            let group = ServiceGroup(configuration: .init(services: [home.keeper], logger: logger))
            let hasEnded = Mutex(false)
            async let ended: Void = {
                try await group.run()
                hasEnded.withLock { $0 = true }
            }()
            await home.provider.waitForRequests("/token", count: 2)
            await group.triggerGracefulShutdown()
            // Enough turns for a keeper that does not wait to be gone.
            for _ in 0..<50 { _ = try await home.keeper.grants() }
            #expect(hasEnded.withLock { !$0 })
            await home.provider.release()
            try await ended
            let record = try await home.record(grant.id)
            #expect(record.generation == 2)
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct BoundedWaitTests {
    private static let minute = Duration.seconds(60)
    /// Longer than any test, so that only the manual clock ends a wait.
    private static let deadline = Duration.seconds(120)

    /// Runs the keeper as a service until `body` has triggered its shutdown.
    private func serving(
        _ home: TestHome, _ body: @Sendable (ServiceGroup) async throws -> Void
    ) async throws {
        var logger = Logger(label: "group")
        logger.logLevel = .critical
        let group = ServiceGroup(configuration: .init(services: [home.keeper], logger: logger))
        async let ended: Void = group.run()
        try await body(group)
        try await ended
    }

    @Test("a shutdown waits for a provider that never answers no longer than its patience")
    func patience() async throws {
        try await TestHome.with(deadline: Self.deadline) { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(2900))
            await home.provider.set("/token", .hanging)
            try await serving(home) { group in
                await home.provider.waitForRequests("/token", count: 2)
                await group.triggerGracefulShutdown()
                await home.clock.waitForSleeper(lasting: .seconds(25))
                home.clock.advance(by: .seconds(25))
            }
            #expect(await home.provider.count("/token") == 2)
            #expect(try await home.vault.read { try $0.openRefresh(of: grant.id) } != nil)
        }
    }

    @Test("a token whose answer is lost is not sent again by a keeper that stops; the next start knows of it")
    func sendsNothingMore() async throws {
        try await TestHome.with(deadline: Self.deadline) { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(2900))
            await home.provider.set("/token", .pausingAndBreakingOff)
            try await serving(home) { group in
                await home.provider.waitForRequests("/token", count: 2)
                await group.triggerGracefulShutdown()
                await home.clock.waitForSleeper(lasting: .seconds(25))
                await home.provider.release()
            }
            #expect(await home.provider.count("/token") == 2)
            #expect(try await home.vault.read { try $0.openRefresh(of: grant.id) } != nil)
        }
    }

    @Test("waiting for what is under way includes an approval that is being redeemed")
    func redemption() async throws {
        try await TestHome.with(deadline: Self.deadline) { home in
            let asked = try await home.keeper.request(device: try TestHome.name("front-door"), by: .user("anna"))
            let query = try await home.provider.approve(asked.page)
            await home.provider.set("/token", .pausing)
            async let redeemed = home.keeper.redirected(provider: home.cloud, query: query)
            await home.provider.waitForRequests("/token", count: 1)
            async let settled: Void = home.keeper.settle(within: Self.minute)
            await home.clock.waitForSleeper(lasting: Self.minute)
            await home.provider.release()
            await settled
            #expect(try await home.record(asked.grant.id).state == .active)
            _ = try await redeemed
        }
    }

    @Test("an approval counts as being redeemed before it is taken, so that no recovery in between ends its request")
    func notedFirst() async throws {
        try await TestHome.with(deadline: Self.deadline) { home in
            let asked = try await home.keeper.request(device: try TestHome.name("front-door"), by: .user("anna"))
            let query = try await home.provider.approve(asked.page)
            let other = try await home.afterCrash().vault
            let (isHeld, announce) = AsyncStream<Never>.makeStream()
            let letGo = DispatchSemaphore(value: 0)
            // Another connection that writes keeps the keeper from taking the approval, for 2 s at most.
            let device = try TestHome.device("cellar", 7)
            async let held: Void = other.write { transaction in
                try transaction.insertDevice(device)
                announce.finish()
                letGo.wait()
            }
            for await _ in isHeld {}
            async let redeemed = Result { () async throws in
                _ = try await home.keeper.redirected(provider: home.cloud, query: query)
            }
            // Waits only when something is under way.
            let watcher = Task {
                while !Task.isCancelled {
                    await home.keeper.settle(within: Self.minute)
                    await Task.yield()
                }
            }
            let end = ContinuousClock.now + .seconds(30)
            while !home.clock.isSomebodySleeping(for: Self.minute), ContinuousClock.now < end { await Task.yield() }
            #expect(home.clock.isSomebodySleeping(for: Self.minute))
            watcher.cancel()
            letGo.signal()
            try await held
            _ = await redeemed
        }
    }

    @Test("a pause keeps the reply under way, sends nothing new, uses no approval up, and ends")
    func pause() async throws {
        try await TestHome.with(rotation: .none, deadline: Self.deadline) { home in
            let front = try await home.granted()
            let back = try await home.granted("back-door")
            home.clock.advance(by: .seconds(3601))
            let asked = try await home.keeper.request(device: back.device, by: .user("anna"))
            let query = try await home.provider.approve(asked.page)
            await home.provider.set("/token", .pausing)
            let device = front.device
            async let token = Result { () async throws in
                _ = try await home.keeper.token(device: device, minimumValidity: Self.minute)
            }
            await home.provider.waitForRequests("/token", count: 3)
            async let paused: Void = home.keeper.pause(within: .seconds(25))
            await home.clock.waitForSleeper(lasting: .seconds(25))
            let refusals = [
                await refusal { _ = try await home.keeper.token(device: back.device, minimumValidity: Self.minute) },
                await refusal { _ = try await home.keeper.redirected(provider: home.cloud, query: query) },
            ]
            #expect(refusals.map { $0?.kind } == [.sealed, .sealed])
            #expect(await home.provider.count("/token") == 3)
            await home.provider.release()
            await paused
            home.vault.seal()
            #expect(try await home.record(front.id).generation == 2)
            _ = await token
            try await home.vault.unseal(with: TestHome.key)
            await home.provider.set("/token", .obliging)
            home.clock.advance(by: .seconds(5))
            #expect(try await home.keeper.redirected(provider: home.cloud, query: query).state == .active)
        }
    }
}

extension Result where Failure == any Error {
    /// What an asynchronous body comes to.
    init(catching body: () async throws -> Success) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
