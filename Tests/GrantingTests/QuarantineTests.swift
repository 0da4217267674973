// A hub that may be a copy says nothing to anybody until its owner has said that it is the one.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded) struct QuarantineTests {
    private static let elsewhere = Machine(id: "other", board: "board-2", interfaces: [])
    private func device() throws -> Device { try TestHome.device("front-door", 0) }

    @Test("a copy sends nothing, refuses commands and requests, and serves what still lives")
    func nothingIsSent() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            await home.provider.set("/revoke", .answering(503, ""))
            _ = try await home.granted("back-door")
            _ = try await home.keeper.revoke(device: try TestHome.name("back-door"), by: .user("anna"))
            let sent = await home.provider.received.count
            let (vault, keeper) = try await home.afterCrash(machine: Self.elsewhere)
            #expect(vault.quarantine != nil)
            try await running(keeper) {
                await home.pass(.seconds(2900), keeper)
                try await home.waitForTroubles([.quarantined], in: vault)
                #expect(try await home.token(grant.device, from: keeper).expiresIn == 700)
                let refusals = [
                    await refusal { _ = try await keeper.authorise("lock.lock", on: try device()) },
                    await refusal { _ = try await keeper.request(device: grant.device, by: .user("anna")) },
                    await refusal { _ = try await keeper.check(device: grant.device) },
                    await refusal {
                        _ = try await keeper.exchangedToken(
                            device: grant.device, audience: [], resource: [], scopes: [])
                    },
                ]
                #expect(refusals.map { $0?.kind } == Array(repeating: .conflict, count: 4))
                #expect(refusals.allSatisfy { $0?.hint?.contains("keyholder quarantine lift") == true })
                await home.pass(.seconds(3600), keeper)
                let dead = await refusal { _ = try await home.token(grant.device, from: keeper) }
                #expect(dead?.kind == .conflict)
                try await home.takeTurns(keeper)
            }
            #expect(await home.provider.received.count == sent)
            #expect(try await home.kindsTold(in: vault) == [.quarantined])
        }
    }

    @Test("once the owner has said that it is the one, it goes on where it stopped, and says so")
    func lifted() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            let (vault, keeper) = try await home.afterCrash(machine: Self.elsewhere)
            try await running(keeper) {
                try await home.waitForTroubles([.quarantined], in: vault)
                try await keeper.liftQuarantine(by: .user("anna"))
                _ = try await home.grant(grant.id, in: vault) { $0.generation == 2 }
                #expect(try await keeper.authorise("lock.lock", on: try device()).grant == grant.id)
            }
            #expect(try await home.kindsTold(in: vault) == [.quarantined, .wellAgain])
            let again = await refusal { try await keeper.liftQuarantine(by: .user("anna")) }
            #expect(again?.kind == .notFound)
            let last = try await vault.read { try $0.auditEntries(after: 0, limit: 1000) }
            #expect(last.contains { $0.action == "vault.quarantine" && $0.outcome == "lifted" })
        }
    }

    @Test("a copy does not use an approval up, and takes it once it is the one")
    func approval() async throws {
        try await TestHome.with { home in
            let asked = try await home.keeper.request(device: try TestHome.name("front-door"), by: .user("anna"))
            let query = try await home.provider.approve(asked.page)
            let keeper = try await home.afterCrash(machine: Self.elsewhere).keeper
            let refused = await refusal { _ = try await keeper.redirected(provider: home.cloud, query: query) }
            #expect(refused?.kind == .conflict)
            #expect(await home.provider.count("/token") == 0)
            try await keeper.liftQuarantine(by: .user("anna"))
            #expect(try await keeper.redirected(provider: home.cloud, query: query).state == .active)
        }
    }
}
