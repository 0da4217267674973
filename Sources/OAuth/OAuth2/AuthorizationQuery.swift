// Who asks and where the answer goes is settled first: only an error found after that may be sent by redirect.

/// A received authorisation request, read in two steps.
///
/// Step one gives client and redirect URI; the server looks the client up and compares the URI with
/// ``RedirectURI/matches(registered:requested:)``, and shows a page when either fails. Step two, ``request()``, checks
/// the rest; its refusals may be answered by redirect. When ``requestURI`` is there, the request is the one that was
/// pushed under that name: it is looked up and read with ``init(pushed:clientID:)`` instead.
package struct AuthorizationQuery: Sendable {
    /// How long may `state` be, in bytes?
    package static let maximumStateSize = 4096
    /// How long may the whole query be, in bytes?
    package static let maximumSize = 16384
    /// How long may `client_id` be, in bytes?
    static let maximumClientIDSize = 256
    /// How long may `request_uri` be, in bytes?
    private static let maximumRequestURISize = 512

    /// Who claims to ask.
    package let clientID: String
    /// Where the answer is wanted; `nil` when the request does not say.
    package let redirectURI: String?
    /// What must come back in the redirect, even with an error.
    package let state: String?
    /// The name of a request pushed beforehand (RFC 9126 §4); beside it only the client counts, and
    /// ``redirectURI`` and ``state`` are `nil` whatever the query says.
    package let requestURI: String?
    private let parameters: [Parameter]

    /// Reads what must be right before anything may be redirected.
    ///
    /// - Throws: ``OAuth2Refusal``, to be shown on a page and never sent by redirect.
    package init(parsing query: String) throws(OAuth2Refusal) {
        guard query.utf8.count <= Self.maximumSize, let all = try? FormCoding.parse(query) else {
            throw .malformedRequest
        }
        // RFC 6749 §3.1: a parameter without a value counts as left out.
        let parameters = all.filter { !$0.value.isEmpty }
        for name in ["client_id", "redirect_uri", "state", "request_uri"] where all.all(name).count > 1 {
            throw .repeatedParameter(name)
        }
        guard let clientID = parameters.first("client_id") else { throw .missingParameter("client_id") }
        try self.init(parameters, clientID: clientID, requestURI: parameters.first("request_uri"))
    }

    /// Reads the parameters a client pushed (RFC 9126 §2.1).
    ///
    /// - Parameters:
    ///   - parameters: Those of the ``ClientRequest``, or what ``AuthorizationRequest/parameters(scopeSeparator:)``
    ///     wrote when they were kept.
    ///   - clientID: The client that was authenticated; a `client_id` among the parameters must be the same.
    /// - Throws: ``OAuth2Refusal``, which is the answer to the push.
    package init(pushed parameters: [Parameter], clientID: String) throws(OAuth2Refusal) {
        for name in ["client_id", "redirect_uri", "state"] where parameters.all(name).count > 1 {
            throw .repeatedParameter(name)
        }
        guard parameters.first("request_uri") == nil else { throw .malformedParameter("request_uri") }
        guard parameters.first("client_id")?.sameBytes(as: clientID) ?? true else {
            throw .malformedParameter("client_id")
        }
        try self.init(parameters.filter { !$0.value.isEmpty }, clientID: clientID, requestURI: nil)
    }

    private init(_ parameters: [Parameter], clientID: String, requestURI: String?) throws(OAuth2Refusal) {
        guard clientID.utf8.count <= Self.maximumClientIDSize, clientID.isPrintableASCII else {
            throw .malformedParameter("client_id")
        }
        self.parameters = parameters
        self.clientID = clientID
        self.requestURI = requestURI
        if let requestURI {
            guard requestURI.utf8.count <= Self.maximumRequestURISize, requestURI.isVisibleASCII else {
                throw .invalidRequestURI
            }
            redirectURI = nil
            state = nil
            return
        }
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
        let own: Set<String> = [
            "response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "code_challenge",
            "code_challenge_method", "resource", "authorization_details", "dpop_jkt", "prompt",
        ]
        return AuthorizationRequest(
            clientID: clientID, redirectURI: redirectURI, scope: try ScopeList.parse(parameters.first("scope")),
            state: state, codeChallenge: try codeChallenge(),
            resource: try ResourceList.check(parameters.all("resource")), authorizationDetails: try details(),
            dpopThumbprint: try dpopThumbprint(), prompt: try prompt(),
            extra: parameters.filter { !own.contains($0.name) })
    }

    private func codeChallenge() throws(OAuth2Refusal) -> String {
        guard let challenge = parameters.first("code_challenge") else { throw .missingParameter("code_challenge") }
        // Without a method the RFC means "plain", which protects nothing.
        guard parameters.first("code_challenge_method") == PKCE.method else { throw .challengeMethod }
        guard PKCE.isValidChallenge(challenge) else { throw .malformedParameter("code_challenge") }
        return challenge
    }

    private func details() throws(OAuth2Refusal) -> AuthorizationDetails? {
        guard let text = parameters.first("authorization_details") else { return nil }
        return try AuthorizationDetails(parsing: text)
    }

    private func dpopThumbprint() throws(OAuth2Refusal) -> String? {
        guard let thumbprint = parameters.first("dpop_jkt") else { return nil }
        // Like a challenge it is a SHA-256 digest as base64url.
        guard PKCE.isValidChallenge(thumbprint) else { throw .malformedParameter("dpop_jkt") }
        return thumbprint
    }

    private func prompt() throws(OAuth2Refusal) -> AuthorizationRequest.Prompt? {
        guard let word = parameters.first("prompt") else { return nil }
        guard let prompt = AuthorizationRequest.Prompt(rawValue: word) else { throw .malformedParameter("prompt") }
        return prompt
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
            guard isToken(token), token.utf8.count <= 256, scope.count < 128 else { throw .invalidScope }
            if !scope.contains(String(token)) { scope.append(String(token)) }
        }
        return scope
    }

    /// Whether every byte may stand in a scope token.
    static func isToken(_ text: some StringProtocol) -> Bool {
        text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
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
