// Only what the owner has opens the vault, and only as long as it is open are there secrets.

import Foundation
import Sealing
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(1))) struct UnsealingTests {
    @Test("a key file opens the vault, another one does not, and neither does a passphrase")
    func keyFile() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            try await vault.write { try $0.insertKey(.sample("hub", .broker, "swordfish")) }
            try vault.close()
            let again = try await Vault.open(at: folder.path)
            #expect(again.protection.kind == .file)
            for wrong in [KeySource.file(Secret.random(count: 32)), .passphrase(Secret(text: "swordfish"))] {
                await #expect(throws: VaultError.wrongKey) { try await again.unseal(with: wrong) }
                #expect(again.isSealed)
            }
            await #expect(throws: VaultError.sealed) { try await again.read { try $0.keys(for: .broker) } }
            try await again.unseal(with: folder.key)
            let keys = try await again.read { try $0.keys(for: .broker) }
            #expect(keys.map { $0.secret.revealText() } == ["swordfish"])
            try again.close()
        }
    }

    @Test("a passphrase opens the vault, another one does not, whatever was done to its cost")
    func passphrase() async throws {
        try await VaultFolder.use { folder in
            let right = KeySource.passphrase(Secret(text: "correct horse"))
            try await Vault.create(at: folder.path, key: right, homeName: "Test home").close()
            let vault = try await Vault.open(at: folder.path)
            #expect(vault.protection.kind == .passphrase)
            for wrong in [KeySource.passphrase(Secret(text: "correct horse ")), .file(Secret(text: "correct horse"))] {
                await #expect(throws: VaultError.wrongKey) { try await vault.unseal(with: wrong) }
                #expect(vault.isSealed)
            }
            try await vault.unseal(with: right)
            #expect(!vault.isSealed)
            try vault.close()
            for change in ["n = 3", "n = 1099511627776", "n = -1", "r = 0", "p = 0", "n = 32768", "kind = 'file'"] {
                let before = try folder.fileBytes()
                try await folder.sqlite("UPDATE seal_slot SET \(change)")
                let changed = try await Vault.open(at: folder.path)
                await #expect(throws: VaultError.wrongKey, "\(change)") { try await changed.unseal(with: right) }
                #expect(changed.isSealed)
                try changed.close()
                try before.write(to: URL(fileURLWithPath: folder.path))
            }
        }
    }

    @Test("a slot whose salt, wrapped key or kind was changed opens nothing")
    func changedSlot() async throws {
        try await VaultFolder.use { folder in
            try await folder.create().close()
            let whole = try folder.fileBytes()
            for change in [
                "salt = zeroblob(32)", "wrapped = zeroblob(60)", "wrapped = x''", "kind = 'passphrase'", "n = 2",
            ] {
                try await folder.sqlite("UPDATE seal_slot SET \(change)")
                let vault = try await Vault.open(at: folder.path)
                await #expect(throws: VaultError.wrongKey, "\(change)") { try await vault.unseal(with: folder.key) }
                try vault.close()
                try whole.write(to: URL(fileURLWithPath: folder.path))
            }
            try await folder.reopen().close()
        }
    }

    @Test("sealing takes the secrets away and leaves the rest")
    func seal() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            try await vault.write { try $0.insertKey(.sample("hub", .broker, "swordfish")) }
            vault.seal()
            #expect(vault.isSealed)
            await #expect(throws: VaultError.sealed) { try await vault.read { try $0.keys(for: .broker) } }
            await #expect(throws: VaultError.sealed) {
                try await vault.write { try $0.insertKey(.sample("p", .pepper, "x")) }
            }
            #expect(try await vault.read { try $0.home() }.name == "Test home")
            try await vault.unseal(with: folder.key)
            #expect(try await vault.read { try $0.keys(for: .pepper) }.isEmpty)
            #expect(try await vault.read { try $0.keys(for: .broker) }.count == 1)
            try vault.close()
        }
    }

    @Test("who waits for the vault to be unsealed goes on when it is")
    func waits() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            await vault.waitUntilUnsealed()
            vault.seal()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        await vault.waitUntilUnsealed()
                        return vault.isSealed
                    }
                }
                try await vault.unseal(with: folder.key)
                for try await sealed in group { #expect(!sealed) }
            }
            try vault.close()
        }
    }

    @Test("who waits for the vault to be unsealed goes on when cancelled, and the vault stays sealed")
    func cancelledWait() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            vault.seal()
            let waiter = Task { await vault.waitUntilUnsealed() }
            waiter.cancel()
            await waiter.value
            #expect(vault.isSealed)
            try await vault.unseal(with: folder.key)
            await vault.waitUntilUnsealed()
            try vault.close()
        }
    }

    @Test("the status says against whom each kind of key protects")
    func protection() {
        let file = Protection(kind: .file).json
        let passphrase = Protection(kind: .passphrase).json
        for (json, kind) in [(file, "file"), (passphrase, "passphrase")] {
            #expect(json["key_source"]?.string == kind)
            #expect(json["other_user"]?.bool == true)
            #expect(json["stolen_disk"]?.bool == (kind == "passphrase"))
            #expect(json["stolen_hub"]?.bool == (kind == "passphrase"))
            #expect(json["unattended_boot"]?.bool == (kind == "file"))
        }
    }
}
