// The key that opens the vault is never stored beside what it protects without `status` saying so.

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
    /// - Throws: `PrivateFileError` when something is already there or the file cannot be written.
    package static func makeFile(at path: String) throws(PrivateFileError) -> KeySource {
        let key = Secret.random(count: 32)
        try PrivateFile.create(path, key)
        return .file(key)
    }

    /// Reads a key file.
    ///
    /// - Throws: `PrivateFileError`; ``VaultError/wrongKey`` for a file that has not 32 bytes.
    package static func readFile(at path: String) throws -> KeySource {
        let key = try PrivateFile.read(path, maximumSize: 1024)
        guard key.count == 32 else { throw VaultError.wrongKey }
        return .file(key)
    }
}

/// Against whom a key source protects, for `status`.
package struct Protection: Sendable, Equatable {
    package let kind: KeySource.Kind

    /// Describes a kind of key source.
    package init(kind: KeySource.Kind) { self.kind = kind }

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
