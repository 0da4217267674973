// Scheme and host are normalised because intermediaries do so; the path is not touched because nobody else may.

/// The base string URI (RFC 5849 §3.4.1.2).
package enum BaseURI {
    /// Builds the URI: lower-case scheme and host, no default port, path as sent, neither query nor fragment.
    ///
    /// - Parameters:
    ///   - url: The absolute URL.
    ///   - host: The `Host` header, which wins over the URL's authority.
    /// - Returns: The URI, not yet encoded.
    /// - Throws: ``OAuthError/malformedURL(_:)`` unless it is http or https without user information.
    package static func make(_ url: String, host: String? = nil) throws(OAuthError) -> String {
        guard let parts = AbsoluteURL(url) else { throw .badURL(url) }
        return try make(parts, of: url, host: host)
    }

    /// The same for a URL that has been split already; `url` is for the error.
    static func make(_ parts: AbsoluteURL, of url: String, host: String?) throws(OAuthError) -> String {
        guard let authority = host.map({ Authority($0) }) ?? parts.authority,
            !authority.hasUserInfo, !parts.authority.hasUserInfo
        else { throw .badURL(url) }
        let defaultPort: Int
        switch parts.scheme {
        case "http": defaultPort = 80
        case "https": defaultPort = 443
        default: throw .badURL(url)
        }
        let port = authority.port.flatMap { $0 == defaultPort ? nil : ":\($0)" } ?? ""
        return parts.scheme + "://" + authority.host + port + (parts.path.isEmpty ? "/" : parts.path)
    }
}
