// A consumer's secret changes without its grants noticing, and what it was before is known until somebody says otherwise.

import Delegation
import Foundation
import Sealing
import Testing
import Vault

@Suite struct ConsumerRotationTests {
    private func rotate(_ vault: Vault, to secret: String, device: DeviceName? = nil) async throws -> Consumer? {
        let provider = try ProviderName(checking: "cloud")
        return try await vault.write {
            try $0.rotateConsumer(provider: provider, device: device, secret: Secret(text: secret), at: noon)
        }
    }

    private func secrets(_ consumer: Consumer?) -> [String]? {
        consumer.map { [$0.secret.revealText()] + $0.formerSecrets.map { $0.revealText() } }
    }

    @Test("each rotation puts the old secret in front of the former ones, of which three are kept, over a restart too")
    func order() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault)
            #expect(sample.consumer.formerSecrets.isEmpty)
            #expect(secrets(try await rotate(vault, to: "second")) == ["second", "first"])
            for secret in ["third", "fourth"] { _ = try await rotate(vault, to: secret) }
            let rotated = try #require(try await rotate(vault, to: "fifth"))
            #expect(secrets(rotated) == ["fifth", "fourth", "third", "second"])
            #expect(rotated.id == sample.consumer.id)
            #expect(rotated.key == "hub")
            try vault.close()
            let files = try folder.allBytes()
            for secret in ["second", "third", "fourth", "fifth"] { #expect(!files.contains(Data(secret.utf8))) }
            let again = try await folder.reopen()
            let kept = try await again.read {
                (
                    try $0.heldConsumer(id: sample.consumer.id),
                    try $0.heldConsumer(of: sample.provider, for: sample.device.name)
                )
            }
            #expect(secrets(kept.0) == secrets(rotated))
            #expect(secrets(kept.1) == secrets(rotated))
            try again.close()
        }
    }

    @Test("the same secret again changes nothing, and one that is taken up again is not a former one any more")
    func again() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            _ = try await GrantSample.put(into: vault)
            for (secret, expected) in [
                ("first", ["first"]), ("second", ["second", "first"]), ("second", ["second", "first"]),
                ("first", ["first", "second"]), ("third", ["third", "first", "second"]),
            ] {
                #expect(secrets(try await rotate(vault, to: secret)) == expected)
            }
            try vault.close()
        }
    }

    @Test("there is nothing to rotate where there is no consumer, and one device's is not another's")
    func missing() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            #expect(try await rotate(vault, to: "second") == nil)
            let sample = try await GrantSample.put(into: vault)
            #expect(try await rotate(vault, to: "second", device: sample.device.name) == nil)
            let own = try await vault.write {
                try $0.putConsumer(
                    provider: sample.provider, device: sample.device.name, key: "door", secret: Secret(text: "own"),
                    at: noon)
            }
            #expect(secrets(try await rotate(vault, to: "next", device: sample.device.name)) == ["next", "own"])
            #expect(secrets(try await vault.read { try $0.heldConsumer(id: sample.consumer.id) }) == ["first"])
            #expect(secrets(try await vault.read { try $0.heldConsumer(id: own.id) }) == ["next", "own"])
            try vault.close()
        }
    }

    @Test("former secrets go when they are dropped, when a person adds the consumer again, and with the consumer")
    func dropped() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault)
            let id = sample.consumer.id
            _ = try await rotate(vault, to: "second")
            try await vault.write { try $0.dropFormerSecrets(ofConsumer: id) }
            #expect(secrets(try await vault.read { try $0.heldConsumer(id: id) }) == ["second"])
            _ = try await rotate(vault, to: "third")
            let added = try await vault.write {
                try $0.putConsumer(
                    provider: sample.provider, device: nil, key: "hub", secret: Secret(text: "fourth"), at: noon)
            }
            #expect(added.id == id)
            #expect(secrets(try await vault.read { try $0.heldConsumer(id: id) }) == ["fourth"])
            _ = try await rotate(vault, to: "fifth")
            #expect(try await vault.write { try $0.deleteConsumer(id: id) })
            try vault.close()
            #expect(try await folder.sqlite("SELECT count(*) FROM consumer_secret") == "0")
        }
    }

    @Test("a damaged former secret is passed over; one that was moved in the list is damaged")
    func damaged() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let sample = try await GrantSample.put(into: vault)
            for secret in ["second", "third"] { _ = try await rotate(vault, to: secret) }
            try vault.close()
            try await folder.sqlite(
                """
                UPDATE consumer_secret SET sealed_secret = (SELECT sealed_secret FROM consumer_secret WHERE position = 1)
                WHERE position = 2
                """)
            let again = try await folder.reopen()
            let found = try await again.read { try $0.heldConsumer(id: sample.consumer.id) }
            #expect(secrets(found) == ["third", "first"])
            try again.close()
        }
    }
}
