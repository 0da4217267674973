// What is sent to a token endpoint holds secrets from end to end, so it is a `Secret` until the connection takes it.

package import Sealing

/// A request to the token endpoint (RFC 6749 §4.1.3, §6).
package struct TokenRequest: Sendable {
    /// What is given for a token.
    package enum Grant: Sendable {
        /// The code of a redirect, with the URI and verifier it was asked for with.
        case authorizationCode(Secret, redirectURI: String?, verifier: Secret?)
        /// A refresh token; a scope only to get less than granted.
        case refreshToken(Secret, scope: [String] = [])
        /// The code of a device authorisation (RFC 8628 §3.4).
        case deviceCode(Secret)
        /// Nothing but the client itself.
        case clientCredentials(scope: [String] = [])
        /// Another token (RFC 8693).
        case tokenExchange(TokenExchange)

        /// Which kind it is.
        package var type: GrantType {
            switch self {
            case .authorizationCode: .authorizationCode
            case .refreshToken: .refreshToken
            case .deviceCode: .deviceCode
            case .clientCredentials: .clientCredentials
            case .tokenExchange: .tokenExchange
            }
        }
    }

    /// A request ready to be sent by POST.
    package struct Message: Sendable {
        /// The `Content-Type` to send, always, because some servers demand it.
        package static let contentType = FormCoding.mediaType
        /// The `Authorization` header's value, if there is one.
        package let authorization: Secret?
        /// The form; a few vendors want it as the query instead.
        package let body: Secret
    }

    /// What is given for a token.
    package let grant: Grant
    /// The APIs the token is for (RFC 8707).
    package let resource: [String]
    /// What the provider's profile adds, or says in place of ours: `grant_type=ecobeePin`.
    package let extra: [Parameter]
    /// What the provider calls our parameters, by the name the RFC gives them: `device_code` is `code` to ecobee.
    package let parameterNames: [String: String]

    /// Gathers a request.
    package init(
        grant: Grant, resource: [String] = [], extra: [Parameter] = [], parameterNames: [String: String] = [:]
    ) {
        self.grant = grant
        self.resource = resource
        self.extra = extra
        self.parameterNames = parameterNames
    }

    /// Writes the request.
    ///
    /// Scopes are joined by `scopeSeparator`, a space but for a few vendors.
    package func message(authentication: ClientAuthentication, scopeSeparator: String = " ") -> Message {
        var parameters = [Parameter("grant_type", grant.type.rawValue)]
        var scopes: [String] = []
        switch grant {
        case .authorizationCode(let code, let redirectURI, let verifier):
            parameters.append(Parameter("code", code.revealText()))
            if let redirectURI { parameters.append(Parameter("redirect_uri", redirectURI)) }
            if let verifier { parameters.append(Parameter("code_verifier", verifier.revealText())) }
        case .refreshToken(let token, let scope):
            parameters.append(Parameter("refresh_token", token.revealText()))
            scopes = scope
        case .deviceCode(let code): parameters.append(Parameter("device_code", code.revealText()))
        case .clientCredentials(let scope): scopes = scope
        case .tokenExchange(let exchange):
            parameters += exchange.parameters
            scopes = exchange.scope
        }
        if !scopes.isEmpty { parameters.append(Parameter("scope", scopes.joined(separator: scopeSeparator))) }
        parameters += resource.map { Parameter("resource", $0) } + authentication.parameters
        if !parameterNames.isEmpty {
            parameters = parameters.map { Parameter(parameterNames[$0.name] ?? $0.name, $0.value) }
        }
        // The profile wins: some vendors call the grant by another name.
        parameters.removeAll { own in extra.contains { $0.name == own.name } }
        return Message(
            authorization: authentication.authorization, body: Secret(text: FormCoding.encode(parameters + extra)))
    }
}

/// The kinds of grant this project knows.
package enum GrantType: String, Sendable, CaseIterable {
    case authorizationCode = "authorization_code"
    case refreshToken = "refresh_token"
    case deviceCode = "urn:ietf:params:oauth:grant-type:device_code"
    case clientCredentials = "client_credentials"
    case tokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
}
