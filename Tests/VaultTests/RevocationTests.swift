// What a provider must still be told outlives the grant, the daemon and the failures in between.

import Delegation
import Foundation
import Sealing
import Testing
import Vault

@Suite struct RevocationTests {
    private static let oauth1 = GrantTokens(
        accessToken: Secret(text: "token-1"), tokenSecret: Secret(text: "token-secret"), refreshToken: nil,
        tokenType: "OAuth")
    private static let oauth2 = GrantTokens(
        accessToken: Secret(text: "access-2"), tokenSecret: nil, refreshToken: Secret(text: "refresh-2"),
        tokenType: "DPoP", dpopKey: Secret(text: "dpop-key"))

    /// A grant that has ended, with both kinds of tokens in the queue.
    private func queue(in vault: Vault) async throws -> GrantSample {
        let sample = try await GrantSample.put(into: vault)
        let record = try await sample.record(in: vault)
        try await vault.write {
            _ = try $0.endGrant(sample.grant.id, from: [.pending], to: .revoked, reason: "test")
            try $0.queueRevocation(of: record, tokens: Self.oauth1, at: noon)
            try $0.queueRevocation(of: record, tokens: Self.oauth2, at: noon + 1)
        }
        return sample
    }

    @Test("what was queued is due at once, comes back whole after a restart, and lies in no file in clear")
    func queued() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await queue(in: vault)
            try vault.close()
            let files = try folder.allBytes()
            for secret in ["token-1", "token-secret", "access-2", "refresh-2", "dpop-key"] {
                #expect(!files.contains(Data(secret.utf8)))
            }
            let again = try await folder.reopen()
            let due = try await again.read { try $0.dueRevocations(at: noon + 1) }
            #expect(due.map(\.tokens.shown) == [Self.oauth1.shown, Self.oauth2.shown])
            #expect(due.allSatisfy { $0.grant == sample.grant.id && $0.consumer == sample.consumer.id })
            #expect(due.allSatisfy { $0.device == sample.device.name && $0.provider == sample.provider })
            #expect(due.map(\.attempts) == [0, 0])
            #expect(due.map(\.createdAt) == [noon, noon + 1])
            #expect(try await again.read { try $0.dueRevocations(at: noon) }.count == 1)
            try again.close()
        }
    }

    @Test("a provider that cannot be told is asked again at its time, and not before; the attempts are counted")
    func delayed() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            _ = try await queue(in: vault)
            #expect(try await vault.read { try $0.nextRevocation() } == noon)
            let due = try await vault.read { try $0.dueRevocations(at: noon + 1) }
            let (first, second) = (due[0].id, due[1].id)
            try await vault.write {
                try $0.delayRevocation(first, until: noon + 60, error: "no route")
                try $0.delayRevocation(first, until: noon + 120, error: "no answer")
            }
            #expect(try await vault.read { try $0.nextRevocation() } == noon + 1)
            #expect(try await vault.read { try $0.dueRevocations(at: noon + 119) }.map(\.id) == [second])
            let later = try await vault.read { try $0.dueRevocations(at: noon + 120) }
            #expect(later.map(\.id) == [second, first])
            #expect(later.last?.attempts == 2)
            #expect(later.last?.lastError == "no answer")
            try await vault.write { try $0.deleteRevocation(second) }
            #expect(try await vault.read { try $0.nextRevocation() } == noon + 120)
            try await vault.write { try $0.deleteRevocation(first) }
            #expect(try await vault.read { try $0.nextRevocation() } == nil)
            try vault.close()
        }
    }

    @Test("damaged tokens are not waited for and keep no other from being revoked; a sealed vault says so")
    func damaged() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            _ = try await queue(in: vault)
            try vault.close()
            try await folder.sqlite("UPDATE revocation SET sealed_token_secret = sealed_access_token WHERE id = 1")
            let again = try await folder.reopen()
            #expect(try await again.read { try $0.dueRevocations(at: noon + 1) }.map(\.id) == [2])
            #expect(try await again.read { try $0.nextRevocation() } == noon + 1)
            again.seal()
            await #expect(throws: VaultError.sealed) { try await again.read { try $0.nextRevocation() } }
            await #expect(throws: VaultError.sealed) { try await again.read { try $0.dueRevocations(at: noon + 1) } }
            try again.close()
        }
    }
}
