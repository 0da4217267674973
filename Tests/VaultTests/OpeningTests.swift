// What cannot be read is left as it is; an error never means "start with an empty one".

import Delegation
import Foundation
import Glibc
import Sealing
import Testing
import Vault

@Suite struct OpeningTests {
    @Test("a new vault is unsealed, belongs to its owner only, and knows its home")
    func create() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            #expect(!vault.isSealed)
            let home = try await vault.read { try $0.home() }
            #expect(home.name == "Test home")
            #expect(home.site.hasPrefix("home-"))
            #expect(home.hub.hasPrefix("hub-"))
            for file in ["vault.sqlite", "vault.sqlite-wal"] {
                let path = folder.folder.appendingPathComponent(file).path
                #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            }
            try vault.close()
        }
    }

    @Test("every commit is on the disk before it is acknowledged, in a new vault and in one that is opened")
    func durable() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let expected = try await vault.durability()
            #expect(expected.synchronous == 2)
            #expect(expected.journalMode == "wal")
            try vault.close()
            #expect(try await folder.sqlite("PRAGMA journal_mode") == "wal")
            // Somebody may have looked at it with another tool.
            try await folder.sqlite("PRAGMA journal_mode = DELETE")
            let again = try await Vault.open(at: folder.path)
            #expect(try await again.durability() == expected)
            try again.close()
        }
    }

    @Test("what was written is there in a copy of the files made before the vault was closed, as after a crash")
    func crashImage() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let device = try Device.sample("front-door")
            try await vault.write { try $0.insertDevice(device) }
            let copy = folder.folder.appendingPathComponent("copy.sqlite").path
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: folder.path + suffix, toPath: copy + suffix)
            }
            let recovered = try await Vault.open(at: copy)
            #expect(try await recovered.read { try $0.devices() } == [device])
            try recovered.close()
            try vault.close()
        }
    }

    @Test("a closed vault is one file, and opens sealed with everything in it")
    func reopen() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let device = try Device.sample("front-door")
            try await vault.write { try $0.insertDevice(device) }
            let home = try await vault.read { try $0.home() }
            try vault.close()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.folder.path) == ["vault.sqlite"])
            let again = try await Vault.open(at: folder.path)
            #expect(again.isSealed)
            #expect(try await again.read { try $0.home() } == home)
            #expect(try await again.read { try $0.devices() } == [device])
            try again.close()
        }
    }

    @Test("nothing is created over something that is there")
    func exists() async throws {
        try await VaultFolder.use { folder in
            try Data("precious".utf8).write(to: URL(fileURLWithPath: folder.path))
            await #expect(throws: VaultError.exists(folder.path)) { try await folder.create() }
            #expect(try folder.fileBytes() == Data("precious".utf8))
        }
    }

    @Test("a vault that is missing is not made by opening it")
    func missing() async throws {
        try await VaultFolder.use { folder in
            await #expect(throws: VaultError.missing(folder.path)) { try await Vault.open(at: folder.path) }
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.folder.path)
            #expect(files.isEmpty)
        }
    }

    @Test(
        "a vault of a newer version is refused and stays byte for byte",
        arguments: ["", "PRAGMA journal_mode = DELETE"])
    func newer(_ pragma: String) async throws {
        try await VaultFolder.use { folder in
            try await folder.create().close()
            try await folder.sqlite(pragma + "; INSERT INTO grdb_migrations VALUES ('2 of the future')")
            let before = try folder.fileBytes()
            await #expect(throws: VaultError.newerSchema) { try await Vault.open(at: folder.path) }
            #expect(try folder.fileBytes() == before)
        }
    }

    @Test("a file that is no vault is called damaged and stays byte for byte", arguments: Damage.allCases)
    func damaged(_ damage: Damage) async throws {
        try await VaultFolder.use { folder in
            try await folder.create().close()
            let whole = try folder.fileBytes()
            if damage == .otherDatabase {
                try FileManager.default.removeItem(atPath: folder.path)
                try await folder.sqlite("CREATE TABLE note (text TEXT)")
            } else if damage == .noSlot {
                try await folder.sqlite("DELETE FROM seal_slot")
            } else {
                try damage.apply(to: whole).write(to: URL(fileURLWithPath: folder.path))
            }
            let before = try folder.fileBytes()
            let error = try #require(
                await #expect(throws: VaultError.self) { try await Vault.open(at: folder.path) })
            guard case .damaged(let why) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(!why.isEmpty)
            #expect(try folder.fileBytes() == before)
        }
    }

    enum Damage: CaseIterable {
        case empty, text, noise, oneByte, half, lostLastPage, brokenHeader, brokenPage, otherDatabase, noSlot

        func apply(to file: Data) -> Data {
            switch self {
            case .empty: return Data()
            case .text: return Data("this is no database, but a letter to somebody".utf8)
            case .noise: return Data(Random.bytes(64 * 1024))
            case .oneByte: return file.prefix(1)
            case .half: return file.prefix(file.count / 2)
            case .lostLastPage: return file.dropLast(4096)
            case .brokenHeader: return Data(repeating: 0xFF, count: 16) + file.dropFirst(16)
            case .brokenPage: return file.prefix(4096) + Data(repeating: 0xFF, count: 4096) + file.dropFirst(8192)
            case .otherDatabase, .noSlot: return file
            }
        }
    }

    @Test("a vault that may not be written is called read-only, not damaged", .enabled(if: geteuid() != 0))
    func readOnly() async throws {
        try await VaultFolder.use { folder in
            try await folder.create().close()
            for (path, closed, open) in [(folder.path, 0o400, 0o600), (folder.folder.path, 0o500, 0o700)] {
                try FileManager.default.setAttributes([.posixPermissions: closed], ofItemAtPath: path)
                await #expect(throws: VaultError.readOnly(folder.path)) { try await Vault.open(at: folder.path) }
                try FileManager.default.setAttributes([.posixPermissions: open], ofItemAtPath: path)
            }
            try await folder.reopen().close()
        }
    }

    @Test("a value that the schema does not promise is an error with its place, and other rows are read")
    func badRow() async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            let door = try Device.sample("front-door")
            let hall = try Device.sample("hall")
            try await vault.write {
                try $0.insertDevice(door)
                try $0.insertDevice(hall)
            }
            try vault.close()
            for (column, value) in [("state", "strange"), ("profile", "doors/x"), ("created_at", "yesterday")] {
                let old = try await folder.sqlite("SELECT \(column) FROM device WHERE name = 'hall'")
                try await folder.sqlite("UPDATE device SET \(column) = '\(value)' WHERE name = 'hall'")
                let again = try await Vault.open(at: folder.path)
                await #expect(throws: VaultError.badRow(table: "device", column: column)) {
                    try await again.read { try $0.device(id: hall.id) }
                }
                #expect(try await again.read { try $0.device(id: door.id) } == door)
                try again.close()
                try await folder.sqlite("UPDATE device SET \(column) = '\(old)' WHERE name = 'hall'")
            }
        }
    }
}
