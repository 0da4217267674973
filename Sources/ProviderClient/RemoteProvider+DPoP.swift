// Every request has a proof of its own; an origin's nonce goes back to that origin only, and is asked for once.

package import Delegation
import OAuth
package import Sealing

extension RemoteProvider {
    /// Makes the key that the tokens of one grant are bound to (RFC 9449).
    ///
    /// - Returns: A P-256 key as PKCS#8 in PEM.
    /// - Throws: `SealingError` when libcrypto cannot.
    package static func generateDPoPKey() throws -> Secret { try PrivateKeyPEM.makeP256() }

    /// Proves possession of a grant's key for a request that somebody else will send.
    ///
    /// - Parameters:
    ///   - method: The HTTP method.
    ///   - url: The absolute URL; query and fragment are not covered.
    ///   - tokens: The grant's tokens with their key.
    /// - Returns: The values of `Authorization` and `DPoP`. A provider that wants a nonce nobody has learned yet answers
    ///   401 to the first request; ``learn(nonce:from:)`` takes what it said.
    /// - Throws: ``ProviderFailure/notPinned(host:)`` for a URL of somebody else, ``ProviderFailure/notOffered(_:)`` when
    ///   the tokens are bound to no key.
    package func proofOfPossession(
        _ method: String, _ url: String, tokens: GrantTokens
    ) throws -> (authorization: Secret, dpop: String) {
        try origins.check(url)
        guard let pem = tokens.dpopKey else { throw ProviderFailure.notOffered("key that this grant is bound to") }
        let dpop = try makeProof(method, url, key: PrivateKeyPEM.proofKey(pem), token: tokens.accessToken)
        return (Self.authorization(tokens.accessToken, scheme: "DPoP"), dpop)
    }

    /// Keeps the nonce of a reply that somebody else received, for the next proof.
    ///
    /// - Throws: ``ProviderFailure/notPinned(host:)``.
    package func learn(nonce: String, from url: String) throws {
        memory.learn(nonce: nonce, of: "\(try origins.check(url))")
    }

    func makeProof(
        _ method: String, _ url: String, key: JWTSigningKey, token: Secret?
    ) throws(ProviderFailure) -> String {
        let origin = try origins.check(url)
        do {
            return try DPoPProof.make(
                method: method, url: url, key: key, accessToken: token, nonce: memory.nonce(of: "\(origin)"),
                now: seconds)
        } catch {
            throw .unusableKey("a key that can sign")
        }
    }

    /// Whether a refusal is about the nonce alone and says which one is wanted: 400 from an authorisation server (§8), 401
    /// from an API (§9).
    func asksForNonce(_ reply: RawReply) -> Bool {
        guard reply.dpopNonce != nil, reply.status == 400 || reply.status == 401 else { return false }
        return TokenError.parse(reply.body.revealBytes())?.code == Self.nonceWanted
            || reply.challenges.contains { $0.contains(Self.nonceWanted) }
    }

    private static let nonceWanted = "use_dpop_nonce"

    static func authorization(_ token: Secret, scheme: String) -> Secret {
        token.reveal { Secret(Array("\(scheme) ".utf8) + $0) }
    }
}
