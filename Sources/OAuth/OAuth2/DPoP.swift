// What binds a token to a key and a proof to a request: digests are base64url without padding, a target has one spelling.

package import Sealing
package import StrictJSON

/// The digests of demonstrating proof of possession (RFC 9449), and how its targets are compared.
package enum DPoP {
    /// `ath` (§4.2): the digest of an access token.
    package static func accessTokenHash(_ token: Secret) -> String {
        token.reveal { Base64.encode(HashFunction.sha256.digest($0), as: .url) }
    }

    /// `jkt` (§6.1): the RFC 7638 thumbprint of a public key.
    ///
    /// - Throws: ``OAuthError/malformed(_:)`` for a private key, an unknown kind, or missing members.
    package static func thumbprint(_ jwk: JSON) throws(OAuthError) -> String {
        guard JWKSet.privateMembers.allSatisfy({ jwk[$0] == nil }) else { throw .malformed("jwk") }
        let digest: [UInt8]? =
            switch jwk["kty"]?.string {
            case "EC":
                if let curve = name("crv", jwk), let x = name("x", jwk), let y = name("y", jwk) {
                    JWKThumbprint.ec(curve: curve, x: x, y: y)
                } else {
                    nil
                }
            case "RSA":
                if let n = bytes("n", jwk), let e = bytes("e", jwk) {
                    JWKThumbprint.rsa(modulus: n, exponent: e)
                } else {
                    nil
                }
            case "OKP":
                switch (name("crv", jwk), bytes("x", jwk)) {
                case ("Ed25519", .some(let x)): JWKThumbprint.ed25519(x)
                case ("X25519", .some(let x)): JWKThumbprint.x25519(x)
                default: nil
                }
            default: nil
            }
        guard let digest else { throw .malformed("jwk") }
        return Base64.encode(digest, as: .url)
    }

    /// `htu` (§4.3) in the spelling it is compared in: RFC 3986 §6.2.2 and §6.2.3, without query and fragment.
    ///
    /// - Returns: `nil` for what is no http or https URL, has user information, or a broken escape.
    static func target(_ url: String) -> String? {
        guard let uri = try? BaseURI.make(url) else { return nil }
        var out: [UInt8] = []
        var rest = Array(uri.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                out.append(byte)
                continue
            }
            guard rest.count >= 2, let decoded = Hex.decode(String(decoding: rest.prefix(2), as: UTF8.self))?.first
            else { return nil }
            rest = rest.dropFirst(2)
            PercentEncoding.append(decoded, literally: PercentEncoding.isUnreserved(decoded), to: &out)
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// A member that goes into the digest as it stands: nothing that JSON would have to escape.
    private static func name(_ member: String, _ jwk: JSON) -> String? {
        jwk[member]?.string.flatMap { text in
            !text.isEmpty && text.utf8.allSatisfy(PercentEncoding.isUnreserved) ? text : nil
        }
    }

    private static func bytes(_ member: String, _ jwk: JSON) -> [UInt8]? {
        jwk[member]?.string.flatMap { Base64.decode($0, as: .url) }
    }
}
