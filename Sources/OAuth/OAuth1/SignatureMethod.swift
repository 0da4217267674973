// The method belongs to the consumer's key, never to the request: who may choose it freely picks the weakest.

package import Sealing

/// How a request is signed (RFC 5849 §3.4); SHA-256 and SHA-512 are the extension that several providers share.
package enum SignatureMethod: String, Sendable, CaseIterable {
    case hmacSHA1 = "HMAC-SHA1"
    case hmacSHA256 = "HMAC-SHA256"
    case hmacSHA512 = "HMAC-SHA512"
    case rsaSHA1 = "RSA-SHA1"
    case rsaSHA256 = "RSA-SHA256"
    case rsaSHA512 = "RSA-SHA512"
    case plaintext = "PLAINTEXT"

    /// The hash function, or `nil` for PLAINTEXT, which has none.
    package var hash: HashFunction? {
        switch self {
        case .hmacSHA1, .rsaSHA1: .sha1
        case .hmacSHA256, .rsaSHA256: .sha256
        case .hmacSHA512, .rsaSHA512: .sha512
        case .plaintext: nil
        }
    }

    /// Whether the key is an RSA key pair instead of shared secrets.
    package var usesRSA: Bool {
        switch self {
        case .rsaSHA1, .rsaSHA256, .rsaSHA512: true
        case .hmacSHA1, .hmacSHA256, .hmacSHA512, .plaintext: false
        }
    }
}
