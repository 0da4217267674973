// A secret comes from a private file, from standard input or from a terminal without echo; never from argv or the
// environment.

import Delegation
import Sealing

enum SecretInput {
    /// Reads a secret; one newline at the end does not belong to it.
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
            guard let input = SecretPrompt.readStandardInput() else {
                throw Refusal(.usage, "the \(what) has more than 4096 bytes")
            }
            secret = input
        case let path?:
            do {
                secret = try PrivateFile.read(path, maximumSize: 4096).withoutTrailingNewline
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
        guard secret.count > 0 else { throw Refusal(.usage, "the \(what) is empty") }
        return secret
    }
}
