// To change or drop a line of the audit log in the middle, one needs the key that is sealed.

import Delegation
import Foundation
import Sealing
import StrictJSON
import Testing
import Vault

@Suite struct AuditTests {
    static func entry(_ number: Int, subject: String = "front-door") -> AuditEntry {
        AuditEntry(
            actor: .user("anna"), action: "command", subject: subject, authority: "local", outcome: "executed",
            detail: ["number": .integer(Int64(number)), "x": .decimal(0.5), "nested": ["a": [true, .null]]])
    }

    /// A closed vault with five lines.
    static func write(_ folder: VaultFolder) async throws {
        let vault = try await folder.create()
        for number in 1...5 {
            try await vault.write { try $0.audit(entry(number), at: noon.addingTimeInterval(Double(number))) }
        }
        try vault.close()
    }

    static func verdict(_ folder: VaultFolder) async throws -> AuditVerdict {
        let vault = try await folder.reopen()
        let verdict = try await vault.read { try $0.verifyAudit() }
        try vault.close()
        return verdict
    }

    @Test("an empty log is intact")
    func empty() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            #expect(try await vault.read { try $0.verifyAudit() } == .intact(entries: 0))
            #expect(try await vault.read { try $0.auditEntries(after: 0, limit: 10) }.isEmpty)
            try vault.close()
        }
    }

    @Test("what was written reads back, numbered and to the second, and is intact")
    func intact() async throws {
        try await VaultFolder.use { folder in
            try await Self.write(folder)
            #expect(try await Self.verdict(folder) == .intact(entries: 5))
            let vault = try await Vault.open(at: folder.path)
            let entries = try await vault.read { try $0.auditEntries(after: 0, limit: 100) }
            #expect(entries.map(\.sequence) == [1, 2, 3, 4, 5])
            let last = try #require(entries.last)
            #expect(last.at == Date(timeIntervalSince1970: 1_790_000_005))
            #expect(last.actor == "user:anna")
            #expect(last.detail == Self.entry(5).detail)
            #expect(last.json["at"] == "2026-09-21T14:13:25Z")
            #expect(last.json["seq"] == 5)
            #expect(try await vault.read { try $0.auditEntries(after: 2, limit: 2) }.map(\.sequence) == [3, 4])
            try vault.close()
        }
    }

    @Test(
        "any change of a line is found at that line",
        arguments: [
            "actor = 'user:bob'", "action = 'grant.approve'", "subject = 'back-door'", "authority = 'grant:1'",
            "outcome = 'rejected'", "detail = '{}'", "detail = 'no json'",
            "at = '2026-09-21 14:13:24.000'", "at = 'yesterday'", "mac = zeroblob(32)", "mac = x''",
            "mac = (SELECT mac FROM audit WHERE seq = 2)",
        ])
    func changed(_ change: String) async throws {
        try await VaultFolder.use { folder in
            try await Self.write(folder)
            try await folder.sqlite("UPDATE audit SET \(change) WHERE seq = 3")
            #expect(try await Self.verdict(folder) == .broken(at: 3))
        }
    }

    static let columns = "at, actor, action, subject, authority, outcome, detail, mac"
    static let moves: [(String, Int64)] = [
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("DELETE FROM audit WHERE seq >= 4", 4),
        ("DELETE FROM audit", 1),
        ("DELETE FROM audit; DELETE FROM audit_head", 1),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq IN (2, 3, 4)", 2),
        ("DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3", 3),
        (
            "UPDATE audit SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3); "
                + "UPDATE audit SET seq = -seq WHERE seq < 0", 2
        ),
        ("UPDATE audit SET seq = 7 WHERE seq = 5", 5),
        ("UPDATE audit SET seq = 0 WHERE seq = 1", 1),
        ("INSERT INTO audit SELECT 6, \(columns) FROM audit WHERE seq = 5", 6),
        ("INSERT INTO audit SELECT 0, \(columns) FROM audit WHERE seq = 1", 1),
    ]

    @Test("lines that were removed, exchanged, moved or added are found", arguments: moves)
    func moved(_ sql: String, _ place: Int64) async throws {
        try await VaultFolder.use { folder in
            try await Self.write(folder)
            try await folder.sqlite(sql)
            #expect(try await Self.verdict(folder) == .broken(at: place))
        }
    }

    @Test("a log that was cut off stays broken, however much is written afterwards")
    func cutOffThenWritten() async throws {
        try await VaultFolder.use { folder in
            try await Self.write(folder)
            try await folder.sqlite("DELETE FROM audit WHERE seq >= 4")
            let vault = try await folder.reopen()
            for number in 4...9 { try await vault.write { try $0.audit(Self.entry(number), at: noon) } }
            try vault.close()
            #expect(try await Self.verdict(folder) == .broken(at: 4))
        }
    }

    @Test("a line of another history of the same vault does not fit, though the same key wrote it at the same place")
    func otherHistory() async throws {
        try await VaultFolder.use { folder in
            try await Self.write(folder)
            let before = try folder.fileBytes()
            var lines: [String] = []
            for subject in ["cellar", "attic"] {
                try before.write(to: URL(fileURLWithPath: folder.path))
                let vault = try await folder.reopen()
                for number in 6...7 {
                    try await vault.write { try $0.audit(Self.entry(number, subject: subject), at: noon) }
                }
                #expect(try await vault.read { try $0.verifyAudit() } == .intact(entries: 7))
                try vault.close()
                lines.append(try await folder.sqlite("SELECT subject, hex(mac) FROM audit WHERE seq = 6"))
            }
            let cellar = try #require(lines.first).split(separator: "|")
            try await folder.sqlite(
                "UPDATE audit SET subject = '\(cellar[0])', mac = x'\(cellar[1])' WHERE seq = 6")
            // Line 6 authenticates by itself; the one after it was written after another.
            #expect(try await Self.verdict(folder) == .broken(at: 7))
        }
    }

    @Test("a break stays where it is, however many lines follow")
    func staysBroken() async throws {
        try await VaultFolder.use { folder in
            try await Self.write(folder)
            try await folder.sqlite("DELETE FROM audit WHERE seq = 2")
            let vault = try await folder.reopen()
            for number in 6...8 { try await vault.write { try $0.audit(Self.entry(number), at: noon) } }
            #expect(try await vault.read { try $0.auditEntries(after: 5, limit: 10) }.map(\.sequence) == [6, 7, 8])
            #expect(try await vault.read { try $0.verifyAudit() } == .broken(at: 2))
            try vault.close()
        }
    }

    @Test("a log whose key was taken away is broken, and one whose key was changed cannot be vouched for")
    func key() async throws {
        try await VaultFolder.use { folder in
            try await Self.write(folder)
            let whole = try folder.fileBytes()
            try await folder.sqlite("DELETE FROM key WHERE purpose = 'audit'")
            #expect(try await Self.verdict(folder) == .broken(at: 1))
            try whole.write(to: URL(fileURLWithPath: folder.path))
            try await folder.sqlite("UPDATE key SET sealed_secret = zeroblob(60) WHERE purpose = 'audit'")
            await #expect(throws: VaultError.damagedSecret(table: "key", column: "sealed_secret")) {
                try await Self.verdict(folder)
            }
        }
    }

    @Test(
        "texts of every kind are kept and authenticate",
        arguments: [
            "", "a\nb", "\u{1}\u{7F}", "Ü \u{202E} 🗝", "' OR 1=1 --", "e\u{301}", "\u{212A}", "a\u{0}b", "\u{0}",
        ])
    func texts(_ text: String) async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let entry = AuditEntry(
                actor: .app(text), action: text, subject: text, authority: text, outcome: text,
                detail: .object([.init(text, .string(text))]))
            try await vault.write { try $0.audit(entry, at: noon) }
            #expect(try await vault.read { try $0.verifyAudit() } == .intact(entries: 1))
            let read = try #require(try await vault.read { try $0.auditEntries(after: 0, limit: 1) }.first)
            let kept = text.replacingOccurrences(of: "\u{0}", with: "\u{FFFD}")
            #expect(Array(read.subject.utf8) == Array(kept.utf8))
            #expect(Array(read.actor.utf8) == Array("app:\(kept)".utf8))
            #expect(read.detail == entry.detail)
            try vault.close()
        }
    }

    @Test("while sealed no line is written, and what it would tell about does not happen", arguments: [false, true])
    func sealed(_ hasLines: Bool) async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            if hasLines { try await vault.write { try $0.audit(Self.entry(1), at: noon) } }
            vault.seal()
            let device = try Device.sample("front-door")
            await #expect(throws: VaultError.sealed) {
                try await vault.write {
                    try $0.insertDevice(device)
                    try $0.audit(Self.entry(2), at: noon)
                }
            }
            #expect(try await vault.read { try $0.devices() }.isEmpty)
            #expect(try await vault.read { try $0.auditEntries(after: 0, limit: 10) }.count == (hasLines ? 1 : 0))
            await #expect(throws: VaultError.sealed) { try await vault.read { try $0.verifyAudit() } }
            try vault.close()
        }
    }

    @Test("a line whose transaction fails is not in the log, and the log goes on without a gap")
    func rollback() async throws {
        struct Failure: Error {}
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            try await vault.write { try $0.audit(Self.entry(1), at: noon) }
            await #expect(throws: Failure.self) {
                try await vault.write { transaction in
                    try transaction.audit(Self.entry(2), at: noon)
                    throw Failure()
                }
            }
            try await vault.write { try $0.audit(Self.entry(3), at: noon) }
            #expect(try await vault.read { try $0.verifyAudit() } == .intact(entries: 2))
            try vault.close()
        }
    }
}
