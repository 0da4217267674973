// A passphrase is read once, from a private file or a terminal without echo, straight into locked memory.

import Delegation
import Sealing

enum Passphrase {
    /// Bytes at least; what is shorter is guessed.
    private static let minimum = 12

    /// Reads a new passphrase.
    ///
    /// - Throws: ``Refusal`` when there is none, it is too short, or it was typed differently the second time.
    static func new(file: String?) throws -> Secret {
        let passphrase: Secret
        if let file {
            do throws(PrivateFileError) {
                passphrase = try PrivateFile.read(file, maximumSize: 4096).withoutTrailingNewline
            } catch {
                throw Refusal(.usage, error.description)
            }
        } else {
            guard let typed = SecretPrompt.ask("passphrase") else {
                throw Refusal(.usage, "no passphrase given", hint: "name a file of mode 0600 with --passphrase-file")
            }
            guard SecretPrompt.ask("passphrase, again")?.matches(typed) == true else {
                throw Refusal(.usage, "the two entries differ", hint: "nothing was created")
            }
            passphrase = typed
        }
        guard passphrase.count >= minimum else {
            throw Refusal(.usage, "the passphrase has \(passphrase.count) bytes, at least \(minimum) are needed")
        }
        return passphrase
    }
}
