// Parsing a private key takes longer than signing with it, so the key in use is parsed once. It is unsealed each time all
// the same: the vault alone says which key is in use, and a sealed one gives none.

import Sealing
import Synchronization
import Vault

/// The parsed form of the key that signs access tokens.
final class ParsedTokenKey: Sendable {
    private let kept = Mutex<(id: String, key: RSAPrivateKey)?>(nil)

    /// Parses a key out of the vault, unless it is the one that is kept; retired ones are not kept.
    func parse(_ stored: StoredKey) throws -> RSAPrivateKey {
        if let kept = kept.withLock({ $0 }), kept.id == stored.id { return kept.key }
        let key = try RSAPrivateKey(der: stored.secret)
        if stored.retiredAt == nil { kept.withLock { $0 = (stored.id, key) } }
        return key
    }

    /// Drops it.
    func forget() { kept.withLock { $0 = nil } }
}
