// A secret comes from a private file, from standard input or from a terminal without echo; never from argv or the
// environment.

import Delegation
import Glibc
import Sealing

enum SecretInput {
    /// Reads a secret; one newline at the end does not belong to it.
    ///
    /// - Parameters:
    ///   - file: A file of mode 0600, or `-` for standard input; `nil` asks on the terminal.
    ///   - what: What is asked for: "password for anna".
    ///   - twice: Whether to ask a second time, against mistyping.
    static func read(file: String?, what: String, twice: Bool = false) throws(Refusal) -> Secret {
        let secret: Secret
        switch file {
        case "-": secret = try readDescriptor(0, what: what)
        case let path?:
            do {
                secret = try PrivateFile.read(path, maximumSize: 4096)
            } catch {
                throw Refusal(.usage, "\(what): \(error.description)")
            }
        case nil:
            guard isatty(0) == 1 else {
                throw Refusal(.usage, "no \(what) given", hint: "name a file with it, or '-' for standard input")
            }
            secret = try ask("\(what): ")
            if twice, !(try ask("\(what), again: ")).matches(secret) {
                throw Refusal(.usage, "the two entries differ", hint: "nothing was changed")
            }
        }
        let trimmed = secret.reveal { bytes -> Secret in
            bytes.last == 0x0A ? Secret(copying: UnsafeRawBufferPointer(rebasing: bytes.dropLast())) : secret
        }
        guard trimmed.count > 0 else { throw Refusal(.usage, "the \(what) is empty") }
        return trimmed
    }

    private static func readDescriptor(_ descriptor: Int32, what: String) throws(Refusal) -> Secret {
        var buffer = SecretBytes(zeros: 4097)
        let count = buffer.withMutableBytes { bytes -> Int in
            var done = 0
            while done < bytes.count {
                let more = Glibc.read(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                if more < 0, errno == EINTR { continue }
                guard more > 0 else { break }
                done += more
            }
            return done
        }
        guard count <= 4096 else { throw Refusal(.usage, "the \(what) has more than 4096 bytes") }
        return buffer.withBytes { Secret(copying: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }

    private static func ask(_ prompt: String) throws(Refusal) -> Secret {
        var saved = termios()
        guard tcgetattr(0, &saved) == 0 else { throw Refusal(.failure, "cannot use the terminal") }
        var silent = saved
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(0, TCSAFLUSH, &silent)
        defer {
            tcsetattr(0, TCSAFLUSH, &saved)
            Console.error("")
        }
        let bytes = Array(prompt.utf8)
        _ = write(2, bytes, bytes.count)
        var line = SecretBytes(zeros: 4096)
        // The terminal hands over one line at a time.
        let count = line.withMutableBytes { max(0, Glibc.read(0, $0.baseAddress, $0.count)) }
        return line.withBytes { Secret(copying: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
}
