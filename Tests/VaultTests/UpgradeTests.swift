// A vault of the release before this agent goes on after an update: no grant is lost, not one whose refresh was under way
// either, and it is not taken for a copy.

import Delegation
import Foundation
import Sealing
import StrictJSON
import Testing
import Vault

@Suite struct UpgradeTests {
    private func use(_ body: (VaultFolder) async throws -> Void) async throws {
        let text = try #require(try JSON(parsing: Data(contentsOf: Self.file("vault-2.json")))["key"]?.string)
        let key = KeySource.file(Secret(try #require(Hex.decode(text))))
        try await VaultFolder.use { folder in
            let folder = VaultFolder(folder: folder.folder, key: key)
            try await folder.sqlite(".read '\(try Self.file("vault-2.sql").path)'")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.path)
            try await body(folder)
        }
    }

    private static func file(_ name: String) throws -> URL {
        var place = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while place.path != "/" {
            let candidate = place.appendingPathComponent("Vectors/\(name)")
            if FileManager.default.fileExists(atPath: candidate.path) { return candidate }
            place.deleteLastPathComponent()
        }
        throw Refusal(.notFound, "no \(name) above the tests")
    }

    private let one = GrantID(rawValue: "grant-1")
    private let two = GrantID(rawValue: "grant-2")
    private let waiting = GrantID(rawValue: "grant-3")

    @Test("grants, tokens and a staged reply are what they were, with the terms that they always had")
    func grants() async throws {
        try await use { folder in
            let vault = try await folder.reopen()
            #expect(vault.quarantine == nil)
            let records = try await vault.read { try $0.grants() }
            #expect(records.map(\.grant.id) == [waiting, one, two])
            #expect(records.map(\.grant.state) == [.pending, .active, .active])
            #expect(records.allSatisfy { $0.grant.flow == .redirect && $0.grant.release == .token })
            #expect(records.allSatisfy { $0.issuedBoot == nil && $0.issuedUptime == nil })
            #expect(records.allSatisfy { $0.grant.refreshExpiresAt == nil })
            let (newer, older) = try await vault.read { (try $0.tokens(of: two), try $0.tokens(of: one)) }
            #expect(newer?.shown == ["access-2", nil, "refresh-2", nil, "Bearer"])
            #expect(older?.shown == ["token", "token-secret", nil, nil, "OAuth"])
            let open = try #require(try await vault.read { try $0.openRefresh(of: two) })
            #expect(open.reply?.revealText() == #"{"access_token":"access-3","refresh_token":"refresh-3"}"#)
            #expect(open.generation == 2 && open.boot == "boot-1")
            #expect(try await vault.write { try $0.replaceTokens(of: two, expecting: 2, with: .sample("3")) })
            #expect(try await vault.read { try $0.openRefreshes() }.isEmpty)
            try vault.close()
        }
    }

    @Test("an approval on its way is found by its state, and a consumer has one secret")
    func pending() async throws {
        try await use { folder in
            let vault = try await folder.reopen()
            let pending = try #require(
                try await vault.write { try $0.takePendingApproval(handle: Secret(text: "state-3")) })
            #expect(pending.grant == waiting && pending.flow == .redirect)
            #expect(pending.dpopKey == nil && pending.device == nil)
            #expect(pending.proof.revealText() == "verifier-3")
            let provider = try ProviderName(checking: "cloud")
            let consumer = try await vault.write {
                try $0.rotateConsumer(provider: provider, device: nil, secret: Secret(text: "new"), at: noon)
            }
            #expect(consumer?.formerSecrets.map { $0.revealText() } == ["secret-2"])
            try vault.close()
        }
    }

    @Test("the log is whole, counters go on, and from now on an old state is noticed")
    func noticed() async throws {
        try await use { folder in
            let before = try folder.fileBytes()
            let vault = try await folder.reopen()
            #expect(try await vault.read { try $0.verifyAudit() } == .intact(entries: 2))
            let last = try await vault.read {
                try $0.lastCounter(device: "dev-front-door", session: "session", keyID: "kid")
            }
            #expect(last == 5)
            try await vault.write {
                try $0.audit(
                    AuditEntry(actor: .agent, action: "test", subject: "x", authority: "local", outcome: "done"),
                    at: noon)
            }
            try vault.close()
            try before.write(to: URL(fileURLWithPath: folder.path))
            let again = try await folder.reopen()
            #expect(again.quarantine == "an older state of the vault was put back")
            try again.close()
        }
    }
}
