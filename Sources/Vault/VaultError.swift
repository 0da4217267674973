// An error of the vault never means "start with an empty one": what cannot be read is left as it is.

/// Why the vault cannot do what it was asked.
package enum VaultError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The keys are not in memory; `unseal` first.
    case sealed
    /// The passphrase or key file does not open this vault.
    case wrongKey
    /// There already is a vault at this path.
    case exists(String)
    /// There is no vault at this path.
    case missing(String)
    /// SQLite would not promise durability; found is what `PRAGMA synchronous` read back.
    case notDurable(found: Int)
    /// The file was written by a newer version; it was not touched.
    case newerSchema
    /// SQLite's own check found damage; the text is its first line.
    case damaged(String)
    /// A sealed value does not open: the row was changed outside the vault.
    case damagedSecret(table: String, column: String)
    /// A stored value is not what the schema promises.
    case badRow(table: String, column: String)
    /// The file or its folder may not be written, or the file system is mounted read-only.
    case readOnly(String)
    /// Nothing more can be written at this path.
    case diskFull(String)

    package var description: String {
        switch self {
        case .sealed: "the vault is sealed"
        case .wrongKey: "the key does not open this vault"
        case .exists(let path): "there already is a vault at \"\(path)\""
        case .missing(let path): "there is no vault at \"\(path)\""
        case .notDurable(let found): "the database is not durable: synchronous is \(found), must be 2 (FULL)"
        case .newerSchema: "the vault was written by a newer version of Keyholder"
        case .damaged(let what): "the vault file is damaged: \(what)"
        case .damagedSecret(let table, let column): "a secret in \(table).\(column) is damaged"
        case .badRow(let table, let column): "a value in \(table).\(column) is not valid"
        case .readOnly(let path):
            "the vault at \"\(path)\" is read-only: check the file, its folder and how its file system is mounted"
        case .diskFull(let path): "there is no space left on the disk for \"\(path)\""
        }
    }
}
