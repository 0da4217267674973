// What ends here ends at the provider too, where it can be told.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import Testing
import Vault

@Suite(.timeLimit(.minutes(1))) struct FarewellTests {
    private static let minute = Duration.seconds(60)

    @Test("the home's provider is told of the tokens whose place a newer approval took")
    func replaced() async throws {
        try await TestHome.with { home in
            let first = try await home.granted(at: home.own)
            let tokens = try await home.vault.read { try $0.tokens(of: first.id) }
            let second = try await home.granted(at: home.own)
            await home.keeper.settle(within: Self.minute)
            #expect(await home.provider.revoked == [tokens?.refreshToken?.revealText()])
            #expect(try await home.record(second.id).state == .active)
        }
    }

    @Test("other vendors are not told, because they may end the new tokens too")
    func replacedElsewhere() async throws {
        try await TestHome.with { home in
            _ = try await home.granted()
            _ = try await home.granted()
            await home.keeper.settle(within: Self.minute)
            #expect(await home.provider.count("/revoke") == 0)
        }
    }

    @Test("that the home's provider could not be told is in the audit log")
    func untold() async throws {
        try await TestHome.with { home in
            let first = try await home.granted(at: home.own)
            await home.provider.set("/revoke", .answering(503, ""))
            _ = try await home.granted(at: home.own)
            await home.keeper.settle(within: Self.minute)
            let last = try await home.audit().last
            #expect(last?.outcome == "not_told")
            #expect(last?.authority == first.id.rawValue)
        }
    }

    @Test("tokens that come for a request that was given up meanwhile are given back", arguments: ["cloud", "own"])
    func givenUp(_ name: String) async throws {
        try await TestHome.with { home in
            let provider = try #require(ProviderName(rawValue: name))
            let device = try TestHome.name("front-door")
            let asked = try await home.keeper.request(device: device, provider: provider, by: .user("anna"))
            let query = try await home.provider.approve(asked.page)
            await home.provider.set("/token", .pausing)
            async let refused = refusal { _ = try await home.keeper.redirected(provider: provider, query: query) }
            await home.provider.waitForRequests("/token", count: 1)
            _ = try await home.keeper.revoke(device: device, by: .user("anna"))
            await home.provider.release()
            #expect(await refused?.kind == .conflict)
            await home.keeper.settle(within: Self.minute)
            #expect(await home.provider.revoked.count == 1)
        }
    }

    @Test("tokens of a given-up request are not given back where that may end the grant of another device")
    func givenUpShared() async throws {
        try await TestHome.with { home in
            _ = try await home.granted("back-door")
            let device = try TestHome.name("front-door")
            let asked = try await home.keeper.request(device: device, by: .user("anna"))
            let query = try await home.provider.approve(asked.page)
            await home.provider.set("/token", .pausing)
            async let refused = refusal { _ = try await home.keeper.redirected(provider: home.cloud, query: query) }
            await home.provider.waitForRequests("/token", count: 2)
            _ = try await home.keeper.revoke(device: device, by: .user("anna"))
            await home.provider.release()
            #expect(await refused?.kind == .conflict)
            await home.keeper.settle(within: Self.minute)
            #expect(await home.provider.count("/revoke") == 0)
            #expect(try await home.audit().last?.outcome == "not_told")
        }
    }
}
