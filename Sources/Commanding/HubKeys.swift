// The key that signs commands and the root key that signs key sets are two keys, both sealed; a key set that is
// published is in the vault first.

import CommandProtocol
package import FoundationEssentials
import Sealing
package import Vault

/// The hub's keys, read inside a transaction and gone with it.
package enum HubKeys {
    /// Makes the hub's keys and its first key set.
    package static func create(in transaction: Transaction, at now: Date) throws {
        _ = try commandKey(in: transaction)
        _ = try keySet(covering: [ping], in: transaction, at: now)
    }

    /// The operation that every device answers and that does nothing.
    static let ping = "dac.ping"

    /// The key that signs commands.
    static func commandKey(in transaction: Transaction) throws -> Ed25519PrivateKey {
        try key(for: .command, in: transaction)
    }

    /// The newest key set, extended by a version when it does not yet let the command key ask for `operations`, or not
    /// yet name `keyID` as revoked.
    ///
    /// - Returns: The key set and whether it is new.
    static func keySet(
        covering operations: [String] = [], revoking keyID: String? = nil, in transaction: Transaction, at now: Date
    ) throws -> (signed: SignedKeySet, isNew: Bool) {
        let current = try transaction.currentKeySet().map {
            try SignedKeySet.verify(Array($0.document.utf8), after: nil)
        }
        let command = try commandKey(in: transaction).publicKey
        let signer = current?.keySet.signers.first { $0.key == command }
        let wanted = Set(signer?.ops ?? []).union(operations)
        var revoked = current?.keySet.revoked ?? []
        if let keyID, !revoked.contains(keyID) { revoked.append(keyID) }
        if let current, let signer, Set(signer.ops) == wanted, revoked == current.keySet.revoked {
            return (current, false)
        }
        let root = try key(for: .root, in: transaction)
        let next = KeySet(
            version: (current?.keySet.version ?? 0) + 1,
            root: current?.keySet.root ?? KeySet.Root(keys: [root.publicKey], threshold: 1),
            signers: [KeySet.Signer(key: command, ops: wanted.sorted())],
            revoked: revoked, previous: current?.hash)
        let signed = try SignedKeySet.sign(next, keys: [root])
        try transaction.insertKeySet(
            version: next.version, document: String(decoding: signed.document, as: UTF8.self), at: now)
        return (signed, true)
    }

    private static func key(for purpose: StoredKey.Purpose, in transaction: Transaction) throws -> Ed25519PrivateKey {
        let stored = try transaction.key(for: purpose) {
            let made = Ed25519PrivateKey()
            return StoredKey(
                id: made.publicKey.keyID, purpose: purpose, secret: made.seed, createdAt: Date(), retiredAt: nil)
        }
        return try Ed25519PrivateKey(seed: stored.secret)
    }
}
