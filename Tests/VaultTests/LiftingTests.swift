// When the owner says that this is the one, it is; and nothing that a lost state may have used is used again.

import Delegation
import Foundation
import Sealing
import StrictJSON
import Testing
import Vault

@Suite struct LiftingTests {
    private static let machine = Machine(id: "a", board: "b", interfaces: [])
    private static let other = Machine(id: "a", board: "c", interfaces: [])

    private func command(_ device: Device, session: String, counter: Int64) -> CommandRecord {
        CommandRecord(
            id: Random.alphanumerics(16), device: device.id, operation: "lock", args: [:], requester: .agent,
            grant: nil,
            session: session, keyID: "kid", counter: counter, hash: Random.alphanumerics(16), createdAt: noon)
    }

    /// A vault with a device that has been sent commands, opened where it was not before.
    private func quarantined(_ body: (VaultFolder, Vault, Device) async throws -> Void) async throws {
        try await VaultFolder.use { folder in
            let vault = try await Vault.create(
                at: folder.path, key: folder.key, homeName: "Test home", machine: Self.machine)
            let device = try Device.sample("front-door")
            try await vault.write {
                try $0.insertDevice(device)
                try $0.insertCommand(command(device, session: "one", counter: 7))
                try $0.audit(
                    AuditEntry(actor: .agent, action: "test", subject: "x", authority: "local", outcome: "done"),
                    at: noon)
            }
            try vault.close()
            let moved = try await Vault.open(at: folder.path, machine: Self.other)
            try await moved.unseal(with: folder.key)
            try await body(folder, moved, device)
        }
    }

    private func lift(_ vault: Vault) async throws -> String? {
        try await vault.liftQuarantine { transaction, reason in
            try transaction.audit(
                AuditEntry(
                    actor: .agent, action: "quarantine.lift", subject: "hub", authority: "local", outcome: "lifted",
                    detail: ["reason": .string(reason)]),
                at: noon)
        }
    }

    @Test("lifting is written down with the reason, and holds here and nowhere else")
    func lifted() async throws {
        try await quarantined { folder, vault, _ in
            let reason = try #require(vault.quarantine)
            #expect(try await lift(vault) == reason)
            #expect(vault.quarantine == nil)
            let last = try await vault.read { try $0.auditEntries(after: 1, limit: 10) }
            #expect(last.map(\.action) == ["quarantine.lift"])
            #expect(last.first?.detail["reason"]?.string == reason)
            #expect(try await lift(vault) == nil)
            try vault.close()
            for (machine, isTrusted) in [(Self.other, true), (Self.machine, false)] {
                let again = try await Vault.open(at: folder.path, machine: machine)
                #expect((again.quarantine == nil) == isTrusted)
                try again.close()
            }
        }
    }

    @Test("a quarantine that could not be lifted stays")
    func failed() async throws {
        try await quarantined { folder, vault, _ in
            await #expect(throws: VaultError.sealed) {
                try await vault.liftQuarantine { _, _ in throw VaultError.sealed }
            }
            #expect(vault.quarantine != nil)
            try vault.close()
            let again = try await Vault.open(at: folder.path, machine: Self.other)
            #expect(again.quarantine != nil)
            try again.close()
        }
    }

    @Test("an older state that its owner wants goes on from there, and is not quarantined again")
    func olderState() async throws {
        try await quarantined { folder, vault, _ in
            _ = try await lift(vault)
            try vault.close()
            let whole = try folder.fileBytes()
            let newer = try await Vault.open(at: folder.path, machine: Self.other)
            try await newer.unseal(with: folder.key)
            for _ in 1...3 {
                try await newer.write {
                    try $0.audit(
                        AuditEntry(actor: .agent, action: "test", subject: "x", authority: "local", outcome: "done"),
                        at: noon)
                }
            }
            try newer.close()
            try whole.write(to: URL(fileURLWithPath: folder.path))
            let older = try await Vault.open(at: folder.path, machine: Self.other)
            try await older.unseal(with: folder.key)
            #expect(older.quarantine == "an older state of the vault was put back")
            #expect(try await lift(older) != nil)
            try older.close()
            let again = try await Vault.open(at: folder.path, machine: Self.other)
            #expect(again.quarantine == nil)
            try again.close()
        }
    }

    @Test("every device's next command skips 2^20 counters, whatever session it is in; later sessions count from 1")
    func counters() async throws {
        try await quarantined { _, vault, device in
            let unused = try Device.sample("hall")
            try await vault.write { try $0.insertDevice(unused) }
            func last(_ device: Device, _ session: String) async throws -> Int64 {
                try await vault.read { try $0.lastCounter(device: device.id, session: session, keyID: "kid") }
            }
            #expect(try await last(device, "one") == 7)
            _ = try await lift(vault)
            #expect(try await last(device, "one") == 7 + 1 << 20)
            // A session that only the lost state knew.
            #expect(try await last(device, "two") == 7 + 1 << 20)
            #expect(try await last(unused, "any") == 1 << 20)
            let next = command(device, session: "two", counter: 8 + 1 << 20)
            try await vault.write { try $0.insertCommand(next) }
            #expect(try await last(device, "two") == 8 + 1 << 20)
            #expect(try await last(device, "three") == 0)
            #expect(try await last(unused, "any") == 1 << 20)
            try vault.close()
        }
    }
}
