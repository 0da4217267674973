// One process opens the file; every commit is on the disk before it is acknowledged (WAL with `synchronous = FULL`,
// read back at start); every secret in it is sealed with a key that is not in it.

import FoundationEssentials
import GRDB
import Sealing
import Synchronization

/// The home's sealed records in one SQLite file.
package final class Vault: Sendable {
    /// The one connection that writes.
    let queue: DatabaseQueue
    /// Connections that only read: nobody who wants a token waits for somebody else's commit to reach the disk.
    private let readers: DatabasePool
    let path: String
    let anchor: Anchor
    let machine: Machine
    let suspicion: Mutex<String?>
    private let dataKey = Mutex<Secret?>(nil)
    private let watchers = Mutex<[Int: AsyncStream<Void>.Continuation]>([:])
    private let nextWatcher = Mutex(0)
    private let hasEnded = Mutex(false)
    private let unsealing = Mutex<[AsyncStream<Never>.Continuation]>([])
    /// How the vault's key is kept, for `status`.
    package let protection: Protection

    private init(
        queue: DatabaseQueue, readers: DatabasePool, path: String, anchor: Anchor, machine: Machine,
        suspicion: String?, protection: Protection
    ) {
        self.queue = queue
        self.readers = readers
        self.path = path
        self.anchor = anchor
        self.machine = machine
        self.suspicion = Mutex(suspicion)
        self.protection = protection
    }

    /// Makes a new vault and returns it unsealed.
    ///
    /// - Parameters:
    ///   - path: Where the file will be; nothing may be there.
    ///   - key: What opens it from now on.
    ///   - homeName: What the home is called.
    ///   - machine: Where it is made.
    /// - Returns: The vault, open.
    /// - Throws: ``VaultError/exists(_:)``, `PrivateFileError`, or whatever SQLite says; a file that was begun is left
    ///   for inspection.
    package static func create(
        at path: String, key: KeySource, homeName: String, machine: Machine = .this
    ) async throws -> Vault {
        do {
            // SQLite gives its log and index the mode of the file it finds.
            try PrivateFile.create(path, Secret([UInt8]()))
        } catch PrivateFileError.exists {
            throw VaultError.exists(path)
        }
        let queue = try openQueue(path)
        try makeDurable(queue)
        try Schema.migrator.migrate(queue)
        let dataKey = Secret.random(count: 32)
        let slot = try SealSlot.make(for: key, dataKey: dataKey)
        let hub = "hub-" + Hex.encode(Random.bytes(4))
        try await queue.write { db in
            try slot.insert(db)
            try db.execute(
                sql: "INSERT INTO home (id, name, site, hub, created_at) VALUES (1, ?, ?, ?, ?)",
                arguments: [homeName, "home-" + Hex.encode(Random.bytes(4)), hub, Date()])
            try Instance(machine: machine, file: FileIdentity(at: path), quarantine: nil).save(db, at: Date())
        }
        let anchor = Anchor(ofVaultAt: path, hub: hub)
        anchor.follow(from: 0)
        let vault = Vault(
            queue: queue, readers: try openReaders(path), path: path, anchor: anchor, machine: machine,
            suspicion: nil, protection: slot.protection)
        vault.hold(dataKey)
        return vault
    }

    /// Opens an existing vault, sealed, and in quarantine when it may be a copy or an older state.
    ///
    /// - Parameters:
    ///   - path: Where the file is.
    ///   - machine: Where it is opened.
    /// - Returns: The vault.
    /// - Throws: ``VaultError`` when the file is missing, newer, damaged, or would not be durable.
    package static func open(at path: String, machine: Machine = .this) async throws -> Vault {
        guard FileManager.default.fileExists(atPath: path) else { throw VaultError.missing(path) }
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        guard FileManager.default.isWritableFile(atPath: folder.isEmpty ? "." : folder),
            FileManager.default.isWritableFile(atPath: path)
        else { throw VaultError.readOnly(path) }
        do {
            let queue = try openQueue(path)
            // Everything is looked at before anything is written.
            try await queue.read { db in
                let verdict = try String.fetchOne(db, sql: "PRAGMA quick_check(1)")
                guard verdict == "ok" else { throw VaultError.damaged(verdict ?? "no answer") }
                guard try !Schema.migrator.hasBeenSuperseded(db) else { throw VaultError.newerSchema }
                guard try db.tableExists("seal_slot"), try SealSlot.fetch(db) != nil else {
                    throw VaultError.damaged("it has no key slot")
                }
            }
            try makeDurable(queue)
            try Schema.migrator.migrate(queue)
            guard let slot = try await queue.read({ try SealSlot.fetch($0) }) else {
                throw VaultError.damaged("it has no key slot")
            }
            let anchor = Anchor(ofVaultAt: path, hub: try await queue.read { try Home.fetch($0).hub })
            return Vault(
                queue: queue, readers: try openReaders(path), path: path, anchor: anchor, machine: machine,
                suspicion: try judge(queue, at: path, on: machine, beside: anchor), protection: slot.protection)
        } catch let error as DatabaseError
            where error.resultCode == .SQLITE_NOTADB || error.resultCode == .SQLITE_CORRUPT
        {
            throw VaultError.damaged(error.message ?? "not a database")
        }
    }

    /// How many may read at a time?
    private static let readerCount = 4

    private static func openQueue(_ path: String) throws -> DatabaseQueue {
        try DatabaseQueue(path: path, configuration: configuration)
    }

    private static func openReaders(_ path: String) throws -> DatabasePool {
        var configuration = configuration
        configuration.readonly = true
        configuration.maximumReaderCount = readerCount
        return try DatabasePool(path: path, configuration: configuration)
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(2)
        configuration.foreignKeysEnabled = true
        // Not visible in any error or log: statements carry sealed bytes and names of devices.
        configuration.publicStatementArguments = false
        return configuration
    }

    private static func makeDurable(_ queue: DatabaseQueue) throws {
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try db.execute(sql: "PRAGMA synchronous = FULL")
            let found = try Durability(reading: db).synchronous
            guard found == 2 else { throw VaultError.notDurable(found: found) }
        }
    }

    /// How this connection writes, as SQLite itself says.
    package func durability() async throws -> Durability { try await queue.read { try Durability(reading: $0) } }

    /// Reads; several statements see one state.
    package func read<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        let key = dataKey.withLock { $0 }
        return try await readers.read { try body(Transaction(database: $0, sealer: Sealer(dataKey: key))) }
    }

    /// Writes in one transaction: when this returns everything is on the disk, when it throws nothing has changed.
    ///
    /// - Throws: ``VaultError/diskFull(_:)``, or what `body` throws.
    package func write<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        let key = dataKey.withLock { $0 }
        let anchor = anchor
        let result: T
        do {
            result = try await queue.write { database in
                let transaction = Transaction(database: database, sealer: Sealer(dataKey: key))
                let result = try body(transaction)
                if let sequence = transaction.progress.sequence {
                    database.afterNextTransaction { _ in anchor.raise(to: sequence) }
                }
                return result
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            throw VaultError.diskFull(path)
        }
        for watcher in watchers.withLock({ Array($0.values) }) { watcher.yield() }
        return result
    }

    /// An element after every write that was committed; several may become one. Begins with one.
    package func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number = nextWatcher.withLock { number in
            number += 1
            return number
        }
        watchers.withLock { $0[number] = continuation }
        continuation.onTermination = { [weak self] _ in self?.watchers.withLock { $0[number] = nil } }
        continuation.yield()
        if hasEnded.withLock({ $0 }) { continuation.finish() }
        return stream
    }

    /// Ends every sequence of ``changes()``, those to come included, so that nobody who follows holds up a shutdown.
    package func endChanges() {
        hasEnded.withLock { $0 = true }
        for watcher in watchers.withLock({ Array($0.values) }) { watcher.finish() }
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

    /// Closes the file, with everything checkpointed into it; on a full disk the log stays beside it, with what it holds.
    package func close() throws {
        seal()
        anchor.finish()
        try readers.close()
        do {
            try queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {}
        try queue.close()
    }
}
