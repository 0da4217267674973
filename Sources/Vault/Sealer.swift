// A sealed value is bound to its table, row and column: moved anywhere else it does not open.

import Sealing

/// Seals and opens the secrets of one vault.
struct Sealer: Sendable {
    /// `nil` while the vault is sealed.
    let dataKey: Secret?

    private func key() throws(VaultError) -> Secret {
        guard let dataKey else { throw .sealed }
        return dataKey
    }

    private func associatedData(_ table: String, _ row: String, _ column: String) -> [UInt8] {
        Array("keyholder/1\u{0}\(table)\u{0}\(row)\u{0}\(column)".utf8)
    }

    /// Seals a secret for one place.
    func seal(_ secret: Secret, table: String, row: String, column: String) throws -> [UInt8] {
        try AEAD.seal(secret, key: try key(), associatedData: associatedData(table, row, column))
    }

    /// Opens the secret of one place.
    func open(_ sealed: [UInt8], table: String, row: String, column: String) throws(VaultError) -> Secret {
        let key = try key()
        do {
            return try AEAD.open(sealed, key: key, associatedData: associatedData(table, row, column))
        } catch {
            throw .damagedSecret(table: table, column: column)
        }
    }
}
