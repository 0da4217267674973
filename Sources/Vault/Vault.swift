// One process opens the file; every commit is on the disk before it is acknowledged (WAL with `synchronous = FULL`,
// read back at start); every secret in it is sealed with a key that is not in it.

import FoundationEssentials
import GRDB
import Sealing
import Synchronization

/// The home's sealed records in one SQLite file.
package final class Vault: Sendable {
    private let queue: DatabaseQueue
    private let dataKey = Mutex<Secret?>(nil)
    private let unsealing = Mutex<[AsyncStream<Never>.Continuation]>([])
    /// How the vault's key is kept, for `status`.
    package let protection: Protection

    private init(queue: DatabaseQueue, protection: Protection) {
        self.queue = queue
        self.protection = protection
    }

    /// Makes a new vault and returns it unsealed.
    ///
    /// - Parameters:
    ///   - path: Where the file will be; nothing may be there.
    ///   - key: What opens it from now on.
    ///   - homeName: What the home is called.
    /// - Throws: ``VaultError/exists(_:)``, or whatever SQLite says; a file that was begun is left for inspection.
    package static func create(at path: String, key: KeySource, homeName: String) async throws -> Vault {
        guard !FileManager.default.fileExists(atPath: path) else { throw VaultError.exists(path) }
        let queue = try openQueue(path)
        try Schema.migrator.migrate(queue)
        let dataKey = Secret.random(count: 32)
        let slot = try SealSlot.make(for: key, dataKey: dataKey)
        try await queue.write { db in
            try slot.insert(db)
            try db.execute(
                sql: "INSERT INTO home (id, name, site, hub, created_at) VALUES (1, ?, ?, ?, ?)",
                arguments: [
                    homeName, "home-" + Hex.encode(Random.bytes(4)), "hub-" + Hex.encode(Random.bytes(4)), Date(),
                ])
        }
        let vault = Vault(queue: queue, protection: slot.protection)
        vault.hold(dataKey)
        return vault
    }

    /// Opens an existing vault, sealed.
    ///
    /// - Throws: ``VaultError`` when the file is missing, newer, damaged, or would not be durable.
    package static func open(at path: String) async throws -> Vault {
        guard FileManager.default.fileExists(atPath: path) else { throw VaultError.missing(path) }
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        guard FileManager.default.isWritableFile(atPath: folder.isEmpty ? "." : folder),
            FileManager.default.isWritableFile(atPath: path)
        else { throw VaultError.readOnly(path) }
        let queue: DatabaseQueue
        do {
            queue = try openQueue(path)
            let verdict = try await queue.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
            guard verdict == "ok" else { throw VaultError.damaged(verdict ?? "no answer") }
        } catch let error as DatabaseError
            where error.resultCode == .SQLITE_NOTADB || error.resultCode == .SQLITE_CORRUPT
        {
            throw VaultError.damaged(error.message ?? "not a database")
        }
        guard try await !queue.read({ try Schema.migrator.hasBeenSuperseded($0) }) else { throw VaultError.newerSchema }
        try Schema.migrator.migrate(queue)
        guard let slot = try await queue.read({ try SealSlot.fetch($0) }) else {
            throw VaultError.damaged("it has no key slot")
        }
        return Vault(queue: queue, protection: slot.protection)
    }

    private static func openQueue(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(2)
        configuration.foreignKeysEnabled = true
        // Not visible in any error or log: statements carry sealed bytes and names of devices.
        configuration.publicStatementArguments = false
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = FULL")
            let found = try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1
            guard found == 2 else { throw VaultError.notDurable(found: found) }
        }
        return queue
    }

    /// Reads; several statements see one state.
    package func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        let key = dataKey.withLock { $0 }
        return try await queue.read { try body(Transaction(database: $0, sealer: Sealer(dataKey: key))) }
    }

    /// Writes in one transaction: when this returns everything is on the disk, when it throws nothing has changed.
    package func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        let key = dataKey.withLock { $0 }
        return try await queue.write { try body(Transaction(database: $0, sealer: Sealer(dataKey: key))) }
    }

    /// Whether secrets cannot be read at the moment.
    package var isSealed: Bool { dataKey.withLock { $0 == nil } }

    /// Puts the key into memory.
    ///
    /// - Throws: ``VaultError/wrongKey``; the vault stays sealed.
    package func unseal(with source: KeySource) async throws {
        // On the database's own thread, because scrypt takes a good part of a second.
        let key = try await queue.read { db in
            guard let slot = try SealSlot.fetch(db) else { throw VaultError.damaged("it has no key slot") }
            return try slot.open(with: source)
        }
        hold(key)
    }

    /// Drops the key; secrets cannot be read until ``unseal(with:)``.
    package func seal() { dataKey.withLock { $0 = nil } }

    /// Returns once the vault is unsealed, or when the task is cancelled.
    package func waitUntilUnsealed() async {
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        // Locked in the order that `hold` uses, so that no wake-up is lost.
        unsealing.withLock { waiting in
            if isSealed { waiting.append(continuation) } else { continuation.finish() }
        }
        for await _ in stream {}
    }

    private func hold(_ key: Secret) {
        let waiting = unsealing.withLock { waiting in
            dataKey.withLock { $0 = key }
            defer { waiting = [] }
            return waiting
        }
        for continuation in waiting { continuation.finish() }
    }

    /// Closes the file, with everything checkpointed into it.
    package func close() throws {
        seal()
        try queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try queue.close()
    }
}
