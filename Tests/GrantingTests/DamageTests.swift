// One damaged row costs what is in it and nothing else.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import Testing
import Vault

@Suite(.timeLimit(.minutes(1))) struct DamageTests {
    private static let minute = Duration.seconds(60)

    @Test("a damaged approval on its way does not keep other grants from being refreshed")
    func damagedApproval() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            _ = try await home.keeper.request(device: try TestHome.name("back-door"), by: .user("anna"))
            try await home.sqlite("UPDATE pending_approval SET sealed_proof = zeroblob(60)")
            home.clock.advance(by: .seconds(2900))
            try await running(home.keeper) { _ = try await home.grant(grant.id) { $0.generation == 2 } }
        }
    }

    @Test(
        "a grant whose secrets are damaged can be ended, and the owner hears that its provider does not know",
        arguments: [("grant", "sealed_access_token"), ("consumer", "sealed_secret")])
    func revoked(_ table: String, _ column: String) async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            try await home.sqlite("UPDATE \(table) SET \(column) = zeroblob(60)")
            let end = try await home.keeper.revoke(device: grant.device, by: .user("anna"))
            #expect(end.grant.state == .revoked)
            #expect(end.providerError == "a secret in \(table).\(column) is damaged")
            #expect(try await home.audit().last?.outcome == "not_told")
        }
    }

    @Test("a reply that the disk does not take is kept, and put in place when there is room, without the provider")
    func unkept() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            try await home.sqlite(
                "CREATE TRIGGER full BEFORE UPDATE OF sealed_reply ON refresh BEGIN SELECT RAISE(ABORT, 'full'); END")
            for _ in 0..<3 {
                let refused = await refusal {
                    _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
                }
                #expect(refused != nil)
                home.clock.advance(by: .seconds(60))
            }
            try await home.sqlite("DROP TRIGGER full")
            _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
            #expect(try await home.record(grant.id).generation == 2)
            #expect(await home.provider.count("/token") == 2)
        }
    }

    @Test("a reply that the disk did not take gets another try before the vault is sealed")
    func unkeptBeforeSealing() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            try await home.sqlite(
                "CREATE TRIGGER full BEFORE UPDATE OF sealed_reply ON refresh BEGIN SELECT RAISE(ABORT, 'full'); END")
            _ = await refusal { _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute) }
            try await home.sqlite("DROP TRIGGER full")
            await home.keeper.pause(within: .seconds(25))
            #expect(try await home.record(grant.id).generation == 2)
            #expect(await home.provider.count("/token") == 2)
        }
    }
}
