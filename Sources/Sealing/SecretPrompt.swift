// What a person types as a secret is not shown, and goes straight into locked memory.

internal import Glibc

/// Asking for a secret on the terminal.
package enum SecretPrompt {
    /// Asks on the terminal without echo; `nil` when standard input is none.
    package static func ask(_ prompt: String) -> Secret? {
        var saved = termios()
        guard tcgetattr(0, &saved) == 0 else { return nil }
        var silent = saved
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(0, TCSAFLUSH, &silent)
        defer { tcsetattr(0, TCSAFLUSH, &saved) }
        let text = Array("\(prompt): ".utf8)
        _ = write(2, text, text.count)
        var line = SecretBytes(zeros: 4096)
        // The terminal hands over one line at a time.
        let count = line.withMutableBytes { max(0, read(0, $0.baseAddress, $0.count)) }
        _ = write(2, [0x0A], 1)
        return line.withBytes { Secret(copying: UnsafeRawBufferPointer(rebasing: $0[..<count])) }.withoutTrailingNewline
    }
}

extension Secret {
    /// The secret less one newline at its end, which editors and terminals add.
    package var withoutTrailingNewline: Secret {
        reveal { bytes in
            bytes.last == 0x0A ? Secret(copying: UnsafeRawBufferPointer(rebasing: bytes.dropLast())) : self
        }
    }
}
