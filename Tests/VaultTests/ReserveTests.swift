// On a full disk the reply that cannot be had again is kept, and nothing that was kept is lost.

import Delegation
import Foundation
import Glibc
import Sealing
import Testing
import Vault

/// Mounts a disk of its own, which takes root.
@Suite(.enabled(if: geteuid() == 0, "only root mounts a disk to fill")) struct ReserveTests {
    /// Runs a test with a folder on a small disk.
    private func use(_ body: (VaultFolder) async throws -> Void) async throws {
        try await VaultFolder.use { folder in
            let path = folder.folder.path
            try await VaultFolder.run("mount", "-t", "tmpfs", "-o", "size=6m", "keyholder-test", path)
            var trouble: (any Error)?
            do { try await body(folder) } catch { trouble = error }
            try await VaultFolder.run("umount", "--lazy", path)
            if let trouble { throw trouble }
        }
    }

    /// Takes every byte that is left.
    private func fill(_ folder: VaultFolder) throws {
        let descriptor = open(folder.filler, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let block = [UInt8](repeating: 0x55, count: 4096)
        while write(descriptor, block, block.count) > 0 {}
        try #require(errno == ENOSPC)
    }

    private func reserved(_ folder: VaultFolder) throws -> Int {
        var status = stat()
        return stat(folder.reserve, &status) == 0 ? Int(status.st_blocks) * 512 : 0
    }

    @Test("a reply of 60 KiB is kept on a full disk, and so are its tokens, once the reserve is spent")
    func stage() async throws {
        try await use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault)
            try await sample.activate(in: vault, with: .sample("1"))
            try vault.ensureReserve()
            #expect(try reserved(folder) == 1 << 20)
            let refresh = OpenRefresh(
                grant: sample.grant.id, generation: 1, tokenHash: Random.bytes(32), boot: "boot", startedAt: noon)
            _ = try await vault.write { try $0.beginRefresh(refresh) }
            try fill(folder)
            let reply = Secret(Random.bytes(60 * 1024))
            func stage() async throws -> Bool {
                try await vault.write { try $0.stageReply(reply, of: sample.grant.id, generation: 1) }
            }
            await #expect(throws: VaultError.diskFull(folder.path)) { try await stage() }
            #expect(try await vault.read { try $0.hasStagedReply(sample.grant.id) } == false)
            #expect(try await vault.read { try $0.tokens(of: sample.grant.id)?.shown.first } == "access-1")
            vault.spendReserve()
            #expect(try await stage())
            let kept = try await vault.read { try $0.openRefresh(of: sample.grant.id)?.reply }
            #expect(kept?.matches(reply) == true)
            try await sample.replace(in: vault, expecting: 1, with: .sample("2"))
            try vault.close()
            let again = try await folder.reopen()
            #expect(try await again.read { try $0.tokens(of: sample.grant.id)?.shown.first } == "access-2")
            try again.close()
        }
    }

    @Test("a full disk has no room for a reserve, and has it again when there is room")
    func full() async throws {
        try await use { folder in
            let vault = try await folder.create()
            try fill(folder)
            #expect(throws: VaultError.diskFull(folder.reserve)) { try vault.ensureReserve() }
            #expect(try reserved(folder) == 0)
            vault.spendReserve()
            try FileManager.default.removeItem(atPath: folder.filler)
            try vault.ensureReserve()
            try fill(folder)
            // What is set aside is not looked for twice.
            try vault.ensureReserve()
            vault.spendReserve()
            #expect(try reserved(folder) == 0)
            try FileManager.default.removeItem(atPath: folder.filler)
            try vault.ensureReserve()
            #expect(try reserved(folder) == 1 << 20)
            try vault.close()
        }
    }

    @Test("a backup that does not fit leaves nothing behind, and the vault is closed on a full disk without loss")
    func backup() async throws {
        try await use { folder in
            let vault = try await folder.create()
            let device = try Device.sample("front-door")
            try await vault.write { try $0.insertDevice(device) }
            try fill(folder)
            let target = folder.path + ".backup"
            await #expect(throws: VaultError.diskFull(target)) { try await vault.backup(to: target) }
            #expect(!FileManager.default.fileExists(atPath: target))
            try vault.close()
            try FileManager.default.removeItem(atPath: folder.filler)
            let again = try await folder.reopen()
            #expect(try await again.read { try $0.devices() } == [device])
            try again.close()
        }
    }

    @Test("a line in the log whose anchor does not fit is written all the same, and the vault stays trusted")
    func anchor() async throws {
        try await use { folder in
            let vault = try await folder.create()
            try vault.ensureReserve()
            try await line(in: vault)
            // Pages that the next line needs are there already.
            try fill(folder)
            try await line(in: vault)
            #expect(try await vault.read { try $0.verifyAudit() } == .intact(entries: 2))
            try FileManager.default.removeItem(atPath: folder.filler)
            try vault.close()
            let again = try await folder.reopen()
            #expect(again.quarantine == nil)
            try again.close()
        }
    }

    private func line(in vault: Vault) async throws {
        func write() async throws {
            try await vault.write {
                try $0.audit(
                    AuditEntry(actor: .agent, action: "test", subject: "x", authority: "local", outcome: "done"),
                    at: noon)
            }
        }
        do {
            try await write()
        } catch VaultError.diskFull {
            vault.spendReserve()
            try await write()
        }
    }

    @Test("on a disk that was made read-only nothing is set aside, and that is said")
    func readOnly() async throws {
        try await use { folder in
            let vault = try await folder.create()
            try vault.close()
            try await VaultFolder.run("mount", "-o", "remount,ro", folder.folder.path)
            #expect(throws: VaultError.readOnly(folder.reserve)) { try vault.ensureReserve() }
            try await VaultFolder.run("mount", "-o", "remount,rw", folder.folder.path)
        }
    }
}

extension VaultFolder {
    fileprivate var filler: String { folder.appendingPathComponent("filler").path }
    fileprivate var reserve: String { folder.appendingPathComponent("vault.reserve").path }
}
