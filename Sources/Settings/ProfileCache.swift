// A profile is parsed once for each state of its file: what was parsed counts as long as inode, size and times are the
// same, so that an edit takes effect without a restart and nobody pays for reading YAML on the way to a token.

import Delegation
import Glibc
import Synchronization

/// What tells one state of a file from another.
struct FileState: Equatable, Sendable {
    private let device: UInt
    private let inode: UInt
    private let size: Int
    private let times: [Int]

    /// - Returns: `nil` when there is no such file.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        size = Int(status.st_size)
        // As words, because a release build does not see the members of `timespec` through Glibc alone.
        times = [status.st_mtim, status.st_ctim].flatMap { time in
            withUnsafeBytes(of: time) { Array($0.bindMemory(to: Int.self)) }
        }
    }
}

/// What a provider's profile was made of.
struct ProfileState: Equatable, Sendable {
    let profile: FileState
    /// `nil` when nothing was filled in.
    let values: FileState?
}

/// The provider profiles that were parsed.
final class ProfileCache: Sendable {
    private let entries = Mutex<[String: (state: ProfileState, profile: ProviderProfile)]>([:])

    func profile(_ file: String, _ state: ProfileState) -> ProviderProfile? {
        entries.withLock { $0[file].flatMap { $0.state == state ? $0.profile : nil } }
    }

    func keep(_ profile: ProviderProfile, _ file: String, _ state: ProfileState) {
        entries.withLock { $0[file] = (state, profile) }
    }
}
