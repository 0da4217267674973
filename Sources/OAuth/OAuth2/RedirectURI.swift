// A redirect URI is compared, never normalised: the byte that differs is where the attacker's host begins.

/// Rules for redirect URIs (RFC 9700 §4.1.3, RFC 8252 §7.3).
package enum RedirectURI {
    /// Whether a request may use `requested` when `registered` is on file: the same bytes, or on the loopback interface
    /// the same but for the port.
    package static func matches(registered: String, requested: String) -> Bool {
        if registered.sameBytes(as: requested) { return true }
        guard let mine = loopbackWithoutPort(registered), let theirs = loopbackWithoutPort(requested) else {
            return false
        }
        return mine.sameBytes(as: theirs)
    }

    /// Whether a URI may be registered: https, http on the loopback interface, or a private scheme with a dot in it;
    /// neither fragment nor user information nor wildcard.
    package static func isRegistrable(_ uri: String) -> Bool {
        guard uri.utf8.count <= 2048, uri.isVisibleASCII, !uri.contains("#"), !uri.contains("*") else { return false }
        if let parts = AbsoluteURL(uri), parts.scheme == "http" || parts.scheme == "https" {
            return parts.isTrustworthy
        }
        let scheme = uri.prefix { $0 != ":" }
        guard scheme.utf8.count < uri.utf8.count, scheme.contains("."), let first = scheme.first, first.isLetter
        else { return false }
        return scheme.utf8.allSatisfy { PercentEncoding.isUnreserved($0) && $0 != 0x5F && $0 != 0x7E }
    }

    private static func loopbackWithoutPort(_ uri: String) -> String? {
        let hosts = ["http://127.0.0.1", "http://[::1]", "http://localhost"]
        guard let parts = AbsoluteURL(uri), parts.isLoopback, parts.isTrustworthy, parts.fragment == nil,
            let prefix = hosts.first(where: { uri.hasPrefix($0) })
        else { return nil }
        var rest = uri.dropFirst(prefix.count)
        if rest.first == ":" { rest = rest.dropFirst().drop { $0.isNumber } }
        return prefix + rest
    }
}
