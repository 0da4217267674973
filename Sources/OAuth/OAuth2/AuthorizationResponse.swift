// A redirect is believed only when it answers our own request: state first, issuer next, then what it says.

package import Sealing

/// What the redirect back to the client says (RFC 6749 §4.1.2 with RFC 9207).
package enum AuthorizationResponse: Sendable {
    /// The owner approved; the code is good once.
    case code(Secret)
    /// Nothing came of it; both texts are fit for a log.
    case error(code: String, description: String?)

    /// Reads the query of the redirect.
    ///
    /// - Parameters:
    ///   - query: What follows `?`.
    ///   - state: The state of this transaction, which the caller forgets with this call.
    ///   - issuer: The issuer of this transaction, when it is known.
    ///   - issuerRequired: Whether the issuer's metadata announces `iss`; then a code without it is refused. Errors
    ///     without it are taken, because servers leave it out there and an error gives nothing away.
    /// - Returns: What the provider says, once it is known to answer our request.
    /// - Throws: ``OAuthError/stateMismatch``, ``OAuthError/issuerMismatch``, ``OAuthError/repeated(_:)`` and others.
    package static func parse(
        query: String, expectedState state: String, expectedIssuer issuer: String? = nil, issuerRequired: Bool = false
    ) throws(OAuthError) -> AuthorizationResponse {
        let parameters = try FormCoding.parse(query)
        let ours: Set<String> = ["code", "state", "iss", "error", "error_description"]
        // Only ours: some servers repeat `scope`.
        if let name = parameters.repeatedName(where: ours.contains) { throw .repeated(name) }
        guard let found = parameters.first("state"), !state.isEmpty, ConstantTime.equal(found, state) else {
            throw .stateMismatch
        }
        if let issuer {
            switch parameters.first("iss") {
            case .some(let found): guard found.sameBytes(as: issuer) else { throw .issuerMismatch }
            case .none:
                guard !issuerRequired || parameters.first("error") != nil else { throw .issuerMismatch }
            }
        }
        if let error = parameters.first("error") {
            return .error(
                code: DisplayText.sanitised(error, limit: 64),
                description: parameters.first("error_description").map { DisplayText.sanitised($0) })
        }
        guard let code = parameters.first("code"), !code.isEmpty else { throw .missing("code") }
        guard code.isPrintableASCII, code.utf8.count <= 8192 else { throw .malformed("code") }
        return .code(Secret(text: code))
    }

    /// Builds the URL to send the owner's browser to; an existing query stays.
    ///
    /// - Parameters:
    ///   - redirectURI: The matched redirect URI.
    ///   - state: The request's `state`.
    ///   - issuer: This server's issuer, sent with errors too.
    /// - Returns: The redirect URI with the answer in its query.
    /// - Throws: ``OAuthError/malformedURL(_:)`` when the redirect URI has a fragment.
    package func redirectURL(
        _ redirectURI: String, state: String?, issuer: String
    ) throws(OAuthError) -> String {
        var parameters: [Parameter]
        switch self {
        case .code(let code): parameters = [Parameter("code", code.revealText())]
        case .error(let code, let description):
            parameters = [Parameter("error", code)]
            if let description { parameters.append(Parameter("error_description", description)) }
        }
        if let state { parameters.append(Parameter("state", state)) }
        parameters.append(Parameter("iss", issuer))
        return try QueryAppending.url(redirectURI, parameters)
    }

    /// The answer that carries a refusal.
    package static func refused(_ refusal: OAuth2Refusal) -> AuthorizationResponse {
        .error(code: refusal.code, description: refusal.wireDescription)
    }
}
