// A token request is a form in a POST body, every parameter once, the client authenticated in one way, or it is refused.

package import Sealing

/// A token request as the server received it, well-formed but not yet believed.
package struct ReceivedTokenRequest: Sendable {
    /// How the client presents itself.
    package enum Client: Sendable {
        /// In the header; both readings are to be tried against the same client.
        case basic(BasicCredentials)
        /// In the body.
        case post(clientID: String, secret: Secret)
        /// Only an id: a public client, or no client at all.
        case none(clientID: String)

        /// Whether a refusal must be 401 with a challenge (RFC 6749 §5.2).
        package var usedHeader: Bool {
            if case .basic = self { true } else { false }
        }
    }

    /// How large may the body be, in bytes?
    package static let maximumSize = 32768

    /// Who claims to ask, still to be authenticated.
    package let client: Client
    /// What is given for a token, still to be looked up.
    package let grant: TokenRequest.Grant
    /// The APIs the token is wanted for (RFC 8707).
    package let resource: [String]

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
        guard method == "POST", (query ?? "").isEmpty, mediaType(contentType) == FormCoding.mediaType,
            body.count <= maximumSize
        else { throw .notAFormPost }
        guard let all = try? FormCoding.parse(body) else { throw .malformedRequest }
        if let name = all.repeatedName(where: { $0 != "resource" }) { throw .repeatedParameter(name) }
        let parameters = all.filter { !$0.value.isEmpty }
        let client = try self.client(parameters, authorization)
        guard let type = parameters.first("grant_type") else { throw .missingParameter("grant_type") }
        guard let type = GrantType(rawValue: type), allowed.contains(type) else { throw .unsupportedGrantType }
        return ReceivedTokenRequest(
            client: client, grant: try grant(type, parameters),
            resource: try ResourceList.check(parameters.all("resource")))
    }

    private static func client(
        _ parameters: [Parameter], _ authorization: String?
    ) throws(OAuth2Refusal) -> Client {
        let id = parameters.first("client_id")
        let secret = parameters.first("client_secret")
        if ["client_assertion", "client_assertion_type"].contains(where: { parameters.first($0) != nil }) {
            guard authorization == nil, secret == nil else { throw .severalAuthentications }
            throw .invalidClient(usedHeader: false)
        }
        if let authorization {
            guard let basic = try BasicCredentials.parse(authorization) else { throw .invalidClient(usedHeader: true) }
            guard secret == nil else { throw .severalAuthentications }
            if let id, !basic.interpretations.contains(where: { $0.clientID.sameBytes(as: id) }) {
                throw .severalAuthentications
            }
            return .basic(basic)
        }
        guard let id else { throw .invalidClient(usedHeader: false) }
        return secret.map { .post(clientID: id, secret: Secret(text: $0)) } ?? .none(clientID: id)
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
        }
    }
}
