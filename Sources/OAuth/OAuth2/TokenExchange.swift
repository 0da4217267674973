// A token given for another is a secret like the one it is given for; an actor's token never comes without its type.

package import Sealing

/// What a token exchange gives and asks for (RFC 8693 §2.1); its `resource` is that of the token request.
package struct TokenExchange: Sendable {
    /// An OAuth 2 access token (§3).
    package static let accessTokenType = "urn:ietf:params:oauth:token-type:access_token"
    /// An OAuth 2 refresh token (§3).
    package static let refreshTokenType = "urn:ietf:params:oauth:token-type:refresh_token"
    /// A JWT of any purpose (§3).
    package static let jwtType = "urn:ietf:params:oauth:token-type:jwt"
    /// How many audiences may one request have?
    package static let maximumAudiences = 16

    /// On whose behalf the new token is asked for.
    package let subjectToken: Secret
    /// What kind of token that is.
    package let subjectTokenType: String
    /// Who will act with the new token; `nil` when the client itself will.
    package let actorToken: Secret?
    /// What kind of token that is; there exactly when the token is.
    package let actorTokenType: String?
    /// What is wanted; `nil` when the server may choose.
    package let requestedTokenType: String?
    /// The names of the services the new token is for.
    package let audience: [String]
    /// What the new token shall allow; empty for what the old one does.
    package let scope: [String]

    /// Gathers a request; an actor's token comes with its type.
    package init(
        subjectToken: Secret, subjectTokenType: String = accessTokenType,
        actor: (token: Secret, type: String)? = nil, requestedTokenType: String? = nil,
        audience: [String] = [], scope: [String] = []
    ) {
        self.subjectToken = subjectToken
        self.subjectTokenType = subjectTokenType
        actorToken = actor?.token
        actorTokenType = actor?.type
        self.requestedTokenType = requestedTokenType
        self.audience = audience
        self.scope = scope
    }

    /// Reads the parameters of a request.
    ///
    /// - Throws: ``OAuth2Refusal`` when a token or its type is missing, or a type stands without its token.
    init(parsing parameters: [Parameter]) throws(OAuth2Refusal) {
        guard let token = parameters.first("subject_token") else { throw .missingParameter("subject_token") }
        subjectToken = Secret(text: token)
        guard let type = try Self.type("subject_token_type", parameters) else {
            throw .missingParameter("subject_token_type")
        }
        subjectTokenType = type
        actorToken = parameters.first("actor_token").map { Secret(text: $0) }
        actorTokenType = try Self.type("actor_token_type", parameters)
        switch (actorToken, actorTokenType) {
        case (.some, .some), (nil, nil): break
        case (.some, nil): throw .missingParameter("actor_token_type")
        case (nil, .some): throw .malformedParameter("actor_token_type")
        }
        requestedTokenType = try Self.type("requested_token_type", parameters)
        audience = parameters.all("audience")
        guard audience.count <= Self.maximumAudiences, audience.allSatisfy({ $0.utf8.count <= 2048 }) else {
            throw .malformedParameter("audience")
        }
        scope = try ScopeList.parse(parameters.first("scope"))
    }

    /// Everything but the scope, in the order it is written.
    var parameters: [Parameter] {
        var parameters = [
            Parameter("subject_token", subjectToken.revealText()), Parameter("subject_token_type", subjectTokenType),
        ]
        if let actorToken { parameters.append(Parameter("actor_token", actorToken.revealText())) }
        if let actorTokenType { parameters.append(Parameter("actor_token_type", actorTokenType)) }
        if let requestedTokenType { parameters.append(Parameter("requested_token_type", requestedTokenType)) }
        return parameters + audience.map { Parameter("audience", $0) }
    }

    /// A token type is a URI (§3); which ones are known is for the server to say.
    private static func type(_ name: String, _ parameters: [Parameter]) throws(OAuth2Refusal) -> String? {
        guard let type = parameters.first(name) else { return nil }
        guard type.isVisibleASCII, type.utf8.count <= 256, type.contains(":") else { throw .malformedParameter(name) }
        return type
    }
}
