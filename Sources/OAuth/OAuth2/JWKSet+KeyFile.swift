// Whoever registers a client hands over what verifies, never what signs; a private key is refused before anything else.

import Sealing
import StrictJSON

extension JWKSet {
    /// Reads the key file of a client: a JWK Set, one JWK, or a PEM public key.
    ///
    /// - Throws: ``OAuthError``; ``OAuthError/malformed(_:)`` with `private key` for a private or secret key in any form,
    ///   and ``OAuthError/missing(_:)`` when no key of the file can verify a signature here.
    package init(parsingKeyFile bytes: [UInt8]) throws(OAuthError) {
        guard bytes.count <= Self.maximumSize else { throw .tooLarge("key file", limit: Self.maximumSize) }
        let text = String(decoding: bytes.withoutByteOrderMark, as: UTF8.self)
        guard !text.contains("PRIVATE KEY-----") else { throw .malformed("private key") }
        let keys = try text.contains("-----BEGIN ") ? [Self.pemKey(text)] : Self.jsonKeys(text)
        guard !keys.isEmpty else { throw .missing("public key") }
        guard !keys.contains(where: \.isTooShort) else { throw .malformed("RSA key of fewer than 2048 bits") }
        self.init(keys: keys)
    }

    private static func pemKey(_ text: String) throws(OAuthError) -> JWTVerificationKey {
        do throws(SealingError) {
            switch try PublicKeyInfo.parse(pem: Array(text.utf8)) {
            case .rsa(let key): return .rsa(key, keyID: nil)
            case .p256(let key): return .p256(key, keyID: nil)
            case .ed25519(let key): return .ed25519(key, keyID: nil)
            }
        } catch {
            throw .malformed("public key")
        }
    }

    private static func jsonKeys(_ text: String) throws(OAuthError) -> [JWTVerificationKey] {
        guard let json = try? JSON(parsing: Array(text.utf8)), json.members != nil else {
            throw .malformedEncoding("JWK Set, JWK or PEM")
        }
        guard json["keys"] == nil || json["keys"]?.array != nil else { throw .malformed("keys") }
        let entries = json["keys"]?.array ?? [json]
        for name in privateMembers where entries.contains(where: { $0[name] != nil }) {
            throw .malformed("private key")
        }
        var keys: [JWTVerificationKey] = []
        for entry in entries {
            if let key = try key(entry) { keys.append(key) }
        }
        return keys
    }
}
