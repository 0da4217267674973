// The protocol's parameters come from exactly one place, each at most once, each known, each of a sane size.

/// The `oauth_` parameters of a received request, read but not yet believed.
struct ProtocolParameters: Sendable {
    /// What RFC 5849 and the Body Hash extension define; anything else is an "unsupported parameter" (§3.2).
    static let known: Set<String> = [
        "oauth_consumer_key", "oauth_token", "oauth_signature_method", "oauth_timestamp", "oauth_nonce",
        "oauth_version", "oauth_signature", "oauth_callback", "oauth_verifier", "oauth_body_hash",
    ]

    /// How long may one value be, in bytes?
    static func maximumSize(_ name: String) -> Int {
        switch name {
        case "oauth_callback": 2048
        case "oauth_signature": 1024
        default: 512
        }
    }

    /// All parameters of the place they came in that are the protocol's.
    let list: [Parameter]
    /// All parameters of all places, which is what a signature covers.
    let signed: [Parameter]
    /// The pieces of the request's URL.
    let url: AbsoluteURL

    init(_ request: OAuth1Request) throws(OAuth1Refusal) {
        let header: [Parameter]
        let body: [Parameter]
        let query: [Parameter]
        guard let url = AbsoluteURL(request.url) else { throw .malformed(.badURL(request.url)) }
        do throws(OAuthError) {
            if let text = request.authorization, AuthorizationHeader.hasScheme(text) {
                header = try AuthorizationHeader.parse(text).parameters
            } else {
                header = []
            }
            body = try request.bodyParameters()
            query = try FormCoding.parse(url.query ?? "")
        } catch {
            throw .malformed(error)
        }
        let places = [header, body, query].map { $0.filter { $0.name.hasPrefix("oauth_") } }
        let used = places.filter { !$0.isEmpty }
        guard let list = used.first else { throw .unsigned }
        // With two places two readers could disagree on which one counts.
        guard used.count == 1 else { throw .parameterRejected(used.dropFirst().joined().map(\.name)) }
        if let name = list.repeatedName() { throw .parameterRejected([name]) }
        let bad = list.filter {
            !Self.known.contains($0.name) || $0.value.utf8.count > Self.maximumSize($0.name)
        }
        guard bad.isEmpty else { throw .parameterRejected(bad.map(\.name)) }
        self.list = list
        signed = query + body + header.filter { $0.name != "realm" }
        self.url = url
    }

    /// A parameter's value; empty values count as given.
    subscript(name: String) -> String? { list.first(name) }

    /// A parameter's value, which must be there and not empty.
    func required(_ name: String) throws(OAuth1Refusal) -> String {
        guard let value = self[name], !value.isEmpty else { throw .parameterAbsent([name]) }
        return value
    }
}
