// A request is what both ends saw on the wire; a signature over anything else proves nothing.

/// The parts of an HTTP request that OAuth 1.0a looks at.
package struct OAuth1Request: Sendable {
    /// The HTTP method.
    package let method: String
    /// The absolute URL with path and query exactly as on the wire; a server puts its public origin before the target.
    package let url: String
    /// The `Host` header, when it differs from the URL's authority.
    package let host: String?
    /// The `Content-Type` header.
    package let contentType: String?
    /// The whole body.
    package let body: [UInt8]
    /// The `Authorization` header as received; a signer ignores it.
    package let authorization: String?

    /// Gathers a request.
    package init(
        method: String, url: String, host: String? = nil, contentType: String? = nil, body: [UInt8] = [],
        authorization: String? = nil
    ) {
        self.method = method
        self.url = url
        self.host = host
        self.contentType = contentType
        self.body = body
        self.authorization = authorization
    }

    /// Whether the parameters of the body are signed (RFC 5849 §3.4.1.3.1): only a form counts, with any method.
    package var hasFormBody: Bool { mediaType(contentType) == FormCoding.mediaType }

    /// The parameters of the body, none when it is no form.
    func bodyParameters() throws(OAuthError) -> [Parameter] { hasFormBody ? try FormCoding.parse(body) : [] }
}
