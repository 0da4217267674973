// What a grant is asked for with stays with it; the key that its tokens are bound to lives as long as they do.

import Delegation
import Foundation
import Sealing
import Testing
import Vault

@Suite struct GrantTests {
    @Test(
        "flow and release are those that the grant was asked for with", arguments: GrantFlow.allCases, Release.allCases)
    func terms(_ flow: GrantFlow, _ release: Release) async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault, flow: flow, release: release)
            #expect(try await sample.record(in: vault).grant == sample.grant)
            try await sample.activate(in: vault, with: .sample("1"))
            let active = try await sample.record(in: vault).grant
            #expect(active.state == .active)
            #expect(active.flow == flow && active.release == release)
            try vault.close()
        }
    }

    @Test("boot, uptime and the end of the refresh token are those of the newest generation")
    func clocks() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault)
            let before = try await sample.record(in: vault)
            #expect(before.issuedBoot == nil && before.issuedUptime == nil && before.grant.refreshExpiresAt == nil)
            try await sample.activate(
                in: vault, with: .sample("1", boot: "boot-a", uptime: 12.5, refreshExpiresAt: noon + 86400))
            let first = try await sample.record(in: vault)
            #expect(first.issuedBoot == "boot-a")
            #expect(first.issuedUptime == 12.5)
            #expect(first.grant.refreshExpiresAt == noon + 86400)
            try await sample.replace(in: vault, expecting: 1, with: .sample("2", boot: "b", uptime: 3))
            let second = try await sample.record(in: vault)
            #expect(second.issuedBoot == "b")
            #expect(second.issuedUptime == 3)
            #expect(second.grant.refreshExpiresAt == nil)
            try vault.close()
        }
    }

    @Test("the key that tokens are bound to is the same in every generation, over a restart too")
    func key() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault)
            try await sample.activate(in: vault, with: .sample("1", dpopKey: "key-1"))
            // Only the first tokens bring one.
            try await sample.replace(in: vault, expecting: 1, with: .sample("2", dpopKey: "key-2"))
            try await sample.replace(in: vault, expecting: 2, with: .sample("3"))
            try vault.close()
            let again = try await folder.reopen()
            let tokens = try #require(try await again.read { try $0.tokens(of: sample.grant.id) })
            #expect(tokens.shown == ["access-3", nil, "refresh-3", "key-1", "Bearer"])
            try again.close()
        }
    }

    @Test(
        "a grant that ends loses its tokens and their key; one that needs a new approval keeps them",
        arguments: Grant.State.allCases.filter { $0 != .pending && $0 != .active })
    func ends(_ state: Grant.State) async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault)
            try await sample.activate(in: vault, with: .sample("1", dpopKey: "key-1"))
            _ = try await vault.write { try $0.endGrant(sample.grant.id, from: [.active], to: state, reason: "test") }
            let tokens = try await vault.read { try $0.tokens(of: sample.grant.id) }
            try vault.close()
            let key = try await folder.sqlite("SELECT typeof(sealed_dpop_key) FROM grant")
            if state == .needsReauth {
                #expect(tokens?.shown == ["access-1", nil, "refresh-1", "key-1", "Bearer"])
                #expect(key == "blob")
            } else {
                #expect(tokens == nil)
                #expect(key == "null")
            }
        }
    }

    @Test("a key moved to another grant, or out of another column, does not open")
    func movedKey() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let samples = [
                try await GrantSample.put(into: vault), try await GrantSample.put(into: vault, device: "hall"),
            ]
            for sample in samples {
                try await sample.activate(in: vault, with: .sample("1", dpopKey: "key-\(sample.device.name)"))
            }
            try vault.close()
            let whole = try folder.fileBytes()
            let (first, second) = (samples[0].grant.id, samples[1].grant.id)
            for source in [
                "(SELECT sealed_dpop_key FROM grant WHERE id = '\(second)')",
                "(SELECT sealed_access_token FROM grant WHERE id = '\(first)')",
            ] {
                try await folder.sqlite("UPDATE grant SET sealed_dpop_key = \(source) WHERE id = '\(first)'")
                let again = try await folder.reopen()
                await #expect(throws: VaultError.damagedSecret(table: "grant", column: "sealed_dpop_key")) {
                    try await again.read { try $0.tokens(of: first) }
                }
                #expect(try await again.read { try $0.tokens(of: second)?.dpopKey?.revealText() } == "key-hall")
                try again.close()
                try whole.write(to: URL(fileURLWithPath: folder.path))
            }
        }
    }
}
