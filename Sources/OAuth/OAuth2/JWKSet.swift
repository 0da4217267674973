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

    /// The members that only private and secret keys have (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
    static let privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]

    /// Reads one JWK.
    ///
    /// - Returns: `nil` for a key of a kind, use or algorithm not known here.
    /// - Throws: ``OAuthError/malformed(_:)`` with the member that is private or damaged.
    package static func key(_ jwk: JSON) throws(OAuthError) -> JWTVerificationKey? {
        for name in privateMembers where jwk[name] != nil { throw .malformed(name) }
        guard jwk["use"].map({ $0 == "sig" }) ?? true else { return nil }
        let keyID = jwk["kid"]?.string
        let key: JWTVerificationKey
        switch (jwk["kty"]?.string, jwk["crv"]?.string) {
        case ("RSA", _):
            guard let made = try? RSAPublicKey(modulus: number("n", jwk), exponent: number("e", jwk)) else {
                throw .malformed("n")
            }
            key = .rsa(made, keyID: keyID)
        case ("EC", "P-256"):
            guard let made = try? P256PublicKey(x: number("x", jwk), y: number("y", jwk)) else { throw .malformed("x") }
            key = .p256(made, keyID: keyID)
        case ("OKP", "Ed25519"):
            guard let made = try? Ed25519PublicKey(rawBytes: number("x", jwk)) else { throw .malformed("x") }
            key = .ed25519(made, keyID: keyID)
        default: return nil
        }
        guard jwk["alg"].map({ alg in alg.string.map(key.algorithms.contains) ?? false }) ?? true else { return nil }
        return key
    }

    private static func number(_ name: String, _ jwk: JSON) throws(OAuthError) -> [UInt8] {
        guard let bytes = jwk[name]?.string.flatMap({ Base64.decode($0, as: .url) }) else { throw .malformed(name) }
        return bytes
    }

    /// The document.
    package var json: JSON { ["keys": .array(keys.map(\.jwk))] }
}

extension JWTVerificationKey {
    /// The key as a JWK.
    package var jwk: JSON {
        let algorithm =
            switch material {
            case .rsa: "RS256"
            case .p256: "ES256"
            case .ed25519: "EdDSA"
            }
        var members = publicMembers + [JSON.Member("use", "sig"), JSON.Member("alg", .string(algorithm))]
        if let keyID { members.append(JSON.Member("kid", .string(keyID))) }
        return .object(members)
    }

    /// Those members of the JWK that make the key (RFC 7638 §3.2).
    var publicMembers: [JSON.Member] {
        func encoded(_ bytes: [UInt8]) -> JSON { .string(Base64.encode(bytes, as: .url)) }
        let members: KeyValuePairs<String, JSON> =
            switch material {
            case .rsa(let key): ["kty": "RSA", "n": encoded(key.modulus), "e": encoded(key.exponent)]
            case .p256(let key): ["kty": "EC", "crv": "P-256", "x": encoded(key.x), "y": encoded(key.y)]
            case .ed25519(let key): ["kty": "OKP", "crv": "Ed25519", "x": encoded(key.rawBytes)]
            }
        return members.map { JSON.Member($0.key, $0.value) }
    }
}
