// A backup holds what the vault holds, as it is sealed there; who opens it is asked whether it is the one.

import FoundationEssentials
import GRDB
import Glibc
import Sealing

extension Vault {
    /// Makes a copy of the vault's file as it is now, of mode 0600; the key is not in it.
    ///
    /// When this returns, the copy is on the disk. Opened as a vault it is in quarantine.
    ///
    /// - Throws: `PrivateFileError` when something is already there or cannot be written, ``VaultError/diskFull(_:)``, or
    ///   whatever SQLite says; then there is no copy.
    package func backup(to path: String) async throws {
        // SQLite takes an empty file, and keeps its mode.
        try PrivateFile.create(path, Secret([UInt8]()))
        do {
            try await queue.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [path]) }
            let copy = try DatabaseQueue(path: path)
            try await copy.write {
                try $0.execute(
                    sql: "UPDATE instance SET file = '', quarantine = ?, since = ?",
                    arguments: ["this is a backup that was put back", Date()])
            }
            try copy.close()
            try Self.sync(path)
        } catch {
            unlink(path)
            guard let error = error as? DatabaseError, error.resultCode == .SQLITE_FULL else { throw error }
            throw VaultError.diskFull(path)
        }
    }

    /// SQLite does not sync what it copies to.
    private static func sync(_ path: String) throws(PrivateFileError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(path, verb: "read", errno: errno) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system(path, verb: "sync", errno: errno) }
    }
}
