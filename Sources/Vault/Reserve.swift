// A reply that cannot be had again must find room: space is set aside before the question is sent, and given away when the
// answer needs it.

import Glibc
import Sealing

/// A file of nothing, beside the vault.
struct Reserve: Sendable {
    /// Bytes that are set aside.
    static var size: Int { 1 << 20 }

    let path: String

    /// Sets the space aside, unless it is.
    func ensure() throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(errno) }
        if Int(status.st_size) == Self.size, Int(status.st_blocks) * 512 >= Self.size { return }
        let code = posix_fallocate(descriptor, 0, off_t(Self.size))
        guard code == 0 else {
            // What was got of it is of more use to others.
            unlink(path)
            throw failure(code)
        }
    }

    /// Gives the space to whatever is written next.
    func spend() {
        let descriptor = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // Synced, because some file systems give blocks out again only then.
        guard ftruncate(descriptor, 0) == 0, fsync(descriptor) == 0 else { return }
    }

    private func failure(_ code: Int32) -> any Error {
        switch code {
        case ENOSPC, EDQUOT: VaultError.diskFull(path)
        case EROFS: VaultError.readOnly(path)
        default: PrivateFileError.system(path, verb: "set space aside in", errno: code)
        }
    }
}

extension Vault {
    /// Sets 1 MiB aside beside the vault, unless it is; costs two system calls then.
    ///
    /// - Throws: ``VaultError/diskFull(_:)``, ``VaultError/readOnly(_:)``, or `PrivateFileError`.
    package func ensureReserve() throws { try reserve.ensure() }

    /// Gives the space that was set aside to a commit that must succeed.
    package func spendReserve() { reserve.spend() }

    private var reserve: Reserve { Reserve(path: Anchor.path(besides: path, "reserve")) }
}
