// Lines leave at once, also into a pipe: whoever watches the device sees what it does when it does it.

import Glibc

/// Standard output and standard error, unbuffered.
enum Console {
    static func out(_ line: String) { put(line, 1) }
    static func error(_ line: String) { put(line, 2) }

    private static func put(_ line: String, _ descriptor: Int32) {
        let bytes = Array("\(line)\n".utf8)
        // Nobody reads any more: nothing is left to tell them.
        _ = write(descriptor, bytes, bytes.count)
    }
}
