// A file that somebody names is read whole and bounded; where text is wanted it must be text.

import Delegation
import Glibc

enum TextFile {
    /// Reads a text file of at most 256 KiB.
    static func read(_ path: String) throws(Refusal) -> String {
        guard let text = String(validating: try bytes(path, limit: 256 * 1024), as: UTF8.self) else {
            throw Refusal(.usage, "\(quoted(path)) is not UTF-8 text")
        }
        return text
    }

    /// Reads any file of at most `limit` bytes.
    static func bytes(_ path: String, limit: Int) throws(Refusal) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Refusal(.usage, "cannot read \(quoted(path)): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= limit {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw Refusal(.usage, "cannot read \(quoted(path)): \(String(cString: strerror(errno)))")
            }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        guard bytes.count <= limit else { throw Refusal(.usage, "\(quoted(path)) has more than \(limit) bytes") }
        return bytes
    }
}
