// A write happens whole or not at all, and those who watch hear of it.

import Delegation
import Foundation
import Testing
import Vault

@Suite(.timeLimit(.minutes(1))) struct WritingTests {
    @Test("a write that fails changes nothing")
    func rollback() async throws {
        struct Failure: Error {}
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let device = try Device.sample("front-door")
            await #expect(throws: Failure.self) {
                try await vault.write { transaction in
                    try transaction.insertDevice(device)
                    try transaction.insertKeySet(version: 1, document: "x", at: noon)
                    throw Failure()
                }
            }
            #expect(try await vault.read { try $0.devices() }.isEmpty)
            #expect(try await vault.read { try $0.currentKeySet() == nil })
            try vault.close()
        }
    }

    @Test("a read cannot write")
    func readOnly() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let device = try Device.sample("front-door")
            await #expect(throws: (any Error).self) { try await vault.read { try $0.insertDevice(device) } }
            #expect(try await vault.read { try $0.devices() }.isEmpty)
            try vault.close()
        }
    }

    @Test("every watcher hears once at the beginning and after each write, and none after it has gone")
    func changes() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            var first = vault.changes().makeAsyncIterator()
            var second = vault.changes().makeAsyncIterator()
            await #expect(first.next() != nil)
            await #expect(second.next() != nil)
            for version in 1...3 as ClosedRange<Int64> {
                try await vault.write { try $0.insertKeySet(version: version, document: "v\(version)", at: noon) }
                await #expect(first.next() != nil)
                await #expect(second.next() != nil)
            }
            try vault.close()
        }
    }

    @Test("a watcher that was slow hears once of many writes, and then sees the last")
    func slowWatcher() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            var changes = vault.changes().makeAsyncIterator()
            for version in 1...5 as ClosedRange<Int64> {
                try await vault.write { try $0.insertKeySet(version: version, document: "v\(version)", at: noon) }
            }
            await #expect(changes.next() != nil)
            #expect(try await vault.read { try $0.currentKeySet()?.version } == 5)
            let waiter = Task { () -> Bool in
                var changes = vault.changes().makeAsyncIterator()
                _ = await changes.next()
                return await changes.next() != nil
            }
            waiter.cancel()
            #expect(await !waiter.value)
            try vault.close()
        }
    }

    @Test("the newest key set is the current one, and no version is written twice")
    func keySets() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            #expect(try await vault.read { try $0.currentKeySet() == nil })
            for (version, document) in [(2, "two"), (1, "one"), (10, "ten")] as [(Int64, String)] {
                try await vault.write { try $0.insertKeySet(version: version, document: document, at: noon) }
            }
            let current = try #require(try await vault.read { try $0.currentKeySet() })
            #expect(current.version == 10)
            #expect(current.document == "ten")
            await #expect(throws: (any Error).self) {
                try await vault.write { try $0.insertKeySet(version: 10, document: "other", at: noon) }
            }
            try vault.close()
        }
    }
}
