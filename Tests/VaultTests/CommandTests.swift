// No two commands share a counter, and a finished command never changes.

import Delegation
import Foundation
import Sealing
import StrictJSON
import Testing
import Vault

@Suite struct CommandTests {
    static func command(
        _ id: String, device: String, session: String = "s1", keyID: String = "k1", counter: Int64,
        createdAt: Date = noon
    ) -> CommandRecord {
        CommandRecord(
            id: id, device: device, operation: "lock.unlock", args: ["a": 1], requester: .user("anna"),
            grant: GrantID(rawValue: "g1"), session: session, keyID: keyID, counter: counter, hash: "hash-\(id)",
            createdAt: createdAt)
    }

    /// Runs a test with a vault that has one device.
    static func use(_ body: (VaultFolder, Vault, Device) async throws -> Void) async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let device = try Device.sample("front-door")
            try await vault.write { try $0.insertDevice(device) }
            try await body(folder, vault, device)
            try vault.close()
        }
    }

    @Test("counters that are taken all at once never repeat")
    func concurrent() async throws {
        try await Self.use { _, vault, device in
            let counters = try await withThrowingTaskGroup(of: Int64.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        try await vault.write { transaction in
                            let next = try transaction.lastCounter(device: device.id, session: "s1", keyID: "k1") + 1
                            try transaction.insertCommand(Self.command("c\(number)", device: device.id, counter: next))
                            return next
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(counters.sorted() == Array(1...64))
        }
    }

    @Test("a counter is used once with a device, session and key, by whoever takes it")
    func unique() async throws {
        try await Self.use { _, vault, device in
            let other = try Device.sample("back-door")
            try await vault.write { try $0.insertDevice(other) }
            try await vault.write { try $0.insertCommand(Self.command("c1", device: device.id, counter: 7)) }
            await #expect(throws: (any Error).self) {
                try await vault.write { try $0.insertCommand(Self.command("c2", device: device.id, counter: 7)) }
            }
            try await vault.write {
                try $0.insertCommand(Self.command("c3", device: device.id, session: "s2", counter: 7))
                try $0.insertCommand(Self.command("c4", device: device.id, keyID: "k2", counter: 7))
                try $0.insertCommand(Self.command("c5", device: other.id, counter: 7))
                try $0.insertCommand(Self.command("c6", device: device.id, counter: 8))
            }
            #expect(
                try await vault.read { try $0.openCommands() }.map(\.id).sorted() == ["c1", "c3", "c4", "c5", "c6"])
        }
    }

    @Test("the last counter is the highest, finished or not, and 0 for a session or key that had none")
    func lastCounter() async throws {
        try await Self.use { folder, vault, device in
            try await vault.write {
                try $0.insertCommand(Self.command("c1", device: device.id, counter: 9))
                try $0.insertCommand(Self.command("c2", device: device.id, counter: 3))
                _ = try $0.finishCommand(id: "c1", outcome: .executed, code: nil, receipt: nil, at: noon)
            }
            for (session, key, expected) in [("s1", "k1", 9), ("s2", "k1", 0), ("s1", "k2", 0)]
                as [(String, String, Int64)]
            {
                let last = try await vault.read {
                    try $0.lastCounter(device: device.id, session: session, keyID: key)
                }
                #expect(last == expected)
            }
        }
    }

    @Test("a command whose transaction fails takes no counter")
    func rollback() async throws {
        struct Failure: Error {}
        try await Self.use { _, vault, device in
            await #expect(throws: Failure.self) {
                try await vault.write { transaction in
                    try transaction.insertCommand(Self.command("c1", device: device.id, counter: 1))
                    throw Failure()
                }
            }
            let last = try await vault.read { try $0.lastCounter(device: device.id, session: "s1", keyID: "k1") }
            #expect(last == 0)
        }
    }

    @Test("a command is finished once, and what it was finished with stays")
    func finishOnce() async throws {
        try await Self.use { folder, vault, device in
            try await vault.write { try $0.insertCommand(Self.command("c1", device: device.id, counter: 1)) }
            let finished = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await vault.write {
                            try $0.finishCommand(id: "c1", outcome: .rejected, code: "stale", receipt: "r", at: noon)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(finished.filter { $0 }.count == 1)
            #expect(
                try await !vault.write {
                    try $0.finishCommand(id: "c1", outcome: .executed, code: nil, receipt: nil, at: noon)
                })
            #expect(
                try await !vault.write {
                    try $0.finishCommand(id: "no such", outcome: .executed, code: nil, receipt: nil, at: noon)
                })
            #expect(try await vault.read { try $0.openCommands() }.isEmpty)
            let row = try await folder.sqlite("SELECT outcome, code, receipt FROM command")
            #expect(row == "rejected|stale|r")
        }
    }

    @Test("what was published and not finished is found again after a restart, oldest first, as it was")
    func openCommands() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let device = try Device.sample("front-door")
            try await vault.write {
                try $0.insertDevice(device)
                try $0.insertCommand(
                    Self.command("young", device: device.id, counter: 2, createdAt: noon.addingTimeInterval(1)))
                try $0.insertCommand(Self.command("old", device: device.id, counter: 1))
                try $0.insertCommand(Self.command("done", device: device.id, counter: 3))
                _ = try $0.finishCommand(id: "done", outcome: .unknown, code: nil, receipt: nil, at: noon)
            }
            try vault.close()
            let again = try await Vault.open(at: folder.path)
            let open = try await again.read { try $0.openCommands() }
            #expect(open.map(\.id) == ["old", "young"])
            let old = try #require(open.first)
            #expect(old.device == device.id)
            #expect(old.operation == "lock.unlock")
            #expect(old.args == ["a": 1])
            #expect(old.requester == "user:anna")
            #expect(old.grant == GrantID(rawValue: "g1"))
            #expect(old.session == "s1")
            #expect(old.keyID == "k1")
            #expect(old.counter == 1)
            #expect(old.createdAt == noon)
            #expect(try await again.read { try $0.command(withHash: "hash-done") } == "done")
            #expect(try await again.read { try $0.command(withHash: "hash") } == nil)
            try again.close()
        }
    }

    @Test("a command for a device that there is not is refused")
    func unknownDevice() async throws {
        try await Self.use { _, vault, _ in
            await #expect(throws: (any Error).self) {
                try await vault.write { try $0.insertCommand(Self.command("c1", device: "nobody", counter: 1)) }
            }
        }
    }
}
