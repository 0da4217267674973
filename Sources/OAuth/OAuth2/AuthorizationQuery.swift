// Who asks and where the answer goes is settled first: only an error found after that may be sent by redirect.

/// A received authorisation request, read in two steps.
///
/// Step one gives client and redirect URI; the server looks the client up and compares the URI with
/// ``RedirectURI/matches(registered:requested:)``, and shows a page when either fails. Step two, ``request()``, checks
/// the rest; its refusals may be answered by redirect.
package struct AuthorizationQuery: Sendable {
    /// How long may `state` be, in bytes?
    package static let maximumStateSize = 4096
    /// How long may the whole query be, in bytes?
    package static let maximumSize = 16384

    /// Who claims to ask.
    package let clientID: String
    /// Where the answer is wanted; `nil` when the request does not say.
    package let redirectURI: String?
    /// What must come back in the redirect, even with an error.
    package let state: String?
    private let parameters: [Parameter]

    /// Reads what must be right before anything may be redirected.
    ///
    /// - Throws: ``OAuth2Refusal``, to be shown on a page and never sent by redirect.
    package init(parsing query: String) throws(OAuth2Refusal) {
        guard query.utf8.count <= Self.maximumSize, let all = try? FormCoding.parse(query) else {
            throw .malformedRequest
        }
        // RFC 6749 §3.1: a parameter without a value counts as left out.
        parameters = all.filter { !$0.value.isEmpty }
        for name in ["client_id", "redirect_uri", "state"] where all.all(name).count > 1 {
            throw .repeatedParameter(name)
        }
        guard let clientID = parameters.first("client_id") else { throw .missingParameter("client_id") }
        guard clientID.utf8.count <= 256, clientID.isPrintableASCII else { throw .malformedParameter("client_id") }
        self.clientID = clientID
        redirectURI = parameters.first("redirect_uri")
        state = parameters.first("state")
        if let state {
            guard state.utf8.count <= Self.maximumStateSize, state.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw .malformedParameter("state")
            }
        }
    }

    /// Checks the rest of the request.
    ///
    /// - Throws: ``OAuth2Refusal``, which may be sent to the redirect URI once that has been matched.
    package func request() throws(OAuth2Refusal) -> AuthorizationRequest {
        if let name = parameters.repeatedName(where: { $0 != "resource" }) { throw .repeatedParameter(name) }
        guard let responseType = parameters.first("response_type") else { throw .missingParameter("response_type") }
        guard responseType == "code" else { throw .unsupportedResponseType }
        for name in ["request", "request_uri"] where parameters.first(name) != nil { throw .malformedParameter(name) }
        guard parameters.first("response_mode") ?? "query" == "query" else {
            throw .malformedParameter("response_mode")
        }

        guard let challenge = parameters.first("code_challenge") else { throw .missingParameter("code_challenge") }
        // Without a method the RFC means "plain", which protects nothing.
        guard parameters.first("code_challenge_method") == PKCE.method else { throw .challengeMethod }
        guard PKCE.isValidChallenge(challenge) else { throw .malformedParameter("code_challenge") }

        let own: Set<String> = [
            "response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "code_challenge",
            "code_challenge_method", "resource",
        ]
        return AuthorizationRequest(
            clientID: clientID, redirectURI: redirectURI, scope: try ScopeList.parse(parameters.first("scope")),
            state: state, codeChallenge: challenge, resource: try ResourceList.check(parameters.all("resource")),
            extra: parameters.filter { !own.contains($0.name) })
    }
}

extension AuthorizationRequest {
    /// Reads a whole request at once, for a server that shows every refusal on a page.
    ///
    /// - Throws: ``OAuth2Refusal``; see ``AuthorizationQuery`` for which ones may be redirected.
    package static func parse(query: String) throws(OAuth2Refusal) -> AuthorizationRequest {
        try AuthorizationQuery(parsing: query).request()
    }
}

/// The `scope` parameter (RFC 6749 §3.3).
enum ScopeList {
    /// The tokens, each once, in order.
    static func parse(_ text: String?) throws(OAuth2Refusal) -> [String] {
        var scope: [String] = []
        for token in (text ?? "").split(separator: " ") {
            let isLegal = token.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
            guard isLegal, token.utf8.count <= 256, scope.count < 128 else { throw .invalidScope }
            if !scope.contains(String(token)) { scope.append(String(token)) }
        }
        return scope
    }
}

/// The `resource` parameter (RFC 8707 §2).
enum ResourceList {
    /// The URIs, when all are absolute and without fragment.
    static func check(_ uris: [String]) throws(OAuth2Refusal) -> [String] {
        guard uris.count <= 16,
            uris.allSatisfy({ uri in AbsoluteURL(uri).map { $0.fragment == nil } ?? uri.hasPrefix("urn:") })
        else { throw .malformedParameter("resource") }
        return uris
    }
}
