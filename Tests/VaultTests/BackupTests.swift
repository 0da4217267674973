// A backup is whole, private and sealed, and is not taken for the vault itself.

import Delegation
import Foundation
import Sealing
import Testing
import Vault

@Suite struct BackupTests {
    @Test("a backup holds what the vault held, opens with its key, and is in quarantine on the same machine too")
    func backup() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault)
            try await sample.activate(in: vault, with: .sample("1", dpopKey: "dpop-canary"))
            try await VaultFolder.use { other in
                let copy = VaultFolder(folder: other.folder, key: folder.key)
                try await vault.backup(to: copy.path)
                // What comes later is not in it.
                try await sample.replace(in: vault, expecting: 1, with: .sample("2"))
                #expect(
                    try FileManager.default.attributesOfItem(atPath: copy.path)[.posixPermissions] as? Int == 0o600)
                #expect(try FileManager.default.contentsOfDirectory(atPath: copy.folder.path) == ["vault.sqlite"])
                let bytes = try copy.fileBytes()
                guard case .file(let key) = folder.key else { return }
                for secret in ["access-1", "refresh-1", "dpop-canary"].map({ Array($0.utf8) }) + [key.revealBytes()] {
                    #expect(!bytes.contains(Data(secret)))
                }
                let restored = try await copy.reopen()
                #expect(restored.quarantine == "this is a backup that was put back")
                #expect(try await restored.durability() == (try await vault.durability()))
                #expect(try await restored.read { try $0.tokens(of: sample.grant.id)?.shown.first } == "access-1")
                try await restored.liftQuarantine()
                try restored.close()
                let again = try await copy.reopen()
                #expect(again.quarantine == nil)
                try again.close()
            }
            #expect(vault.quarantine == nil)
            try vault.close()
        }
    }

    @Test("a backup that is put in the vault's place is in quarantine, even when nothing happened since")
    func putBack() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            try await vault.write {
                try $0.audit(
                    AuditEntry(actor: .agent, action: "test", subject: "x", authority: "local", outcome: "done"),
                    at: noon)
            }
            let backup = folder.path + ".backup"
            try await vault.backup(to: backup)
            try vault.close()
            try VaultFolder.rename(backup, to: folder.path)
            let again = try await folder.reopen()
            #expect(again.quarantine != nil)
            #expect(try await again.read { try $0.verifyAudit() } == .intact(entries: 1))
            try again.close()
        }
    }

    @Test("nothing is written over what is there, and nothing is left of a backup that cannot be made")
    func refused() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let target = folder.path + ".backup"
            try Data("precious".utf8).write(to: URL(fileURLWithPath: target))
            await #expect(throws: PrivateFileError.exists(target)) { try await vault.backup(to: target) }
            #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == Data("precious".utf8))
            await #expect(throws: PrivateFileError.self) { try await vault.backup(to: folder.path + "/no/folder") }
            try vault.close()
            await #expect(throws: (any Error).self) { try await vault.backup(to: folder.path + ".late") }
            #expect(!FileManager.default.fileExists(atPath: folder.path + ".late"))
        }
    }
}
