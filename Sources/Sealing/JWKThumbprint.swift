// The same key has the same thumbprint everywhere: the required members, in alphabetical order, nothing else.

/// The SHA-256 JWK thumbprint (RFC 7638) of a public key.
package enum JWKThumbprint {
    /// Of an Ed25519 key (RFC 8037 §2).
    package static func ed25519(_ rawBytes: [UInt8]) -> [UInt8] { octetKeyPair("Ed25519", rawBytes) }

    /// Of an X25519 key (RFC 8037 §2).
    package static func x25519(_ rawBytes: [UInt8]) -> [UInt8] { octetKeyPair("X25519", rawBytes) }

    /// Of an RSA key.
    package static func rsa(modulus: [UInt8], exponent: [UInt8]) -> [UInt8] {
        let e = Base64.encode(exponent, as: .url)
        let n = Base64.encode(modulus, as: .url)
        return HashFunction.sha256.digest(Array(#"{"e":"\#(e)","kty":"RSA","n":"\#(n)"}"#.utf8))
    }

    /// Of an elliptic-curve key; `x` and `y` as they stand in the JWK.
    package static func ec(curve: String, x: String, y: String) -> [UInt8] {
        HashFunction.sha256.digest(Array(#"{"crv":"\#(curve)","kty":"EC","x":"\#(x)","y":"\#(y)"}"#.utf8))
    }

    private static func octetKeyPair(_ curve: String, _ rawBytes: [UInt8]) -> [UInt8] {
        let x = Base64.encode(rawBytes, as: .url)
        return HashFunction.sha256.digest(Array(#"{"crv":"\#(curve)","kty":"OKP","x":"\#(x)"}"#.utf8))
    }
}

extension Ed25519PublicKey {
    /// The RFC 7638 thumbprint, 32 bytes.
    package var thumbprint: [UInt8] { JWKThumbprint.ed25519(rawBytes) }

    /// DAC/1's key id: the first 8 bytes of the thumbprint as base64url, 11 characters.
    package var keyID: String { Base64.encode(thumbprint.prefix(8), as: .url) }
}
