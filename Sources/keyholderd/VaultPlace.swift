// At every moment there is a vault in its place, the old one or the new one, or none was there before; the old one's log
// never lies beside the new one, because SQLite would take it for its own.

import Delegation
import FoundationEssentials
import Glibc

/// The place of a home's vault, while nobody has it open.
struct VaultPlace {
    private let home: HomeFolder

    /// Names the place; the caller holds the home's lock.
    init(_ home: HomeFolder) { self.home = home }

    /// Puts a vault into the place and keeps what was there under another name.
    ///
    /// - Returns: The other name; `nil` when nothing was there.
    /// - Throws: ``Refusal``; then the old vault is in its place, although perhaps without its newest changes, which are
    ///   then under the other name.
    func put(_ proved: String) throws -> String? {
        let logs = ["-wal", "-shm", "-journal"]
        let present = ([""] + logs).filter { Restore.isThere(home.vault + $0) }
        let aside = freeName("\(home.vault).replaced-\(Self.stamp())")
        for suffix in present {
            guard link(home.vault + suffix, aside + suffix) == 0 else {
                throw Restore.failed("keep", home.vault + suffix)
            }
        }
        try sync()
        // Whoever starts the daemon after a power cut here finds a state that the anchor calls old.
        for suffix in present where !suffix.isEmpty { unlink(home.vault + suffix) }
        guard rename(proved, home.vault) == 0 else { throw Restore.failed("put in place", home.vault) }
        try sync()
        return present.isEmpty ? nil : aside
    }

    private func freeName(_ name: String) -> String {
        var (free, number) = (name, 1)
        while Restore.isThere(free) {
            number += 1
            free = "\(name)-\(number)"
        }
        return free
    }

    private func sync() throws {
        let descriptor = open(home.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Restore.failed("open", home.path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Restore.failed("sync", home.path) }
    }

    /// `20261121T071503Z`
    private static func stamp() -> String { Date().rfc3339.filter { $0 != "-" && $0 != ":" } }
}

/// A copy of a file, of mode 0600.
enum FileCopy {
    /// Copies a file to where nothing is; a power cut may still cost it.
    ///
    /// - Throws: ``Refusal``.
    static func make(of source: String, at path: String) throws(Refusal) {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw Restore.failed("read", source) }
        defer { close(input) }
        let output = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw Restore.failed("create", path) }
        defer { close(output) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(input, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Restore.failed("read", source) }
            guard count > 0 else { break }
            var done = 0
            while done < count {
                let more = buffer.withUnsafeBytes { write(output, $0.baseAddress?.advanced(by: done), count - done) }
                if more < 0, errno == EINTR { continue }
                guard more > 0 else { throw Restore.failed("write", path) }
                done += more
            }
        }
    }
}
