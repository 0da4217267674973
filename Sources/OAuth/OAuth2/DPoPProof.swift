// A proof is for one request and one moment, by the key it carries; whether it came before is the caller's to remember.

package import Sealing
import StrictJSON

/// Why a DPoP proof proves nothing. No case carries the proof or a claim's value.
package enum DPoPFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// There is not exactly one proof; the payload is how many there are.
    case count(Int)
    /// The token is not a signed proof.
    case jwt(JWTFault)
    /// The header's `jwk` is missing, private, damaged, or of a kind not known here.
    case key
    /// A claim is missing, malformed, or does not fit the request; the payload is its name.
    case claim(String)
    /// It was made this many seconds ago, or in the future if negative.
    case age(Int)

    /// One line for a log, without any value of the request.
    package var description: String {
        switch self {
        case .count(let count): "\(count) DPoP proofs instead of one"
        case .jwt(let fault): "DPoP proof: \(fault)"
        case .key: "DPoP proof carries no public key that can be used"
        case .claim(let name): "DPoP proof: claim \"\(name)\" is missing or wrong"
        case .age(let seconds): "DPoP proof was made \(seconds) seconds ago"
        }
    }
}

/// Proof that whoever sends a request holds a private key (RFC 9449 §4).
package struct DPoPProof: Sendable, Equatable {
    /// The header's `typ`.
    package static let type = "dpop+jwt"

    /// `jkt`: the RFC 7638 thumbprint of the key, base64url.
    package let thumbprint: String
    /// `jti`, 1 to 256 bytes; to be taken once while the proof is fresh.
    package let proofID: String
    /// Seconds since 1970 by the client's clock.
    package let issuedAt: Int
    /// Seconds since 1970; the first moment at which the proof is refused for its age.
    package let expiresAt: Int
    /// What the server gave out before, not judged here.
    package let nonce: String?

    /// Verifies the proof of a request (§4.3), all but `nonce` and whether it came before.
    ///
    /// - Parameters:
    ///   - proofs: The values of every `DPoP` header of the request.
    ///   - method: The request's method.
    ///   - url: The request's URL as the client sees it; query and fragment do not count.
    ///   - accessToken: The token that came with the request; then `ath` must be there and right.
    ///   - now: Seconds since 1970.
    ///   - window: How many seconds `iat` may be off either way.
    /// - Returns: Which key proved itself, and what is left to judge.
    /// - Throws: ``DPoPFault``.
    package static func verify(
        _ proofs: [String], method: String, url: String, accessToken: Secret? = nil, now: Int, window: Int = 300
    ) throws(DPoPFault) -> DPoPProof {
        guard let text = proofs.first, proofs.count == 1 else { throw .count(proofs.count) }
        let (claims, key) = try open(text)
        guard let proofID = try? JWT.text("jti", claims, limit: 256) else { throw .claim("jti") }
        guard claims["htm"]?.string?.sameBytes(as: method) == true else { throw .claim("htm") }
        guard let target = DPoP.target(url), claims["htu"]?.string.flatMap(DPoP.target) == target else {
            throw .claim("htu")
        }
        guard let issuedAt = try? JWT.seconds("iat", claims) else { throw .claim("iat") }
        guard (-window...window).contains(now - issuedAt) else { throw .age(now - issuedAt) }
        if let accessToken {
            guard claims["ath"]?.string?.sameBytes(as: DPoP.accessTokenHash(accessToken)) == true else {
                throw .claim("ath")
            }
        }
        guard claims["nonce"] == nil || claims["nonce"]?.string != nil else { throw .claim("nonce") }
        return DPoPProof(
            thumbprint: key.thumbprint, proofID: proofID, issuedAt: issuedAt, expiresAt: issuedAt + window + 1,
            nonce: claims["nonce"]?.string)
    }

    /// The claims under the key that the proof itself carries: the signature shows only who holds that key.
    private static func open(_ text: String) throws(DPoPFault) -> (claims: JSON, key: JWTVerificationKey) {
        let token: CompactToken
        do throws(JWTFault) { token = try CompactToken(text) } catch { throw .jwt(error) }
        guard let jwk = token.header["jwk"], let key = (try? JWKSet.key(jwk)) ?? nil else { throw .key }
        do throws(JWTFault) {
            let claims = try JWT.verify(token, key: key, type: type, allowedHeaders: ["alg", "typ", "kid", "jwk"])
            return (claims, key)
        } catch { throw .jwt(error) }
    }

    /// Makes the proof for one request (§4.2).
    ///
    /// - Parameters:
    ///   - method: The request's method.
    ///   - url: The request's URL; query and fragment are left out.
    ///   - key: The client's key, whose public half goes into the header.
    ///   - accessToken: The token that goes with the request.
    ///   - nonce: What the server gave out last.
    ///   - now: Seconds since 1970.
    ///   - proofID: `jti`, another one for each request.
    /// - Returns: The `DPoP` header's value.
    /// - Throws: `SealingError` when the key fails.
    package static func make(
        method: String, url: String, key: JWTSigningKey, accessToken: Secret? = nil, nonce: String? = nil, now: Int,
        proofID: String = Random.alphanumerics(24)
    ) throws -> String {
        let claims = JSON.compact([
            "jti": .string(proofID), "htm": .string(method),
            "htu": .string(String(url.prefix { $0 != "?" && $0 != "#" })), "iat": .integer(Int64(now)),
            "ath": accessToken.map { .string(DPoP.accessTokenHash($0)) }, "nonce": nonce.map(JSON.string),
        ])
        let jwk = JSON.Member("jwk", .object(key.verificationKey.publicMembers))
        return try JWT.sign(claims, type: type, key: key.withoutID, header: [jwk])
    }
}
