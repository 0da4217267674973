// One daemon for one home: the lock lives as long as the process, whatever ends it.

import Delegation
import Glibc

/// The lock on a home, held for the life of the process.
struct HomeLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock.
    ///
    /// - Throws: ``StartFailure/alreadyRunning(_:)`` at once when somebody else has it.
    init(_ home: HomeFolder) throws {
        descriptor = open(home.lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            if errno == EROFS { throw StartFailure.readOnly(home.path) }
            throw Refusal(
                errno == ENOENT ? .notFound : .failure,
                "there is no home at \(quoted(home.path)): \(String(cString: strerror(errno)))",
                hint: "run 'keyholder init', or set KEYHOLDER_HOME")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw StartFailure.alreadyRunning(home.path)
        }
    }

    deinit { close(descriptor) }
}
