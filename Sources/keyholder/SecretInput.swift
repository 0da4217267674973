// A secret comes from a private file, from standard input or from a terminal without echo; never from argv or the
// environment. What has several lines, such as a key in PEM, is kept byte for byte.

import Delegation
import Glibc
import Sealing

enum SecretInput {
    /// Enough for a private key with its chain of certificates.
    private static let limit = 64 * 1024

    /// Reads a secret; one newline at the end of a single line does not belong to it.
    ///
    /// - Parameters:
    ///   - file: A file of mode 0600, or `-` for standard input; `nil` asks on the terminal.
    ///   - what: What is asked for: "password for anna".
    ///   - twice: Whether to ask a second time, against mistyping.
    /// - Returns: The secret, not empty.
    /// - Throws: ``Refusal`` that says where a secret could have come from.
    static func read(file: String?, what: String, twice: Bool = false) throws(Refusal) -> Secret {
        let secret: Secret
        switch file {
        case "-":
            guard let input = readStandardInput() else {
                throw Refusal(.usage, "the \(what) has more than \(limit) bytes")
            }
            secret = input.withoutNewlineOfSingleLine
        case let path?:
            do {
                secret = try PrivateFile.read(path, maximumSize: limit).withoutNewlineOfSingleLine
            } catch {
                throw Refusal(.usage, "\(what): \(error.description)")
            }
        case nil:
            guard let typed = SecretPrompt.ask(what) else {
                throw Refusal(.usage, "no \(what) given", hint: "name a file with it, or '-' for standard input")
            }
            if twice, SecretPrompt.ask("\(what), again")?.matches(typed) != true {
                throw Refusal(.usage, "the two entries differ", hint: "nothing was changed")
            }
            secret = typed
        }
        return try checked(secret, what)
    }

    /// Reads one line that a person pastes: without echo on a terminal, and otherwise from standard input.
    ///
    /// - Returns: The line without blanks around it, not empty.
    static func line(_ what: String) throws(Refusal) -> Secret {
        guard let line = SecretPrompt.ask("\(what) (not shown)") ?? readStandardInput() else {
            throw Refusal(.usage, "the \(what) has more than \(limit) bytes")
        }
        let text = line.reveal { bytes in
            let blank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
            let start = bytes.firstIndex { !blank($0) } ?? bytes.endIndex
            let end = bytes.lastIndex { !blank($0) }.map { $0 + 1 } ?? start
            return Secret(copying: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        }
        guard text.reveal({ $0.allSatisfy { (0x20...0x7E).contains($0) } }) else {
            throw Refusal(.usage, "the \(what) is not one line of printable ASCII")
        }
        return try checked(text, what)
    }

    private static func checked(_ secret: Secret, _ what: String) throws(Refusal) -> Secret {
        guard secret.count > 0 else { throw Refusal(.usage, "the \(what) is empty") }
        // It travels as text, and anything else would be stored as something else than it is.
        guard secret.reveal({ String(validating: $0, as: UTF8.self) != nil }) else {
            throw Refusal(.usage, "the \(what) is not UTF-8 text")
        }
        return secret
    }

    /// Standard input to its end; `nil` when there is too much of it.
    private static func readStandardInput() -> Secret? {
        var buffer = SecretBytes(zeros: limit + 1)
        let count = buffer.withMutableBytes { bytes -> Int in
            var done = 0
            while done < bytes.count {
                let more = Glibc.read(0, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                if more < 0, errno == EINTR { continue }
                guard more > 0 else { break }
                done += more
            }
            return done
        }
        guard count <= limit else { return nil }
        return buffer.withBytes { Secret(copying: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
}

extension Secret {
    /// The secret less the newline at the end of its only line, which editors add.
    fileprivate var withoutNewlineOfSingleLine: Secret {
        reveal { $0.firstIndex(of: 0x0A) == $0.count - 1 } ? withoutTrailingNewline : self
    }
}
