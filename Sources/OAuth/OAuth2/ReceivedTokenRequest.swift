// A token request names one grant of a kind its endpoint has, with all that belongs to it, or it is refused.

import Sealing

/// A token request as the server received it, well-formed but not yet believed.
package struct ReceivedTokenRequest: Sendable {
    /// Who claims to ask, still to be authenticated.
    package let client: ClientRequest.Client
    /// What is given for a token, still to be looked up.
    package let grant: TokenRequest.Grant
    /// The APIs the token is wanted for (RFC 8707).
    package let resource: [String]
    /// What the token shall allow in detail (RFC 9396 §6); `nil` when the request does not say.
    package let authorizationDetails: AuthorizationDetails?

    /// Reads what a client's form asks for.
    ///
    /// - Parameters:
    ///   - request: The form.
    ///   - allowed: The grant types of this endpoint.
    /// - Throws: ``OAuth2Refusal`` with the code RFC 6749 §5.2 has for it.
    package init(
        _ request: ClientRequest, allowed: Set<GrantType> = Set(GrantType.allCases)
    ) throws(OAuth2Refusal) {
        let parameters = request.parameters
        client = request.client
        guard let type = parameters.first("grant_type") else { throw .missingParameter("grant_type") }
        guard let type = GrantType(rawValue: type), allowed.contains(type) else { throw .unsupportedGrantType }
        grant = try Self.grant(type, parameters)
        resource = try ResourceList.check(parameters.all("resource"))
        authorizationDetails =
            if let text = parameters.first("authorization_details") {
                try AuthorizationDetails(parsing: text)
            } else {
                nil
            }
    }

    /// Reads a request.
    ///
    /// - Parameters:
    ///   - method: The HTTP method.
    ///   - query: What follows `?` in the target, if anything does.
    ///   - contentType: The `Content-Type` header.
    ///   - authorization: The `Authorization` header.
    ///   - body: The whole body.
    ///   - allowed: The grant types of this endpoint.
    /// - Returns: The request, with everything in it still to be looked up.
    /// - Throws: ``OAuth2Refusal`` with the code RFC 6749 §5.2 has for it.
    package static func parse(
        method: String, query: String? = nil, contentType: String?, authorization: String? = nil,
        body: [UInt8], allowed: Set<GrantType> = [.authorizationCode, .refreshToken]
    ) throws(OAuth2Refusal) -> ReceivedTokenRequest {
        try ReceivedTokenRequest(
            ClientRequest.parse(
                method: method, query: query, contentType: contentType, authorization: authorization, body: body),
            allowed: allowed)
    }

    private static func grant(
        _ type: GrantType, _ parameters: [Parameter]
    ) throws(OAuth2Refusal) -> TokenRequest.Grant {
        func required(_ name: String) throws(OAuth2Refusal) -> Secret {
            guard let value = parameters.first(name) else { throw .missingParameter(name) }
            return Secret(text: value)
        }
        switch type {
        case .authorizationCode:
            let verifier = parameters.first("code_verifier").map { Secret(text: $0) }
            guard verifier.map(PKCE.isValidVerifier) ?? true else { throw .malformedParameter("code_verifier") }
            return .authorizationCode(
                try required("code"), redirectURI: parameters.first("redirect_uri"), verifier: verifier)
        case .refreshToken:
            return .refreshToken(
                try required("refresh_token"), scope: try ScopeList.parse(parameters.first("scope")))
        case .deviceCode: return .deviceCode(try required("device_code"))
        case .clientCredentials: return .clientCredentials(scope: try ScopeList.parse(parameters.first("scope")))
        case .tokenExchange: return .tokenExchange(try TokenExchange(parsing: parameters))
        }
    }
}
