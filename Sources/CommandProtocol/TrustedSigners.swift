// A device obeys the keys in here and no others; a revoked key stays unknown even when it is also listed.

package import Sealing

/// The part of a key set that one device needs: who may sign which operations for it.
package struct TrustedSigners: Sendable, Equatable {
    /// One key and what it may ask for.
    package struct Signer: Sendable, Equatable {
        /// The key, or `nil` when import refused it: then no signature of it is valid.
        package let key: Ed25519PublicKey?
        /// The operations it may ask for.
        package let operations: Set<String>

        /// Names a key and its operations.
        package init(key: Ed25519PublicKey?, operations: Set<String>) {
            self.key = key
            self.operations = operations
        }
    }

    /// The key-set version (`kv`).
    package let version: Int64
    /// By key id.
    package let signers: [String: Signer]
    /// Key ids that count as unknown.
    package let revoked: Set<String>

    /// Puts the table together directly; ``KeySet/signers(for:)`` makes it from a verified key set.
    package init(version: Int64, signers: [String: Signer], revoked: Set<String> = []) {
        self.version = version
        self.signers = signers
        self.revoked = revoked
    }

    /// The signer with this key id unless it is revoked.
    func signer(_ keyID: String) -> Signer? { revoked.contains(keyID) ? nil : signers[keyID] }
}
