// The data key is random and never changes hands; a slot wraps it under a key that is derived from what the owner has.

import GRDB
import Sealing

/// One way into the vault.
struct SealSlot {
    let kind: KeySource.Kind
    let salt: [UInt8]
    let cost: Scrypt
    let wrapped: [UInt8]

    var protection: Protection { Protection(kind: kind) }

    static func make(for source: KeySource, dataKey: Secret) throws -> SealSlot {
        let salt = Random.bytes(32)
        let cost = Scrypt.standard
        let wrapping = try wrappingKey(source, salt: salt, cost: cost)
        let wrapped = try AEAD.seal(
            dataKey, key: wrapping, associatedData: associatedData(source.kind, salt: salt, cost: cost))
        return SealSlot(kind: source.kind, salt: salt, cost: cost, wrapped: wrapped)
    }

    /// The data key.
    ///
    /// - Throws: ``VaultError/wrongKey``, also when the slot was tampered with.
    func open(with source: KeySource) throws -> Secret {
        guard source.kind == kind else { throw VaultError.wrongKey }
        do {
            let wrapping = try Self.wrappingKey(source, salt: salt, cost: cost)
            return try AEAD.open(
                wrapped, key: wrapping, associatedData: Self.associatedData(kind, salt: salt, cost: cost))
        } catch {
            throw VaultError.wrongKey
        }
    }

    private static func wrappingKey(_ source: KeySource, salt: [UInt8], cost: Scrypt) throws -> Secret {
        switch source {
        case .file(let key): try HKDF.derive(from: key, salt: salt, info: "keyholder/1 vault key file")
        case .passphrase(let passphrase): try cost.derive(from: passphrase, salt: salt)
        }
    }

    private static func associatedData(_ kind: KeySource.Kind, salt: [UInt8], cost: Scrypt) -> [UInt8] {
        Array("keyholder/1 slot \(kind.rawValue) \(cost.n) \(cost.r) \(cost.p) ".utf8) + salt
    }

    func insert(_ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO seal_slot (kind, salt, n, r, p, wrapped) VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [
                kind.rawValue, salt.data, Int64(cost.n), Int64(cost.r), Int64(cost.p), wrapped.data,
            ])
    }

    static func fetch(_ db: Database) throws -> SealSlot? {
        guard let row = try Row.fetchOne(db, sql: "SELECT kind, salt, n, r, p, wrapped FROM seal_slot ORDER BY id")
        else { return nil }
        let columns = Columns(row, table: "seal_slot")
        return SealSlot(
            kind: try columns.choice("kind"), salt: try columns.bytes("salt"),
            cost: Scrypt(
                n: UInt64(clamping: try columns.integer("n")), r: UInt64(clamping: try columns.integer("r")),
                p: UInt64(clamping: try columns.integer("p"))),
            wrapped: try columns.bytes("wrapped"))
    }
}
