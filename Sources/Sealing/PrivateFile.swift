// A file with a secret in it belongs to its reader and to nobody else, is never reached through a link, and is at every
// moment either the old one or the new one, whole.

internal import Glibc

/// Why a private file was not read or written.
package enum PrivateFileError: Error, Equatable, Sendable, CustomStringConvertible {
    case missing(String)
    case exists(String)
    /// It belongs to another user, or others may read it.
    case open(String)
    /// It is a folder, a pipe or a device.
    case irregular(String)
    case tooLarge(String, allowed: Int)
    /// The system's own reason.
    case system(String, verb: String, errno: Int32)

    package var description: String {
        switch self {
        case .missing(let path): "there is no file \"\(path)\""
        case .exists(let path): "there already is a file \"\(path)\""
        case .open(let path): "file \"\(path)\" belongs to another user or is open to others (chmod 600 it)"
        case .irregular(let path): "\"\(path)\" is not a regular file"
        case .tooLarge(let path, let allowed): "file \"\(path)\" has more than \(allowed) bytes"
        case .system(let path, let verb, let code):
            "cannot \(verb) file \"\(path)\": \(String(cString: strerror(code)))"
        }
    }
}

/// Files that hold secrets, mode 0600.
package enum PrivateFile {
    /// Reads a whole file into locked memory; one larger than `maximumSize` bytes is refused.
    package static func read(_ path: String, maximumSize: Int = 64 * 1024) throws(PrivateFileError) -> Secret {
        // Not blocking: a named pipe in the file's place must not hold anybody up.
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw errno == ENOENT ? .missing(path) : .system(path, verb: "read", errno: errno)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .system(path, verb: "read", errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .irregular(path) }
        guard status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else { throw .open(path) }
        guard (0...maximumSize).contains(Int(status.st_size)) else { throw .tooLarge(path, allowed: maximumSize) }
        var bytes = SecretBytes(zeros: Int(status.st_size))
        let count = bytes.withMutableBytes { buffer -> Int in
            var done = 0
            while done < buffer.count {
                let more = Glibc.read(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done)
                if more < 0, errno == EINTR { continue }
                guard more > 0 else { break }
                done += more
            }
            return done
        }
        guard count == bytes.count else { throw .system(path, verb: "read", errno: EIO) }
        return Secret(bytes)
    }

    /// Makes a new file; what is there already stays.
    package static func create(_ path: String, _ content: Secret) throws(PrivateFileError) {
        try write(path, content, flags: O_EXCL)
        try syncFolder(of: path)
    }

    /// Puts a new file in the place of an old one, atomically.
    package static func replace(_ path: String, _ content: Secret) throws(PrivateFileError) {
        // A link, a device or a folder is not a file of ours to put something in the place of.
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG { throw .irregular(path) }
        let temporary = "\(path).\(Random.alphanumerics(8))"
        try write(temporary, content, flags: O_EXCL)
        guard rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            throw .system(path, verb: "replace", errno: code)
        }
        try syncFolder(of: path)
    }

    /// Whether a folder belongs to this user and is closed to all others; `nil` when there is none.
    package static func isPrivateFolder(_ path: String) -> Bool? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return status.st_uid == geteuid() && status.st_mode & 0o077 == 0
    }

    /// Whether a file could be put at this path now, tried with an empty one beside it.
    package static func checkReplaceable(_ path: String) throws(PrivateFileError) {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG { throw .irregular(path) }
        let temporary = "\(path).\(Random.alphanumerics(8))"
        try write(temporary, Secret([]), flags: O_EXCL)
        unlink(temporary)
    }

    private static func write(_ path: String, _ content: Secret, flags: Int32) throws(PrivateFileError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0o600)
        guard descriptor >= 0 else {
            throw errno == EEXIST ? .exists(path) : .system(path, verb: "create", errno: errno)
        }
        defer { close(descriptor) }
        let isWritten = content.reveal { bytes in
            var done = 0
            while done < bytes.count {
                let more = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                if more < 0, errno == EINTR { continue }
                guard more > 0 else { return false }
                done += more
            }
            return true
        }
        guard isWritten, fsync(descriptor) == 0 else {
            let code = errno
            unlink(path)
            throw .system(path, verb: "write", errno: code)
        }
    }

    /// A new name is durable only when its folder is.
    private static func syncFolder(of path: String) throws(PrivateFileError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(folder, verb: "open", errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system(folder, verb: "sync", errno: errno) }
    }
}
