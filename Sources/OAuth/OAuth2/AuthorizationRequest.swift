// Every request asks for a code, with PKCE and state; there is no way to build one without.

import StrictJSON

/// An authorisation request (RFC 6749 §4.1.1 with RFC 7636, RFC 8707, RFC 9396 and RFC 9449), the same value on both
/// sides.
package struct AuthorizationRequest: Sendable {
    /// Which page the owner must or must not see (OpenID Connect Core §3.1.2.1).
    package enum Prompt: String, Sendable, CaseIterable {
        /// None at all.
        case none
        /// The consent page, even if it was answered before.
        case consent
        /// The page to sign in, even if somebody is signed in.
        case login
    }

    /// Who asks.
    package let clientID: String
    /// `nil` only when the request had none, which a server may allow a client with one registered URI.
    package let redirectURI: String?
    /// Empty when the provider's default is asked for.
    package let scope: [String]
    /// Comes back in the redirect; `nil` only when the request had none.
    package let state: String?
    /// The S256 challenge, 43 characters.
    package let codeChallenge: String
    /// The APIs the token is for (RFC 8707).
    package let resource: [String]
    /// What is asked for in detail, beside or instead of the scope (RFC 9396).
    package let authorizationDetails: AuthorizationDetails?
    /// The thumbprint of the key that must redeem the code (RFC 9449 §10), 43 characters.
    package let dpopThumbprint: String?
    /// `nil` when the server may decide.
    package let prompt: Prompt?
    /// Whatever else is sent, in order.
    package let extra: [Parameter]

    /// Gathers a request.
    package init(
        clientID: String, redirectURI: String?, scope: [String], state: String?, codeChallenge: String,
        resource: [String] = [], authorizationDetails: AuthorizationDetails? = nil, dpopThumbprint: String? = nil,
        prompt: Prompt? = nil, extra: [Parameter] = []
    ) {
        self.clientID = clientID
        self.redirectURI = redirectURI
        self.scope = scope
        self.state = state
        self.codeChallenge = codeChallenge
        self.resource = resource
        self.authorizationDetails = authorizationDetails
        self.dpopThumbprint = dpopThumbprint
        self.prompt = prompt
        self.extra = extra
    }

    /// The parameters in the order they are written.
    ///
    /// Scopes are joined by `scopeSeparator`, a space but for a few vendors.
    package func parameters(scopeSeparator: String = " ") -> [Parameter] {
        var parameters = [Parameter("response_type", "code"), Parameter("client_id", clientID)]
        if let redirectURI { parameters.append(Parameter("redirect_uri", redirectURI)) }
        if !scope.isEmpty { parameters.append(Parameter("scope", scope.joined(separator: scopeSeparator))) }
        if let state { parameters.append(Parameter("state", state)) }
        parameters.append(Parameter("code_challenge", codeChallenge))
        parameters.append(Parameter("code_challenge_method", PKCE.method))
        parameters += resource.map { Parameter("resource", $0) }
        if let authorizationDetails {
            parameters.append(Parameter("authorization_details", authorizationDetails.json.text))
        }
        if let dpopThumbprint { parameters.append(Parameter("dpop_jkt", dpopThumbprint)) }
        if let prompt { parameters.append(Parameter("prompt", prompt.rawValue)) }
        return parameters + extra
    }

    /// The URL to send the owner's browser to.
    ///
    /// - Throws: ``OAuthError/insecureEndpoint(_:)`` unless the endpoint is https or on this machine.
    package func url(endpoint: String, scopeSeparator: String = " ") throws(OAuthError) -> String {
        guard let parts = AbsoluteURL(endpoint), parts.isTrustworthy else {
            throw .insecureEndpoint("authorization_endpoint")
        }
        return try QueryAppending.url(endpoint, parameters(scopeSeparator: scopeSeparator))
    }
}
