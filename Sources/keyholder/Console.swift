// Data goes to standard output, everything else to standard error; control characters of others never reach a terminal.

import Delegation
import Glibc

/// Standard output and standard error.
enum Console {
    static func out(_ line: String) { put(line + "\n", 1) }
    static func error(_ line: String) { put(line + "\n", 2) }

    static func explain(_ refusal: Refusal) {
        error("error: \(refusal.message)")
        if let hint = refusal.hint { error("hint: \(hint)") }
    }

    /// Whether a person is looking at standard output.
    static var isTerminal: Bool { isatty(1) == 1 }

    private static func put(_ text: String, _ descriptor: Int32) {
        var bytes = ArraySlice(text.utf8)
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // Nobody reads any more: nothing is left to tell them.
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
