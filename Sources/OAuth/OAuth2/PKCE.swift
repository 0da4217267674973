// A code is worth nothing without the verifier, which never leaves the process that made it until the code is redeemed.

package import Sealing

/// Proof key for code exchange with S256 (RFC 7636).
package struct PKCE: Sendable {
    /// The only method this project makes or takes.
    package static let method = "S256"

    /// 43 to 128 characters, sent with the code.
    package let verifier: Secret
    /// Its digest, sent with the authorisation request.
    package let challenge: String

    /// Makes a new verifier of 256 random bits.
    package init() {
        verifier = Secret.random(count: 32).reveal { Secret(text: Base64.encode($0, as: .url)) }
        challenge = Self.challenge(for: verifier)
    }

    /// Takes a stored verifier.
    ///
    /// - Throws: ``OAuthError/malformed(_:)`` when it breaks the syntax of §4.1.
    package init(verifier: Secret) throws(OAuthError) {
        guard Self.isValidVerifier(verifier) else { throw .malformed("code_verifier") }
        self.verifier = verifier
        challenge = Self.challenge(for: verifier)
    }

    /// The S256 challenge of a verifier (§4.2).
    package static func challenge(for verifier: Secret) -> String {
        verifier.reveal { Base64.encode(HashFunction.sha256.digest($0), as: .url) }
    }

    /// Whether this is 43 to 128 unreserved characters (§4.1).
    package static func isValidVerifier(_ verifier: Secret) -> Bool {
        (43...128).contains(verifier.count) && verifier.reveal { $0.allSatisfy(PercentEncoding.isUnreserved) }
    }

    /// Whether this is a SHA-256 digest as base64url: 43 characters.
    package static func isValidChallenge(_ challenge: String) -> Bool {
        challenge.utf8.count == 43 && Base64.decode(challenge, as: .url) != nil
    }

    /// Whether a verifier belongs to a challenge (§4.6), compared in constant time.
    package static func matches(verifier: Secret, challenge: String) -> Bool {
        isValidVerifier(verifier) && ConstantTime.equal(self.challenge(for: verifier), challenge)
    }
}
