// An assertion is good for this server alone, for minutes, and once; until it is verified it only says whom to look up.

package import Sealing
import StrictJSON

/// A client's signed proof of who it is (RFC 7523 §3, as its revision restricts the audience to the issuer).
package struct ClientAssertion: Sendable {
    /// The value of `client_assertion_type`.
    package static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    /// The header's `typ`, which the revision of RFC 7523 introduces.
    package static let headerType = "client-authentication+jwt"
    /// How many seconds may a client's clock be off?
    private static let leeway = 30

    /// Whom it claims to come from: `sub`, which `iss` repeats; to be believed only after ``verify(keys:issuer:now:longest:)``.
    package let clientID: String
    private let token: CompactToken

    /// Reads an assertion without believing it.
    ///
    /// - Throws: ``OAuth2Refusal/invalidClient(usedHeader:)`` when it is no token, or `sub` and `iss` are not one client.
    package init(parsing text: String) throws(OAuth2Refusal) {
        guard let token = try? CompactToken(text), let subject = token.claims["sub"]?.string, !subject.isEmpty,
            let issuer = token.claims["iss"]?.string, issuer.sameBytes(as: subject)
        else { throw .invalidClient(usedHeader: false) }
        clientID = subject
        self.token = token
    }

    /// What must be remembered of an assertion so that it is not taken twice.
    package struct Verified: Sendable, Equatable {
        /// `jti`, unique for this client.
        package let id: String
        /// Seconds since 1970; the first moment at which the assertion is refused for its age, a little after `exp`.
        package let expiresAt: Int
    }

    /// Verifies the assertion; that it was not used before is the caller's to check.
    ///
    /// - Parameters:
    ///   - keys: The keys of the client that ``clientID`` names. Of several, those count that the header's `kid` names
    ///     and those that have no id.
    ///   - issuer: This server's issuer identifier, the only audience allowed.
    ///   - now: Seconds since 1970.
    ///   - longest: How many seconds `exp` may lie ahead.
    /// - Returns: What to remember, and how long.
    /// - Throws: ``JWTFault``.
    package func verify(
        keys: [JWTVerificationKey], issuer: String, now: Int, longest: Int = 600
    ) throws(JWTFault) -> Verified {
        let claims = try verifiedClaims(keys)
        let audience = claims["aud"]?.string.map { [$0] } ?? claims["aud"]?.strings ?? []
        guard audience.count == 1, audience[0].sameBytes(as: issuer) else { throw .claim("aud") }
        let expiry = try JWT.seconds("exp", claims)
        guard now < expiry + Self.leeway else { throw .expired }
        guard expiry <= now + longest + Self.leeway else { throw .claim("exp") }
        for name in ["iat", "nbf"] where claims[name] != nil {
            guard try JWT.seconds(name, claims) <= now + Self.leeway else { throw .notYetValid }
        }
        return Verified(id: try JWT.text("jti", claims, limit: 256), expiresAt: expiry + Self.leeway)
    }

    private func verifiedClaims(_ keys: [JWTVerificationKey]) throws(JWTFault) -> JSON {
        guard let algorithm = token.header["alg"]?.string else { throw .wrongAlgorithm }
        let keyID = token.header["kid"]?.string
        guard keyID != nil || token.header["kid"] == nil else { throw .malformed }
        let named = keys.filter { key in
            guard let keyID, let other = key.keyID else { return true }
            return other.sameBytes(as: keyID)
        }
        guard !named.isEmpty else { throw .unknownKey }
        var fault = JWTFault.wrongAlgorithm
        for key in named where key.algorithms.contains(algorithm) {
            do throws(JWTFault) {
                return try JWT.verify(token, key: key, type: expectedType)
            } catch {
                fault = error
            }
        }
        throw fault
    }

    /// Clients write the new type, the old one or none; any other says that the token is for something else.
    private var expectedType: String? { JWT.isType(token.header["typ"], Self.headerType) ? Self.headerType : nil }

    /// Makes an assertion for one request.
    ///
    /// - Parameters:
    ///   - clientID: The client's identifier.
    ///   - audience: The server's issuer identifier.
    ///   - key: The client's private key.
    ///   - now: Seconds since 1970.
    ///   - lifetime: Seconds until it expires.
    /// - Returns: The value of `client_assertion`.
    /// - Throws: `SealingError` when the key fails.
    package static func make(
        clientID: String, audience: String, key: JWTSigningKey, now: Int, lifetime: Int = 60
    ) throws -> Secret {
        let claims: JSON = [
            "iss": .string(clientID), "sub": .string(clientID), "aud": .string(audience),
            "jti": .string(Random.alphanumerics(24)), "iat": .integer(Int64(now)),
            "exp": .integer(Int64(now + lifetime)),
        ]
        return Secret(text: try JWT.sign(claims, type: headerType, key: key))
    }
}
