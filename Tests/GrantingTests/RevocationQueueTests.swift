// What ended here ended at once; its provider is told as soon as it can be, over restarts too, and not for ever.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded) struct RevocationQueueTests {
    private static let down = Mood.answering(503, "")

    private func revoked(_ home: TestHome) async throws -> Revocation {
        let grant = try await home.granted()
        return try await home.keeper.revoke(device: grant.device, by: .user("anna"))
    }

    @Test("C34: a provider that is down is told later, by the next run too; here the tokens are gone at once")
    func later() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            let tokens = try #require(try await home.vault.read { try $0.tokens(of: grant.id) })
            await home.provider.set("/revoke", Self.down)
            let end = try await home.keeper.revoke(device: grant.device, by: .user("anna"))
            #expect(end.isQueued)
            #expect(end.grant.state == .revoked)
            #expect(try await home.vault.read { try $0.tokens(of: grant.id) } == nil)
            #expect(await refusal { _ = try await home.token(grant.device) }?.kind == .notAuthorised)
            #expect(try await home.keeper.queuedRevocations() == 1)
            #expect(try await home.audit().last?.outcome == "not_told")
            let (vault, keeper) = try await home.afterCrash(boot: "boot-2")
            await home.provider.set("/revoke", .obliging)
            try await running(keeper) {
                await home.pass(.seconds(90), keeper)
                await home.provider.waitForRequests("/revoke", count: 2)
                await keeper.settle(within: .seconds(60))
            }
            #expect(await home.provider.revoked == [tokens.refreshToken?.revealText()])
            #expect(try await keeper.queuedRevocations() == 0)
            #expect(try await vault.read { try $0.auditEntries(after: 0, limit: 1000) }.last?.outcome == "told")
        }
    }

    @Test("C34: a provider that never answers keeps nobody from revoking, and is told later")
    func silent() async throws {
        try await TestHome.with(deadline: .seconds(2)) { home in
            await home.provider.set("/revoke", .hanging)
            let end = try await revoked(home)
            #expect(end.isQueued)
            #expect(try await home.keeper.queuedRevocations() == 1)
        }
    }

    @Test("C34: it is told the more seldom the longer it is down, and given up after thirty days")
    func givenUp() async throws {
        try await TestHome.with { home in
            await home.provider.set("/revoke", Self.down)
            _ = try await revoked(home)
            try await running(home.keeper) {
                var tries = 1
                // 75 s, then twice as long each time, up to seven and a half hours.
                for seconds in [75, 150, 300, 600, 1200, 2400, 4800, 9600, 19_200] {
                    await home.pass(.seconds(seconds - 2))
                    try await home.takeTurns()
                    #expect(await home.provider.count("/revoke") == tries)
                    await home.pass(.seconds(2))
                    tries += 1
                    await home.provider.waitForRequests("/revoke", count: tries)
                    await home.keeper.settle(within: .seconds(60))
                    try await home.takeTurns()
                }
                #expect(try await home.keeper.queuedRevocations() == 1)
                await home.pass(.seconds(30 * 86_400))
                await home.provider.waitForRequests("/revoke", count: tries + 1)
                await home.keeper.settle(within: .seconds(60))
                #expect(try await home.keeper.queuedRevocations() == 0)
                await home.pass(.seconds(86_400))
                try await home.takeTurns()
                #expect(await home.provider.count("/revoke") == tries + 1)
            }
            // Said when it began and when it was given up, not at each try.
            #expect(try await home.audit().count { $0.outcome == "not_told" } == 2)
        }
    }

    @Test("a provider that cannot be told is not: the owner hears where to take it back by hand")
    func notOffered() async throws {
        try await TestHome.with { home in
            home.cloud(
                profile: { $0.revocationPage = "https://issuer.example/apps" }, endpoints: { $0.revocation = nil })
            let end = try await revoked(home)
            #expect(!end.isQueued)
            #expect(end.providerError?.contains("take it back at https://issuer.example/apps") == true)
            #expect(try await home.keeper.queuedRevocations() == 0)
            #expect(await home.provider.count("/revoke") == 0)
        }
    }

    @Test(
        "a clear no is final; a refused consumer is not",
        arguments: [(400, "invalid_request", false), (401, "invalid_client", true)])
    func refused(_ status: Int, _ code: String, _ isQueued: Bool) async throws {
        try await TestHome.with { home in
            await home.provider.set("/revoke", .answering(status, "{\"error\":\"\(code)\"}"))
            #expect(try await revoked(home).isQueued == isQueued)
            let waiting = try await home.keeper.queuedRevocations()
            #expect(waiting == (isQueued ? 1 : 0))
        }
    }

    @Test("nothing is told while the vault is sealed, and it is told when it is opened")
    func sealed() async throws {
        try await TestHome.with { home in
            await home.provider.set("/revoke", Self.down)
            _ = try await revoked(home)
            await home.provider.set("/revoke", .obliging)
            try await running(home.keeper) {
                home.vault.seal()
                await home.pass(.seconds(600))
                try await home.takeTurns()
                #expect(await home.provider.count("/revoke") == 1)
                #expect(try await home.keeper.queuedRevocations() == 1)
                try await home.vault.unseal(with: TestHome.key)
                await home.provider.waitForRequests("/revoke", count: 2)
                await home.keeper.settle(within: .seconds(60))
            }
            #expect(try await home.keeper.queuedRevocations() == 0)
        }
    }
}
