// Results go to standard output, everything else to standard error.

import Delegation
import Glibc

/// Standard output and standard error.
enum Console {
    static func out(_ line: String) { put(line, 1) }
    static func error(_ line: String) { put(line, 2) }

    static func explain(_ refusal: Refusal) {
        error("error: \(refusal.message)")
        if let hint = refusal.hint { error("hint: \(hint)") }
    }

    private static func put(_ line: String, _ descriptor: Int32) {
        let bytes = Array("\(line)\n".utf8)
        // Nobody reads any more: nothing is left to tell them.
        _ = write(descriptor, bytes, bytes.count)
    }
}
