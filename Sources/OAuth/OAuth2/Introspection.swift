// Of a token that is not good nothing is said but that: not whose it was, nor whether there ever was one.

package import StrictJSON

/// What an authorisation server says about a token (RFC 7662 §2.2), the same value on both sides.
package struct IntrospectionReply: Sendable, Equatable {
    /// Whether the token is good now; nothing else is written or read when it is not.
    package let active: Bool
    /// What it allows; `nil` when the server does not say.
    package let scope: [String]?
    /// The client it was issued to.
    package let clientID: String?
    /// The owner, by a name for people.
    package let username: String?
    /// How it is presented.
    package let tokenType: String?
    /// Seconds since 1970; the first moment the token is no longer good.
    package let expiresAt: Int?
    /// Seconds since 1970.
    package let issuedAt: Int?
    /// Whose resources it opens.
    package let subject: String?
    /// Where it is good; empty when the server does not say.
    package let audience: [String]
    /// Who issued it.
    package let issuer: String?
    /// `jti`.
    package let tokenID: String?
    /// The thumbprint of the key it is bound to (RFC 9449 §6.2); `nil` for a bearer token.
    package let confirmation: String?

    /// The whole answer about a token that is unknown, revoked, expired, or nothing to the one who asks.
    package static let inactive = IntrospectionReply(active: false)

    /// Gathers an answer.
    package init(
        active: Bool, scope: [String]? = nil, clientID: String? = nil, username: String? = nil,
        tokenType: String? = nil, expiresAt: Int? = nil, issuedAt: Int? = nil, subject: String? = nil,
        audience: [String] = [], issuer: String? = nil, tokenID: String? = nil, confirmation: String? = nil
    ) {
        self.active = active
        self.scope = scope
        self.clientID = clientID
        self.username = username
        self.tokenType = tokenType
        self.expiresAt = expiresAt
        self.issuedAt = issuedAt
        self.subject = subject
        self.audience = audience
        self.issuer = issuer
        self.tokenID = tokenID
        self.confirmation = confirmation
    }

    /// The body a server answers with.
    package var json: JSON {
        guard active else { return ["active": false] }
        let audience: JSON? =
            switch self.audience.count {
            case 0: nil
            case 1: .string(self.audience[0])
            default: .strings(self.audience)
            }
        return JSON.compact([
            "active": true, "scope": scope.map { .string($0.joined(separator: " ")) },
            "client_id": clientID.map(JSON.string), "username": username.map(JSON.string),
            "token_type": tokenType.map(JSON.string), "exp": expiresAt.map { .integer(Int64($0)) },
            "iat": issuedAt.map { .integer(Int64($0)) }, "sub": subject.map(JSON.string), "aud": audience,
            "iss": issuer.map(JSON.string), "jti": tokenID.map(JSON.string),
            "cnf": confirmation.map { ["jkt": .string($0)] },
        ])
    }

    /// Reads the body of a reply; times may be fractions, or text.
    ///
    /// - Throws: ``OAuthError`` when it is no JSON, does not say whether the token is good, or says about a good one
    ///   something that cannot be understood.
    package static func parse(_ body: [UInt8]) throws(OAuthError) -> IntrospectionReply {
        guard body.count <= TokenReply.maximumSize else {
            throw .tooLarge("reply", limit: TokenReply.maximumSize)
        }
        guard let json = try? JSON(parsing: body.withoutByteOrderMark) else { throw .malformedEncoding("JSON") }
        guard let active = json["active"] else { throw .missing("active") }
        guard let active = active.bool else { throw .malformed("active") }
        guard active else { return .inactive }
        return IntrospectionReply(
            active: true, scope: try text("scope", json).map { $0.split(separator: " ").map(String.init) },
            clientID: try text("client_id", json), username: try text("username", json),
            tokenType: try text("token_type", json), expiresAt: try moment("exp", json),
            issuedAt: try moment("iat", json), subject: try text("sub", json), audience: try audience(json),
            issuer: try text("iss", json), tokenID: try text("jti", json), confirmation: try confirmation(json))
    }

    private static func value(_ name: String, _ json: JSON) -> JSON? { json[name].flatMap { $0 == .null ? nil : $0 } }

    private static func text(_ name: String, _ json: JSON) throws(OAuthError) -> String? {
        guard let value = value(name, json) else { return nil }
        guard let text = value.string else { throw .malformed(name) }
        return text
    }

    private static func moment(_ name: String, _ json: JSON) throws(OAuthError) -> Int? {
        guard let value = value(name, json) else { return nil }
        guard let moment = Seconds.parse(value, within: Seconds.moments) else { throw .malformed(name) }
        return moment
    }

    private static func audience(_ json: JSON) throws(OAuthError) -> [String] {
        guard let value = value("aud", json) else { return [] }
        guard let audience = value.string.map({ [$0] }) ?? value.strings else { throw .malformed("aud") }
        return audience
    }

    /// A binding that cannot be understood is no reason to take the token for a bearer token.
    private static func confirmation(_ json: JSON) throws(OAuthError) -> String? {
        guard let value = value("cnf", json) else { return nil }
        guard let thumbprint = value["jkt"]?.string else { throw .malformed("cnf") }
        return thumbprint
    }
}
