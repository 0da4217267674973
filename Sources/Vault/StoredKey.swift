// Private keys and other long-lived secrets of the hub; each is sealed, and a retired one is kept for verifying.

package import FoundationEssentials
import GRDB
package import Sealing

/// One long-lived secret of the hub.
package struct StoredKey: Sendable {
    /// What the secret is for; no key serves two purposes.
    package enum Purpose: String, Sendable, CaseIterable {
        /// Ed25519 seed: signs commands.
        case command
        /// Ed25519 seed: signs key sets.
        case root
        /// RSA key, DER: signs the home provider's access tokens.
        case accessToken = "access_token"
        /// Mixed into every password hash.
        case pepper
        /// Authenticates the audit log.
        case audit
        /// The hub's password at the broker.
        case broker
    }

    package let id: String
    package let purpose: Purpose
    package let secret: Secret
    package let createdAt: Date
    package let retiredAt: Date?

    /// Assembles a key.
    package init(id: String, purpose: Purpose, secret: Secret, createdAt: Date, retiredAt: Date?) {
        self.id = id
        self.purpose = purpose
        self.secret = secret
        self.createdAt = createdAt
        self.retiredAt = retiredAt
    }
}

extension Transaction {
    /// Stores a key.
    package func insertKey(_ key: StoredKey) throws {
        let place = Self.place(key.id, purpose: key.purpose)
        let sealed = try sealer.seal(key.secret, table: "key", row: place, column: "sealed_secret")
        try database.execute(
            sql: "INSERT INTO key (id, purpose, sealed_secret, created_at, retired_at) VALUES (?, ?, ?, ?, ?)",
            arguments: [key.id, key.purpose.rawValue, sealed.data, key.createdAt, key.retiredAt])
    }

    /// The keys of a purpose, newest first: those in use, and those retired after an instant, if one is given.
    package func keys(for purpose: StoredKey.Purpose, retiredAfter oldest: Date? = nil) throws -> [StoredKey] {
        try Row.fetchAll(
            database.cachedStatement(
                sql: """
                    SELECT * FROM key WHERE purpose = ? AND (retired_at IS NULL OR retired_at > ?)
                    ORDER BY retired_at IS NOT NULL, created_at DESC, id
                    """),
            arguments: [purpose.rawValue, oldest ?? .distantFuture]
        ).map { row in
            let columns = Columns(row, table: "key")
            let id = try columns.text("id")
            return StoredKey(
                id: id, purpose: purpose,
                secret: try sealer.open(
                    try columns.bytes("sealed_secret"), table: "key", row: Self.place(id, purpose: purpose),
                    column: "sealed_secret"),
                createdAt: try columns.date("created_at"), retiredAt: try columns.optionalDate("retired_at"))
        }
    }

    /// Retires the keys of a purpose that are in use.
    ///
    /// - Returns: Their ids.
    package func retireKeys(for purpose: StoredKey.Purpose, at now: Date) throws -> [String] {
        try String.fetchAll(
            database, sql: "UPDATE key SET retired_at = ? WHERE purpose = ? AND retired_at IS NULL RETURNING id",
            arguments: [now, purpose.rawValue])
    }

    /// With its purpose, so that no edit of the file makes a key serve another.
    private static func place(_ id: String, purpose: StoredKey.Purpose) -> String { "\(purpose.rawValue) \(id)" }

    /// The current key of a purpose, made by `make` when there is none yet.
    package func key(for purpose: StoredKey.Purpose, orMake make: () throws -> StoredKey) throws -> StoredKey {
        if let key = try keys(for: purpose).first { return key }
        let key = try make()
        try insertKey(key)
        return key
    }
}
