// Whoever changes what the session's thread should do, signals here; a signal given early is not lost.

import Glibc

/// A socket pair to oneself: the one thing besides the socket that the session's thread waits on.
final class Wake: Sendable {
    /// The end to wait on, or -1 when the system refused a pair.
    let descriptor: Int32
    private let input: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        _ = socketpair(AF_UNIX, Int32(kind), 0, &ends)
        (descriptor, input) = (ends[0], ends[1])
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        close(input)
    }

    /// Makes the next wait return at once; a full pair says so already.
    func signal() {
        var byte: UInt8 = 0
        _ = write(input, &byte, 1)
    }

    /// Forgets signals already seen.
    func clear() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(descriptor, &bytes, bytes.count) == bytes.count {}
    }

    /// Waits for a signal, at most `limit`.
    func wait(atMost limit: Duration) {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&entry, 1, limit.milliseconds)
        clear()
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, for `poll`.
    var milliseconds: Int32 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        guard seconds < 1_000_000 else { return 1_000_000_000 }
        return Int32(seconds * 1000) + Int32((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
