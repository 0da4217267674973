// Data goes to standard output, everything else to standard error; control characters of others never reach a terminal.

import Delegation
import Glibc

/// Standard output and standard error.
enum Console {
    static func out(_ line: String) { put((isTerminal ? shown(line) : line) + "\n", 1) }
    /// Prints what we drew ourselves, colours and all; nothing of others may be in it.
    static func draw(_ line: String) { put(line + "\n", 1) }
    static func error(_ line: String) { put(shown(line) + "\n", 2) }

    static func explain(_ refusal: Refusal) {
        error("error: \(refusal.message)")
        if let hint = refusal.hint { error("hint: \(hint)") }
    }

    /// Whether a person is looking at standard output.
    static var isTerminal: Bool { isatty(1) == 1 }

    /// How many columns the terminal has; `nil` when standard output is none, or it does not say.
    static var columns: Int? {
        var size = winsize()
        guard isTerminal, ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// The text without anything that a terminal would act on, or that would turn its direction.
    private static func shown(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control where scalar != "\n", .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
                    default: scalar
                    }
                }))
    }

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
