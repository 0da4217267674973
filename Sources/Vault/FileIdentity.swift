// A file is the same as long as it was born at the same instant: inode numbers are given out again, and some file systems
// make them up at every mount, but no copy is born when its original was.

import Glibc

/// What tells a file from a copy of it.
struct FileIdentity: Equatable, Sendable {
    let inode: UInt64
    /// When the file was made, in nanoseconds since 1970; `nil` where the file system does not tell.
    let born: Int64?
    /// When its content was last changed, in nanoseconds since 1970.
    let changed: Int64

    /// Looks at a file; `nil` when it cannot be looked at.
    init?(at path: String) {
        // Its C header hides it from Swift; the C library has it since 2.28.
        typealias Statx =
            @convention(c) (CInt, UnsafePointer<CChar>, CInt, CUnsignedInt, UnsafeMutableRawPointer) -> CInt
        let wanted: CUnsignedInt = 0x940
        var answer = [UInt64](repeating: 0, count: 32)
        guard let symbol = dlsym(nil, "statx") else { return nil }
        let statx = unsafeBitCast(symbol, to: Statx.self)
        let isFound = answer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, wanted, $0) } == 0
        }
        guard isFound else { return nil }
        func instant(_ word: Int) -> Int64 {
            Int64(truncatingIfNeeded: answer[word]) &* 1_000_000_000 &+ Int64(answer[word + 1] & 0xFFFF_FFFF)
        }
        inode = answer[4]
        born = answer[0] & 0x800 == 0 ? nil : instant(10)
        changed = instant(14)
    }

    private init(inode: UInt64, born: Int64?) {
        self.inode = inode
        self.born = born
        changed = 0
    }

    /// Reads what ``text`` wrote.
    init?(text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let inode = UInt64(parts[0]) else { return nil }
        self.init(inode: inode, born: Int64(parts[1]))
    }

    /// `<inode>/<nanoseconds since 1970, or nothing>`.
    var text: String { "\(inode)/\(born.map(String.init) ?? "")" }

    /// Whether both are one file.
    func isSame(as other: FileIdentity) -> Bool {
        if let born, let otherBorn = other.born { return born == otherBorn }
        return inode == other.inode
    }

    /// Whether somebody wrote to the file long after it was made, or gave it the time of another one.
    var wasRewritten: Bool {
        guard let born else { return false }
        return changed.subtractingReportingOverflow(born).partialValue.magnitude > 60_000_000_000
    }
}
