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
