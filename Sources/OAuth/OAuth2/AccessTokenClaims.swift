// A token is good for one issuer, one audience and a span of time; all three are checked before any claim is handed out.

import Sealing
package import StrictJSON

/// The claims of a JWT access token (RFC 9068).
package struct AccessTokenClaims: Sendable, Equatable {
    /// The header's `typ`, which keeps other tokens of the same key from passing as access tokens.
    package static let type = "at+jwt"

    /// `iss`: who signed.
    package let issuer: String
    /// `sub`: whose resources they are.
    package let subject: String
    /// `aud`: where the token is good.
    package let audience: [String]
    /// The client it was issued to.
    package let clientID: String
    /// Seconds since 1970.
    package let issuedAt: Int
    /// Seconds since 1970; the first moment the token is no longer good.
    package let expiresAt: Int
    /// `jti`: unique for this issuer.
    package let tokenID: String
    /// What it allows; empty without the claim.
    package let scope: [String]
    /// `cnf.jkt`: the thumbprint of the key that must prove itself with each use (RFC 9449 §6.1); `nil` for a bearer token.
    package let confirmation: String?

    /// Gathers claims.
    package init(
        issuer: String, subject: String, audience: [String], clientID: String, issuedAt: Int, expiresAt: Int,
        tokenID: String, scope: [String], confirmation: String? = nil
    ) {
        self.issuer = issuer
        self.subject = subject
        self.audience = audience
        self.clientID = clientID
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.tokenID = tokenID
        self.scope = scope
        self.confirmation = confirmation
    }

    /// The claims as JSON.
    package var json: JSON {
        let audience: JSON = self.audience.count == 1 ? .string(self.audience[0]) : .strings(self.audience)
        return JSON.compact([
            "iss": .string(issuer), "sub": .string(subject), "aud": audience, "client_id": .string(clientID),
            "iat": .integer(Int64(issuedAt)), "exp": .integer(Int64(expiresAt)), "jti": .string(tokenID),
            "scope": scope.isEmpty ? nil : .string(scope.joined(separator: " ")),
            "cnf": confirmation.map { ["jkt": .string($0)] },
        ])
    }

    /// Reads claims without judging them.
    ///
    /// - Throws: ``JWTFault/claim(_:)`` when a required claim (§2.2) is missing or any claim of the wrong kind.
    package init(json: JSON) throws(JWTFault) {
        issuer = try JWT.text("iss", json)
        subject = try JWT.text("sub", json)
        clientID = try JWT.text("client_id", json)
        tokenID = try JWT.text("jti", json)
        issuedAt = try JWT.seconds("iat", json)
        expiresAt = try JWT.seconds("exp", json)
        guard let audience = json["aud"]?.string.map({ [$0] }) ?? json["aud"]?.strings, !audience.isEmpty else {
            throw .claim("aud")
        }
        self.audience = audience
        switch json["scope"] {
        case nil: scope = []
        case .string(let text): scope = text.split(separator: " ").map(String.init)
        default: throw .claim("scope")
        }
        confirmation = try Self.confirmation(json["cnf"])
        if json["nbf"] != nil { _ = try JWT.seconds("nbf", json) }
    }

    /// Signs the claims as an access token.
    ///
    /// - Throws: `SealingError` when the key fails.
    package func sign(with key: JWTSigningKey) throws -> String { try JWT.sign(json, type: Self.type, key: key) }

    /// Verifies an access token (§4).
    ///
    /// - Parameters:
    ///   - token: The token in compact form.
    ///   - keys: The issuer's keys.
    ///   - issuer: What `iss` must be, byte for byte.
    ///   - audience: What must be among `aud`, byte for byte.
    ///   - now: Seconds since 1970.
    ///   - leeway: How many seconds the issuer's clock may be off.
    /// - Returns: The claims, all checked but scope and confirmation.
    /// - Throws: ``JWTFault``.
    package static func verify(
        _ token: String, keys: [JWTVerificationKey], issuer: String, audience: String, now: Int, leeway: Int = 30
    ) throws(JWTFault) -> AccessTokenClaims {
        let json = try JWT.verify(token, keys: keys, type: type)
        let claims = try AccessTokenClaims(json: json)
        guard claims.issuer.sameBytes(as: issuer) else { throw .claim("iss") }
        guard claims.audience.contains(where: { $0.sameBytes(as: audience) }) else { throw .claim("aud") }
        guard now < claims.expiresAt + leeway else { throw .expired }
        guard claims.issuedAt <= now + leeway else { throw .notYetValid }
        if json["nbf"] != nil {
            guard try JWT.seconds("nbf", json) <= now + leeway else { throw .notYetValid }
        }
        return claims
    }

    /// Reads `cnf`, of which only a key's thumbprint can be enforced here.
    private static func confirmation(_ cnf: JSON?) throws(JWTFault) -> String? {
        guard let cnf else { return nil }
        guard cnf.members?.count == 1, let thumbprint = cnf["jkt"]?.string,
            Base64.decode(thumbprint.utf8, as: .url)?.count == 32
        else { throw .claim("cnf") }
        return thumbprint
    }
}
