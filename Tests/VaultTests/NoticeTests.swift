// Each trouble is told once, and once more when it is over; every channel goes on where it was.

import Delegation
import Foundation
import Sealing
import Testing
import Vault

@Suite struct NoticeTests {
    private func open(
        _ vault: Vault, _ kind: Notice.Kind, _ subject: String, _ text: String = "text", at now: Date = noon
    ) async throws -> Bool {
        let (device, provider) = (try DeviceName(checking: "front-door"), try ProviderName(checking: "cloud"))
        return try await vault.write {
            try $0.openNotice(
                kind, subject: subject, device: device, provider: provider, text: text, hint: "do this", at: now)
        }
    }

    private func notices(_ vault: Vault, after seq: Int64 = 0) async throws -> [Notice] {
        try await vault.read { try $0.notices(after: seq, limit: 2000) }
    }

    @Test("a trouble is told once, over a restart too, until it is over; then it can be told again")
    func latch() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            #expect(try await open(vault, .needsApproval, "grant-1", "first"))
            #expect(try await !open(vault, .needsApproval, "grant-1", "second"))
            try vault.close()
            let again = try await folder.reopen()
            #expect(try await !open(again, .needsApproval, "grant-1", "third"))
            let told = try #require(try await notices(again).first)
            #expect(
                told
                    == Notice(
                        seq: 1, at: noon, kind: .needsApproval, subject: "grant-1",
                        device: DeviceName(rawValue: "front-door"), provider: ProviderName(rawValue: "cloud"),
                        text: "first", hint: "do this"))
            #expect(try await again.read { try $0.openNotices() } == [told])
            let closed = try await again.write {
                try $0.closeNotice(.needsApproval, subject: "grant-1", text: "it works again", at: noon + 60)
            }
            #expect(closed)
            #expect(try await again.read { try $0.openNotices() }.isEmpty)
            let well = try #require(try await notices(again, after: 1).first)
            #expect(
                well
                    == Notice(
                        seq: 2, at: noon + 60, kind: .wellAgain, subject: "grant-1", device: told.device,
                        provider: told.provider, text: "it works again", hint: nil))
            #expect(try await open(again, .needsApproval, "grant-1", "once more"))
            #expect(try await notices(again).map(\.text) == ["first", "it works again", "once more"])
            try again.close()
        }
    }

    @Test("troubles of different kinds or subjects are different troubles")
    func different() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            #expect(try await open(vault, .forecast, "grant-1"))
            #expect(try await open(vault, .needsApproval, "grant-1"))
            #expect(try await open(vault, .needsApproval, "grant-2"))
            let hub = try await vault.write {
                try $0.openNotice(
                    .quarantined, subject: Notice.hub, device: nil, provider: nil, text: "text", hint: nil, at: noon)
            }
            #expect(hub)
            let closed = try await vault.write {
                try $0.closeNotice(.needsApproval, subject: "grant-1", text: "well", at: noon)
            }
            #expect(closed)
            let left = try await vault.read { try $0.openNotices() }
            #expect(left.map(\.kind) == [.forecast, .needsApproval, .quarantined])
            #expect(left.map(\.subject) == ["grant-1", "grant-2", "hub"])
            try vault.close()
        }
    }

    @Test("nothing is well again that was not told")
    func neverTold() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let closed = try await vault.write {
                try $0.closeNotice(.clientBroken, subject: "consumer", text: "well", at: noon)
            }
            #expect(!closed)
            #expect(try await notices(vault).isEmpty)
            try vault.close()
        }
    }

    @Test("each channel goes on where it was, never backwards, also while the vault is sealed")
    func channels() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            for number in 1...3 { #expect(try await open(vault, .suspicious, "grant-\(number)")) }
            vault.seal()
            #expect(try await vault.read { try $0.noticeCursor("webhook") } == 0)
            try await vault.write { try $0.moveNoticeCursor("webhook", to: 2) }
            try await vault.write { try $0.moveNoticeCursor("webhook", to: 1) }
            #expect(try await vault.read { try $0.noticeCursor("webhook") } == 2)
            #expect(try await vault.read { try $0.noticeCursor("command") } == 0)
            #expect(try await notices(vault, after: 2).map(\.subject) == ["grant-3"])
            #expect(try await vault.read { try $0.notices(after: 0, limit: 2) }.map(\.seq) == [1, 2])
            try vault.close()
        }
    }

    @Test("old notices are forgotten, but none whose trouble lasts")
    func pruned() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            #expect(try await open(vault, .needsApproval, "lasting"))
            try await vault.write { transaction in
                for number in 0..<600 {
                    _ = try transaction.openNotice(
                        .forecast, subject: "\(number)", device: nil, provider: nil, text: "text", hint: nil, at: noon)
                    _ = try transaction.closeNotice(.forecast, subject: "\(number)", text: "well", at: noon)
                }
            }
            let left = try await notices(vault)
            #expect(left.count == 1001)
            #expect(left.first?.subject == "lasting")
            #expect(left.last?.seq == 1201)
            try vault.close()
        }
    }
}
