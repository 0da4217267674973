// What a wall clock says is believed only when it can be true, and never against the clock that counts from boot.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded) struct ClockTests {
    private static let year = 365 * 86_400.0
    private static let origin = Date(timeIntervalSince1970: 60)

    @Test(
        "C30: over a restart of the program a token's age is exact, whatever the wall clock says",
        arguments: [10 * year, -10 * year, -ManualClock.epoch.timeIntervalSince1970, 86_000, -3000])
    func restart(_ jump: Double) async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(1000))
            home.clock.setWall(home.clock.wall.addingTimeInterval(jump))
            let (vault, keeper) = try await home.afterCrash()
            try await running(keeper) {
                #expect(try await home.token(grant.device, from: keeper).expiresIn == 2600)
                try await home.takeTurns(keeper)
                #expect(await home.provider.count("/token") == 1)
                await home.pass(.seconds(1881), keeper)
                _ = try await home.grant(grant.id, in: vault) { $0.generation == 2 }
                #expect(try await home.token(grant.device, from: keeper).expiresIn == 3600)
            }
        }
    }

    @Test(
        "C30: a clock that is set while the program runs changes nothing about a token",
        arguments: [10 * year, -10 * year])
    func running1(_ jump: Double) async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            try await running(home.keeper) {
                await home.pass(.seconds(1000))
                try await home.takeTurns()
                home.clock.setWall(home.clock.wall.addingTimeInterval(jump))
                await home.pass(.seconds(60))
                try await home.takeTurns()
                #expect(try await home.token(grant.device).expiresIn == 2540)
                #expect(await home.provider.count("/token") == 1)
                await home.pass(.seconds(1821))
                _ = try await home.grant(grant.id) { $0.generation == 2 }
            }
        }
    }

    @Test("a hub that boots in 1970 drops no token, and refreshes at once what it cannot tell the age of")
    func boot() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(100))
            home.clock.setWall(Self.origin)
            let (vault, keeper) = try await home.afterCrash(boot: "boot-2")
            try await running(keeper) {
                _ = try await home.grant(grant.id, in: vault) { $0.generation == 2 }
                #expect(try await home.token(grant.device, from: keeper).expiresIn == 3600)
                // From now on the boot clock tells.
                await home.pass(.seconds(600), keeper)
                #expect(try await home.token(grant.device, from: keeper).expiresIn == 3000)
                #expect(await home.provider.count("/token") == 2)
            }
        }
    }

    @Test("a hub that boots in 1970 without a provider serves the token that it has, and the provider decides")
    func doubtful() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            let held = try await home.token(grant.device).accessToken.revealText()
            home.clock.advance(by: .seconds(100))
            home.clock.setWall(Self.origin)
            home.cloud(endpoints: { $0.token = "http://127.0.0.1:1/token" })
            let (vault, keeper) = try await home.afterCrash(boot: "boot-2")
            try await running(keeper) {
                #expect(try await home.token(grant.device, from: keeper).accessToken.revealText() == held)
                let device = try TestHome.device("front-door", 0)
                #expect(try await keeper.authorise("lock.lock", on: device).grant == grant.id)
                #expect(try await vault.read { try $0.grant(id: grant.id) }?.grant.state == .active)
            }
        }
    }

    @Test("a clock that is set ends every wait: what rested because of it is tried within ten seconds")
    func synchronised() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(100))
            let right = home.clock.wall
            home.clock.setWall(Self.origin)
            await home.provider.set("/token", .answering(503, "", headers: ["Retry-After": "3600"]))
            let (vault, keeper) = try await home.afterCrash(boot: "boot-2")
            try await running(keeper) {
                await home.provider.waitForRequests("/token", count: 2)
                while try await keeper.health(of: grant.id).failures == 0 { await Task.yield() }
                await home.provider.set("/token", .obliging)
                try await home.takeTurns(keeper)
                await home.pass(.seconds(20), keeper)
                try await home.takeTurns(keeper)
                #expect(await home.provider.count("/token") == 2)
                // An hour old by now, as far as anybody knows.
                home.clock.setWall(right.addingTimeInterval(4000))
                await home.pass(.seconds(10), keeper)
                _ = try await home.grant(grant.id, in: vault) { $0.generation == 2 }
            }
        }
    }

    @Test(
        "C30: an approval that waits outlives a clock that is set, and ends with its own time",
        arguments: [true, false])
    func approval(_ isInTime: Bool) async throws {
        try await TestHome.with { home in
            let right = home.clock.wall
            home.clock.setWall(Self.origin)
            let asked = try await home.keeper.request(device: try TestHome.name("front-door"), by: .user("anna"))
            let query = try await home.provider.approve(asked.page)
            try await running(home.keeper) {
                try await home.takeTurns()
                home.clock.setWall(right)
                await home.pass(.seconds(isInTime ? 60 : 901))
                try await home.takeTurns()
                guard isInTime else {
                    _ = try await home.grant(asked.grant.id) { $0.state == .needsReauth }
                    return
                }
                #expect(try await home.record(asked.grant.id).state == .pending)
                #expect(try await home.keeper.redirected(provider: home.cloud, query: query).state == .active)
            }
        }
    }
}

@Suite(.timeLimit(.minutes(1)), .bounded) struct IdleTests {
    @Test(
        "a grant is refreshed at half of the time after which its provider forgets it",
        arguments: [false, true])
    func profile(_ neverExpires: Bool) async throws {
        try await TestHome.with { home in
            home.cloud(endpoints: {
                $0.refreshTokenLifetime = 2000
                $0.neverExpires = neverExpires
            })
            let grant = try await home.granted()
            try await running(home.keeper) {
                await home.pass(.seconds(999))
                try await home.takeTurns()
                #expect(await home.provider.count("/token") == 1)
                await home.pass(.seconds(2))
                _ = try await home.grant(grant.id) { $0.generation == 2 }
            }
        }
    }

    @Test(
        "what the reply says about the refresh token's life counts more than the profile",
        arguments: ["refresh_token_expires_in", "refresh_expires_in"])
    func told(_ field: String) async throws {
        try await TestHome.with { home in
            home.cloud(endpoints: { $0.refreshTokenLifetime = 2000 })
            let reply =
                "{\"access_token\":\"{at}\",\"expires_in\":3600,\"refresh_token\":\"{rt}\",\"\(field)\":\"400\"}"
            await home.provider.change { $0.reply = reply }
            let grant = try await home.granted()
            #expect(grant.refreshExpiresAt == home.clock.wall.addingTimeInterval(400))
            try await running(home.keeper) {
                await home.pass(.seconds(199))
                try await home.takeTurns()
                #expect(await home.provider.count("/token") == 1)
                await home.pass(.seconds(2))
                _ = try await home.grant(grant.id) { $0.generation == 2 }
            }
        }
    }

    @Test("C33: what the provider forgot while the hub was off needs approval, and no other grant is touched")
    func forgotten() async throws {
        try await TestHome.with { home in
            let front = try await home.granted("front-door")
            await home.provider.revokeAll()
            let back = try await home.granted("back-door")
            home.clock.advance(by: .seconds(40 * 86_400))
            let (vault, keeper) = try await home.afterCrash(boot: "boot-2")
            try await running(keeper) {
                _ = try await home.grant(front.id, in: vault) { $0.state == .needsReauth }
                _ = try await home.grant(back.id, in: vault) { $0.generation == 2 }
                #expect(try await home.token(back.device, from: keeper).expiresIn == 3600)
            }
            let told = try await home.told(in: vault)
            #expect(told.map(\.kind) == [.needsApproval])
            #expect(told.first?.device == front.device)
        }
    }
}
