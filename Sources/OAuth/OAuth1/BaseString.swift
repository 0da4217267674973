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
        guard let parts = AbsoluteURL(request.url) else { throw .badURL(request.url) }
        let others = try FormCoding.parse(parts.query ?? "") + request.bodyParameters()
        return String(
            decoding: try bytes(request, parts, others + protocolParameters.filter { $0.name != "realm" }),
            as: UTF8.self)
    }

    /// The same from a URL and parameters that have been read already, as the bytes that are signed.
    static func bytes(
        _ request: OAuth1Request, _ parts: AbsoluteURL, _ parameters: [Parameter]
    ) throws(OAuthError) -> [UInt8] {
        let uri = try BaseURI.make(parts, of: request.url, host: request.host)
        let signed = parameters.filter { $0.name != "oauth_signature" }
        var out: [UInt8] = []
        out.reserveCapacity(512)
        PercentEncoding.append(request.method.uppercased().utf8, to: &out)
        out.append(UInt8(ascii: "&"))
        PercentEncoding.append(uri.utf8, to: &out)
        out.append(UInt8(ascii: "&"))
        PercentEncoding.append(normalizedBytes(signed), to: &out)
        return out
    }

    /// The normalised parameters (RFC 5849 §3.4.1.3.2): encoded, sorted by the bytes of name, then of value, joined.
    package static func normalize(_ parameters: [Parameter]) -> String {
        String(decoding: normalizedBytes(parameters), as: UTF8.self)
    }

    private static func normalizedBytes(_ parameters: [Parameter]) -> [UInt8] {
        // All names and values lie in one buffer; what is sorted is where.
        var encoded: [UInt8] = []
        encoded.reserveCapacity(512)
        var pairs: [(name: Range<Int>, value: Range<Int>)] = []
        pairs.reserveCapacity(parameters.count)
        for parameter in parameters {
            let start = encoded.count
            PercentEncoding.append(parameter.name.utf8, to: &encoded)
            let end = encoded.count
            PercentEncoding.append(parameter.value.utf8, to: &encoded)
            pairs.append((start..<end, end..<encoded.count))
        }
        var out: [UInt8] = []
        out.reserveCapacity(encoded.count + 2 * pairs.count)
        encoded.withUnsafeBufferPointer { encoded in
            pairs.sort { left, right in
                let (name, other) = (encoded[left.name], encoded[right.name])
                if name.lexicographicallyPrecedes(other) { return true }
                return name.elementsEqual(other) && encoded[left.value].lexicographicallyPrecedes(encoded[right.value])
            }
            for (name, value) in pairs {
                if !out.isEmpty { out.append(UInt8(ascii: "&")) }
                out.append(contentsOf: UnsafeBufferPointer(rebasing: encoded[name]))
                out.append(UInt8(ascii: "="))
                out.append(contentsOf: UnsafeBufferPointer(rebasing: encoded[value]))
            }
        }
        return out
    }
}
