// A person hears of a trouble once, before it happens where that can be known, and hears when it is over.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded) struct NoticeTests {
    private static let day = 86_400

    private func lost(_ home: TestHome) async throws -> Grant {
        let grant = try await home.granted()
        home.clock.advance(by: .seconds(3601))
        await home.provider.set("/token", .answering(400, "{\"error\":\"invalid_grant\"}"))
        for _ in 0..<3 { _ = await refusal { _ = try await home.token(grant.device) } }
        await home.provider.set("/token", .obliging)
        return grant
    }

    @Test("a grant that needs approval is told once, over a restart too, and an approval ends it")
    func approved() async throws {
        try await TestHome.with { home in
            let grant = try await lost(home)
            let (vault, keeper) = try await home.afterCrash()
            _ = await refusal { _ = try await home.token(grant.device, from: keeper) }
            try await running(keeper) { try await home.takeTurns(keeper) }
            let told = try await home.told(in: vault)
            #expect(told.map(\.kind) == [.needsApproval])
            #expect(told.first?.device == grant.device)
            #expect(told.first?.hint == "run 'keyholder grant request front-door' and approve it")
            #expect(try await home.keeper.health(of: grant.id).verdict == .needsApproval)
            _ = try await home.granted()
            #expect(try await home.kindsTold() == [.needsApproval, .wellAgain])
            #expect(try await home.openTroubles().isEmpty)
        }
    }

    @Test("a revoked grant needs nothing any more")
    func revoked() async throws {
        try await TestHome.with { home in
            let grant = try await lost(home)
            _ = try await home.keeper.revoke(device: grant.device, by: .user("anna"))
            #expect(try await home.kindsTold() == [.needsApproval, .wellAgain])
        }
    }

    @Test("a request that nobody approves is no news to anybody")
    func unanswered() async throws {
        try await TestHome.with { home in
            let asked = try await home.keeper.request(device: try TestHome.name("front-door"), by: .user("anna"))
            try await running(home.keeper) {
                await home.pass(.seconds(901))
                _ = try await home.grant(asked.grant.id) { $0.state == .needsReauth }
            }
            #expect(try await home.kindsTold().isEmpty)
        }
    }

    struct Life: Sendable, CustomTestStringConvertible {
        let days: Int
        /// Days after the approval at which the end is told.
        let toldAt: Int
        var testDescription: String { "\(days) days" }
    }

    @Test(
        "the end of a grant that cannot be refreshed is told a fifth of its life before, a week at most",
        arguments: [Life(days: 10, toldAt: 8), Life(days: 30, toldAt: 24)])
    func accessToken(_ life: Life) async throws {
        try await TestHome.with { home in
            let reply = "{\"access_token\":\"{at}\",\"expires_in\":\(life.days * Self.day)}"
            await home.provider.change { $0.reply = reply }
            let grant = try await home.granted()
            try await foretold(home, grant, life)
        }
    }

    @Test(
        "the end of a refresh token that use does not prolong is told before, whatever happens to access tokens",
        arguments: [Life(days: 10, toldAt: 8), Life(days: 90, toldAt: 83)])
    func refreshToken(_ life: Life) async throws {
        try await TestHome.with(rotation: .none) { home in
            home.cloud(
                .none,
                endpoints: {
                    $0.refreshTokenLifetime = life.days * Self.day
                    $0.prolongsRefreshTokens = false
                })
            await home.provider.setLifetime(2_592_000)
            let grant = try await home.granted()
            #expect(
                try await home.keeper.health(of: grant.id).approvalEnds
                    == grant.createdAt.addingTimeInterval(Double(life.days * Self.day)))
            try await foretold(home, grant, life)
        }
    }

    private func foretold(_ home: TestHome, _ grant: Grant, _ life: Life) async throws {
        try await running(home.keeper) {
            await home.pass(.seconds(life.toldAt * Self.day - 60))
            try await home.takeTurns()
            #expect(try await home.openTroubles().isEmpty)
            await home.pass(.seconds(120))
            try await home.waitForTroubles([.forecast])
            await home.pass(.seconds(3600))
            try await home.takeTurns()
        }
        let (vault, keeper) = try await home.afterCrash()
        try await running(keeper) {
            await home.pass(.seconds(3600), keeper)
            try await home.takeTurns(keeper)
            let told = try await home.told(in: vault)
            #expect(told.map(\.kind) == [.forecast])
            #expect(told.first?.device == grant.device)
            #expect(told.first?.text.contains("will need your approval") == true)
            await home.provider.change { $0.reply = nil }
            let asked = try await keeper.request(device: grant.device, by: .user("anna"))
            _ = try await keeper.redirected(
                provider: home.cloud, query: try await home.provider.approve(asked.page))
            #expect(try await home.kindsTold(in: vault) == [.forecast, .wellAgain])
        }
    }

    @Test("a grant that is refreshed for ever is never foretold to end")
    func endless() async throws {
        try await TestHome.with(rotation: .none) { home in
            home.cloud(.none, endpoints: { $0.refreshTokenLifetime = 10 * Self.day })
            await home.provider.setLifetime(Self.day)
            let grant = try await home.granted()
            try await running(home.keeper) {
                for generation in 2...12 {
                    try await home.takeTurns()
                    await home.pass(.seconds(Self.day))
                    _ = try await home.grant(grant.id) { $0.generation >= generation }
                }
            }
            #expect(try await home.kindsTold().isEmpty)
            #expect(try await home.keeper.health(of: grant.id).approvalEnds == nil)
        }
    }

    @Test("answers that are no provider's are told once they last, and are over with the first good one")
    func suspicious() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .answering(200, "<html>Please log in</html>"))
            for attempt in 1...7 {
                _ = await refusal { _ = try await home.token(grant.device) }
                #expect(try await home.kindsTold() == (attempt < 5 ? [] : [.suspicious]))
                home.clock.advance(by: .seconds(600))
            }
            #expect(await home.provider.count("/token") == 8)
            await home.provider.set("/token", .obliging)
            _ = try await home.token(grant.device)
            #expect(try await home.kindsTold() == [.suspicious, .wellAgain])
        }
    }

    @Test("a request that the provider will never take is told at once, and is over with the first good answer")
    func configuration() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .answering(400, "{\"error\":\"invalid_scope\"}"))
            for _ in 0..<3 { _ = await refusal { _ = try await home.token(grant.device) } }
            #expect(try await home.kindsTold() == [.configuration])
            await home.provider.set("/token", .obliging)
            home.clock.advance(by: .seconds(3600))
            _ = try await home.token(grant.device)
            #expect(try await home.kindsTold() == [.configuration, .wellAgain])
        }
    }
}
