// A token whose answer was lost is sent again only where that cannot cost the grant, counted at the provider.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded, .serialized) struct ReplayTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let rotation: OAuth2Endpoints.Rotation
        /// How often the token is sent at once.
        let atOnce: Int
        /// How often in the ten minutes in which the access token still lives.
        let within: ClosedRange<Int>
        var testDescription: String { rotation.rawValue }
    }

    private static let table = [
        Case(rotation: .strict, atOnce: 1, within: 1...1), Case(rotation: .unknown, atOnce: 2, within: 2...2),
        Case(rotation: .grace, atOnce: 2, within: 3...4), Case(rotation: .none, atOnce: 2, within: 5...12),
    ]

    @Test("after a silence the token is sent again as often as the rotation allows, and no more", arguments: table)
    func silence(_ one: Case) async throws {
        try await TestHome.with(rotation: one.rotation) { home in
            let grant = try await home.granted()
            let live = try await home.token(grant.device).accessToken.revealText()
            await home.provider.set("/token", .breakingOff)
            home.clock.advance(by: .seconds(2881))
            for step in 0...60 {
                if step > 0 { home.clock.advance(by: .seconds(10)) }
                // Somebody wants a longer one all the time and gets the one that lives.
                let token = try await home.keeper.token(device: grant.device, minimumValidity: .seconds(3000))
                #expect(token.accessToken.revealText() == live)
                if step == 0 { #expect(await home.provider.count("/token") == 1 + one.atOnce) }
            }
            #expect(one.within.contains(await home.provider.count("/token") - 1))
            #expect(await home.provider.accessTokens[live] != nil)
        }
    }

    @Test(
        "the same holds for the next run of the program, and for the next boot", arguments: table, ["boot-1", "boot-2"])
    func crash(_ one: Case, _ boot: String) async throws {
        try await TestHome.with(rotation: one.rotation, deadline: .seconds(120)) { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(2881))
            // Killed before the answer came.
            let intent = try await home.intent(of: grant)
            #expect(try await home.vault.write { try $0.beginRefresh(intent) })
            home.clock.advance(by: .seconds(3))
            let (vault, keeper) = try await home.afterCrash(boot: boot)
            try await running(keeper) {
                guard one.rotation == .strict else {
                    _ = try await home.grant(grant.id, in: vault) { $0.generation == 2 }
                    #expect(await home.provider.count("/token") == 2)
                    return
                }
                // 716 s are left, so it is asked for when 30 are.
                try await home.waitForTroubles([.forecast], in: vault)
                await home.pass(.seconds(680), keeper)
                try await home.takeTurns(keeper)
                #expect(await home.provider.count("/token") == 1)
                await home.pass(.seconds(10), keeper)
                _ = try await home.grant(grant.id, in: vault) { $0.generation == 2 }
                #expect(await home.provider.count("/token") == 2)
                #expect(try await home.kindsTold(in: vault) == [.forecast, .wellAgain])
            }
        }
    }

    @Test("a strict provider that has rotated costs the grant, which is foretold, and told when it has happened")
    func lost() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            await home.provider.set("/token", .rotatingAndBreakingOff)
            home.clock.advance(by: .seconds(2881))
            try await running(home.keeper) {
                await home.provider.waitForRequests("/token", count: 2)
                await home.provider.set("/token", .obliging)
                try await home.waitForTroubles([.forecast])
                #expect(try await home.told().first?.text.contains("in 11 minutes") == true)
                #expect(try await home.keeper.health(of: grant.id).verdict == .ambiguous)
                await home.pass(.seconds(689))
                let ended = try await home.grant(grant.id) { $0.state == .needsReauth }
                #expect(ended.reason?.contains("whose answer was lost") == true)
            }
            #expect(await home.provider.count("/token") == 3)
            #expect(try await home.openTroubles() == [.needsApproval])
        }
    }

    @Test("a strict provider that has not rotated answers at last, and then it is well again")
    func found() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            await home.provider.set("/token", .breakingOff)
            home.clock.advance(by: .seconds(2881))
            try await running(home.keeper) {
                await home.provider.waitForRequests("/token", count: 2)
                await home.provider.set("/token", .obliging)
                try await home.waitForTroubles([.forecast])
                await home.pass(.seconds(689))
                _ = try await home.grant(grant.id) { $0.generation == 2 }
            }
            #expect(try await home.kindsTold() == [.forecast, .wellAgain])
            #expect(try await home.openTroubles().isEmpty)
            #expect(try await home.keeper.health(of: grant.id).verdict == .well)
        }
    }

    @Test("C16: a reply on the disk is put in place after a crash in the next boot too, and its age is known")
    func staged() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3600))
            let intent = try await home.intent(of: grant)
            let body = TokenReply(
                accessToken: Secret(text: "kept-access-token"), expiresIn: 3600,
                refreshToken: Secret(text: "kept-refresh-token")
            ).body()
            #expect(try await home.vault.write { try $0.beginRefresh(intent) })
            #expect(try await home.vault.write { try $0.stageReply(body, of: grant.id, generation: 1) })
            home.clock.advance(by: .seconds(100))
            let (vault, keeper) = try await home.afterCrash(boot: "boot-2")
            try await running(keeper) {
                _ = try await home.grant(grant.id, in: vault) { $0.generation == 2 }
                #expect(try await home.token(grant.device, from: keeper).expiresIn == 3500)
            }
            #expect(await home.provider.count("/token") == 1)
        }
    }
}

extension TestHome {
    /// What is on the disk when a refresh is about to be sent.
    fileprivate func intent(of grant: Grant) async throws -> OpenRefresh {
        let token = try #require(try await vault.read { try $0.tokens(of: grant.id) }?.refreshToken)
        let uptime = clock.timepiece.uptime()
        return OpenRefresh(
            grant: grant.id, generation: 1, tokenHash: token.reveal { HashFunction.sha256.digest($0) },
            boot: "boot-1", startedAt: clock.wall, startedUptime: Double(uptime.components.seconds))
    }
}
