// No secret is in the file in any writing, and a sealed value opens only where it was put.

import Delegation
import Foundation
import Sealing
import Testing
import Vault

@Suite struct SealedSecretTests {
    @Test("no secret is in any file of the vault: not as it is, not as base64, not as hex")
    func canaries() async throws {
        try await VaultFolder.use { folder in
            let passphrase = "passphrase-" + Random.alphanumerics(24)
            let stored = StoredKey.Purpose.allCases.filter { $0 != .audit }.map {
                ($0, "key-" + Random.alphanumerics(24))
            }
            let visible = "visible-" + Random.alphanumerics(24)
            let vault = try await Vault.create(
                at: folder.path, key: .passphrase(Secret(text: passphrase)), homeName: "Test home")
            try await vault.write { transaction in
                for (purpose, secret) in stored {
                    try transaction.insertKey(.sample(purpose.rawValue, purpose, secret))
                }
                try transaction.audit(
                    AuditEntry(actor: .agent, action: "test", subject: visible, authority: "local", outcome: "done"),
                    at: noon)
            }
            let audit = try await vault.read { try $0.keys(for: .audit) }
            let secrets =
                [passphrase].map { Array($0.utf8) } + stored.map { Array($0.1.utf8) }
                + audit.map { $0.secret.revealBytes() }
            #expect(secrets.count == 7)
            for isClosed in [false, true] {
                if isClosed { try vault.close() }
                let files = try folder.allBytes()
                // The search finds what is there.
                #expect(Self.writings(of: Array(visible.utf8)).contains { files.range(of: $0) != nil })
                for secret in secrets {
                    for writing in Self.writings(of: secret) {
                        #expect(files.range(of: writing) == nil)
                    }
                }
            }
        }
    }

    @Test("the key of a key file is in no file of the vault")
    func keyFileCanary() async throws {
        try await VaultFolder.use { folder in
            let key = Secret.random(count: 32)
            try await Vault.create(at: folder.path, key: .file(key), homeName: "Test home").close()
            let files = try folder.allBytes()
            for writing in Self.writings(of: key.revealBytes()) { #expect(files.range(of: writing) == nil) }
        }
    }

    /// The bytes as they are, in hex, and in base64 wherever they may begin in it.
    static func writings(of bytes: [UInt8]) -> [Data] {
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let base64 = (0..<3).flatMap { skipped -> [String] in
            let part = bytes.dropFirst(skipped)
            let text = Data(part.prefix(part.count / 3 * 3)).base64EncodedString()
            return [
                text, text.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_"),
            ]
        }
        return [Data(bytes), Data(bytes.reversed())] + ([hex, hex.uppercased()] + base64).map { Data($0.utf8) }
    }

    @Test("a sealed value copied to another row, or given another purpose or name, does not open; the others do")
    func moved() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            try await vault.write {
                try $0.insertKey(.sample("a", .broker, "first"))
                try $0.insertKey(.sample("b", .pepper, "second"))
                try $0.insertKey(.sample("c", .root, "third"))
            }
            try vault.close()
            let whole = try folder.fileBytes()
            for change in [
                "sealed_secret = (SELECT sealed_secret FROM key WHERE id = 'a') WHERE id = 'b'",
                "id = 'd' WHERE id = 'b'",
                "purpose = CASE purpose WHEN 'pepper' THEN 'broker' ELSE 'pepper' END WHERE id IN ('a', 'b')",
            ] {
                try await folder.sqlite("UPDATE key SET \(change)")
                let again = try await folder.reopen()
                await #expect(throws: VaultError.damagedSecret(table: "key", column: "sealed_secret"), "\(change)") {
                    try await again.read { try $0.keys(for: .pepper) }
                }
                let others = try await again.read { try $0.keys(for: .root) }
                #expect(others.map { $0.secret.revealText() } == ["third"])
                try again.close()
                try whole.write(to: URL(fileURLWithPath: folder.path))
            }
        }
    }

    @Test("a sealed value of another vault does not open")
    func otherVault() async throws {
        try await VaultFolder.use { folder in
            try await VaultFolder.use { other in
                for place in [folder, other] {
                    let vault = try await place.create()
                    try await vault.write { try $0.insertKey(.sample("a", .broker, "secret")) }
                    try vault.close()
                }
                let sealed = try await other.sqlite("SELECT hex(sealed_secret) FROM key WHERE id = 'a'")
                try await folder.sqlite("UPDATE key SET sealed_secret = x'\(sealed)' WHERE id = 'a'")
                let vault = try await folder.reopen()
                await #expect(throws: VaultError.damagedSecret(table: "key", column: "sealed_secret")) {
                    try await vault.read { try $0.keys(for: .broker) }
                }
                try vault.close()
            }
        }
    }

    @Test("a flipped bit, a lost byte or one too many in a sealed value is damage, and the other rows still open")
    func damaged() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            try await vault.write {
                try $0.insertKey(.sample("a", .broker, "first"))
                try $0.insertKey(.sample("b", .pepper, "second"))
            }
            try vault.close()
            let hex = try await folder.sqlite("SELECT lower(hex(sealed_secret)) FROM key WHERE id = 'a'")
            let sealed = try #require(Hex.decode(hex))
            var changes = [
                Array(sealed.dropLast()), Array(sealed.dropFirst()), sealed + [0], [], Array(sealed.prefix(27)),
            ]
            // The nonce, the ciphertext and the tag.
            for place in [0, 11, 12, 16, 17, sealed.count - 1] {
                var changed = sealed
                changed[place] ^= 1
                changes.append(changed)
            }
            for change in changes {
                try await folder.sqlite("UPDATE key SET sealed_secret = x'\(Hex.encode(change))' WHERE id = 'a'")
                let again = try await folder.reopen()
                await #expect(throws: VaultError.damagedSecret(table: "key", column: "sealed_secret")) {
                    try await again.read { try $0.keys(for: .broker) }
                }
                #expect(try await again.read { try $0.keys(for: .pepper) }.map { $0.secret.revealText() } == ["second"])
                try again.close()
            }
        }
    }

    @Test("a key is made once, the newest comes first, and a retired one no more")
    func keys() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            for _ in 0..<2 {
                let key = try await vault.write { transaction in
                    try transaction.key(for: .pepper) { .sample(Random.alphanumerics(8), .pepper, "made") }
                }
                #expect(key.secret.revealText() == "made")
            }
            #expect(try await vault.read { try $0.keys(for: .pepper) }.count == 1)
            try await vault.write { transaction in
                for (id, age, retired) in [("old", -100.0, nil), ("new", 100, nil), ("gone", 200, noon)] {
                    try transaction.insertKey(
                        StoredKey(
                            id: id, purpose: .command, secret: Secret(text: id),
                            createdAt: noon.addingTimeInterval(age),
                            retiredAt: retired))
                }
            }
            #expect(try await vault.read { try $0.keys(for: .command) }.map(\.id) == ["new", "old"])
            await #expect(throws: (any Error).self) {
                try await vault.write { try $0.insertKey(.sample("new", .root, "x")) }
            }
            try vault.close()
        }
    }
}
