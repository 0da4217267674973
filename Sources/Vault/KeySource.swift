// The key that opens the vault is never stored beside what it protects without `status` saying so.

package import Delegation
import FoundationEssentials
import Glibc
package import Sealing
package import StrictJSON

/// What opens the vault.
package enum KeySource: Sendable {
    /// 32 random bytes out of a file.
    case file(Secret)
    /// What a person remembers.
    case passphrase(Secret)

    /// Which of them, as `config` and `status` say it.
    package enum Kind: String, Sendable, CaseIterable {
        case file
        case passphrase
    }

    /// Which of them this is.
    package var kind: Kind {
        switch self {
        case .file: .file
        case .passphrase: .passphrase
        }
    }

    /// Makes a key file of mode 0600.
    ///
    /// - Throws: ``Refusal`` when something is already there or the file cannot be written.
    package static func makeFile(at path: String) throws(Refusal) -> KeySource {
        let key = Secret.random(count: 32)
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Refusal(.failure, "cannot create the key file \(quoted(path)): \(String(cString: strerror(errno)))")
        }
        defer { Glibc.close(descriptor) }
        let written = key.reveal { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == key.count, fsync(descriptor) == 0 else {
            throw Refusal(.failure, "cannot write the key file \(quoted(path)): \(String(cString: strerror(errno)))")
        }
        return .file(key)
    }

    /// Reads a key file.
    ///
    /// - Throws: ``Refusal`` when it is missing, has the wrong size, belongs to somebody else or is open to others.
    package static func readFile(at path: String) throws(Refusal) -> KeySource {
        let descriptor = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw Refusal(
                .failure, "cannot read the key file \(quoted(path)): \(String(cString: strerror(errno)))",
                hint: "without it the vault stays shut; put it back from where you keep it")
        }
        defer { Glibc.close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
            throw Refusal(
                .failure, "the key file \(quoted(path)) belongs to another user or is open to others",
                hint: "chown it to the daemon's user and chmod it to 600")
        }
        var bytes = SecretBytes(zeros: 33)
        let count = bytes.withMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        guard count == 32 else {
            throw Refusal(.failure, "the key file \(quoted(path)) has not 32 bytes", hint: "restore it from a copy")
        }
        return .file(bytes.withBytes { Secret(copying: UnsafeRawBufferPointer(rebasing: $0[..<32])) })
    }
}

/// Against whom a key source protects, for `status`.
package struct Protection: Sendable, Equatable {
    package let kind: KeySource.Kind

    /// As INTERFACE prescribes, with words a person can act on.
    package var json: JSON {
        [
            "key_source": .string(kind.rawValue),
            "other_user": true,
            "stolen_disk": .bool(kind == .passphrase),
            "stolen_hub": .bool(kind == .passphrase),
            "unattended_boot": .bool(kind == .file),
            "locked_memory": .bool(SecureHeap.isLocked),
        ]
    }
}
