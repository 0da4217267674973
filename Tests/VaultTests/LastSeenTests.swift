// What the vault takes for the latest time is neither that of a hub that woke up in 1970 nor that of one that was ahead.

import Delegation
import Foundation
import Sealing
import Testing
import Vault

@Suite struct LastSeenTests {
    private func audit(_ vault: Vault, at times: [Date]) async throws {
        try await vault.write { transaction in
            for time in times {
                try transaction.audit(
                    AuditEntry(actor: .agent, action: "test", subject: "x", authority: "local", outcome: "done"),
                    at: time)
            }
        }
    }

    private static let later = Date(timeIntervalSince1970: 4_000_000_000)

    @Test("a home in which nothing happened has seen no time")
    func nothing() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            #expect(try await vault.read { try $0.lastSeen() } == nil)
            try vault.close()
        }
    }

    @Test(
        "the newest line counts; those of a clock that had not been set are passed over, a clock set back is believed")
    func plausible() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let (later, epoch) = (Self.later, Date(timeIntervalSince1970: 100))
            try await audit(vault, at: [later, later + 60])
            #expect(try await vault.read { try $0.lastSeen() } == later + 60)
            try await audit(vault, at: [epoch, epoch + 1])
            #expect(try await vault.read { try $0.lastSeen() } == later + 60)
            try await audit(vault, at: [later + 300_000_000, later + 120])
            vault.seal()
            #expect(try await vault.read { try $0.lastSeen() } == later + 120)
            try vault.close()
        }
    }

    @Test("without a line that can be believed, a token's time counts")
    func tokens() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault)
            let tokens = IssuedTokens.sample("1").tokens
            try await vault.write {
                _ = try $0.activateGrant(
                    sample.grant.id,
                    with: IssuedTokens(tokens: tokens, scopes: [], issuedAt: Self.later, expiresAt: nil))
            }
            #expect(try await vault.read { try $0.lastSeen() } == Self.later)
            try await audit(vault, at: [Date(timeIntervalSince1970: 100)])
            #expect(try await vault.read { try $0.lastSeen() } == Self.later)
            try vault.close()
        }
    }
}
