// Both ends build the same bytes: decode everything, encode it again one way, sort after encoding, join, encode again.

/// The signature base string (RFC 5849 §3.4.1).
package enum BaseString {
    /// Builds the text that is signed.
    ///
    /// - Parameters:
    ///   - request: The request; its query and, when it is a form, its body are part of the text.
    ///   - protocolParameters: The decoded parameters of the `Authorization` header, none when they travel in query or
    ///     body; `realm` among them is left out, and so is `oauth_signature` wherever it stands.
    /// - Returns: Method, URI and normalised parameters, each encoded, joined by `&`.
    /// - Throws: ``OAuthError`` when URL, query or form cannot be read.
    package static func make(
        _ request: OAuth1Request, protocolParameters: [Parameter]
    ) throws(OAuthError) -> String {
        let parameters =
            try request.queryParameters() + request.bodyParameters()
            + protocolParameters.filter { $0.name != "realm" }
        let uri = try BaseURI.make(request.url, host: request.host)
        return [
            request.method.uppercased(), uri, normalize(parameters.filter { $0.name != "oauth_signature" }),
        ].map { PercentEncoding.encode($0) }.joined(separator: "&")
    }

    /// The normalised parameters (RFC 5849 §3.4.1.3.2): encoded, sorted by the bytes of name, then of value, joined.
    package static func normalize(_ parameters: [Parameter]) -> String {
        parameters
            .map { (PercentEncoding.encodedBytes($0.name.utf8), PercentEncoding.encodedBytes($0.value.utf8)) }
            .sorted { left, right in
                left.0 == right.0
                    ? left.1.lexicographicallyPrecedes(right.1) : left.0.lexicographicallyPrecedes(right.0)
            }
            .map { String(decoding: $0.0 + [UInt8(ascii: "=")] + $0.1, as: UTF8.self) }
            .joined(separator: "&")
    }
}
