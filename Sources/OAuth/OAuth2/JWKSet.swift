// A key set is public by nature: a private member in it means something went badly wrong, and the whole set is refused.

import Sealing
package import StrictJSON

/// The public keys of an issuer (RFC 7517).
package struct JWKSet: Sendable {
    /// How large may a document be, in bytes?
    package static let maximumSize = 65536

    /// In the order of the document.
    package let keys: [JWTVerificationKey]

    /// Gathers keys.
    package init(keys: [JWTVerificationKey]) { self.keys = keys }

    /// Reads a document; keys of kinds, uses or algorithms not known here are skipped (§5).
    ///
    /// - Throws: ``OAuthError`` when it is no key set, holds private keys, or a known kind of key is damaged.
    package init(parsing bytes: [UInt8]) throws(OAuthError) {
        guard bytes.count <= Self.maximumSize else { throw .tooLarge("key set", limit: Self.maximumSize) }
        guard let json = try? JSON(parsing: bytes) else { throw .malformedEncoding("JSON") }
        guard let entries = json["keys"]?.array else { throw .missing("keys") }
        var keys: [JWTVerificationKey] = []
        for entry in entries {
            if let key = try Self.key(entry) { keys.append(key) }
        }
        self.keys = keys
    }

    private static func key(_ json: JSON) throws(OAuthError) -> JWTVerificationKey? {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] where json[name] != nil { throw .malformed(name) }
        guard json["use"].map({ $0 == "sig" }) ?? true else { return nil }
        let keyID = json["kid"]?.string
        let key: JWTVerificationKey
        switch (json["kty"]?.string, json["crv"]?.string) {
        case ("RSA", _):
            guard let made = try? RSAPublicKey(modulus: number("n", json), exponent: number("e", json)) else {
                throw .malformed("n")
            }
            key = .rsa(made, keyID: keyID)
        case ("OKP", "Ed25519"):
            guard let made = try? Ed25519PublicKey(rawBytes: number("x", json)) else { throw .malformed("x") }
            key = .ed25519(made, keyID: keyID)
        default: return nil
        }
        guard json["alg"].map({ alg in alg.string.map(key.algorithms.contains) ?? false }) ?? true else { return nil }
        return key
    }

    private static func number(_ name: String, _ json: JSON) throws(OAuthError) -> [UInt8] {
        guard let bytes = json[name]?.string.flatMap({ Base64.decode($0, as: .url) }) else { throw .malformed(name) }
        return bytes
    }

    /// The document.
    package var json: JSON { ["keys": .array(keys.map(\.jwk))] }
}

extension JWTVerificationKey {
    /// The key as a JWK.
    package var jwk: JSON {
        switch material {
        case .rsa(let key):
            JSON.compact([
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": keyID.map(JSON.string),
                "n": .string(Base64.encode(key.modulus, as: .url)),
                "e": .string(Base64.encode(key.exponent, as: .url)),
            ])
        case .ed25519(let key):
            JSON.compact([
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": keyID.map(JSON.string),
                "x": .string(Base64.encode(key.rawBytes, as: .url)),
            ])
        }
    }
}
