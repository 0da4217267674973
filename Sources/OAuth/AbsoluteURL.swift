// A URL is split where RFC 3986 says and nowhere else; nothing is decoded, so the pieces are the bytes on the wire.

/// The pieces of an absolute URL with an authority.
struct AbsoluteURL: Equatable {
    /// Lower case.
    let scheme: String
    let authority: Authority
    /// As written; may be empty.
    let path: String
    /// What follows `?`, or `nil` without one.
    let query: String?
    /// What follows `#`, or `nil` without one.
    let fragment: String?

    /// Splits a URL; `nil` when it is not absolute, not visible ASCII, or names no host.
    init?(_ text: String) {
        guard text.isVisibleASCII, let end = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<end.lowerBound].lowercased()
        guard let first = scheme.utf8.first, (0x61...0x7A).contains(first),
            scheme.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0)
            })
        else { return nil }
        var rest = text[end.upperBound...]
        let authority = rest.prefix { !"/?#".contains($0) }
        guard let parsed = Authority(authority) else { return nil }
        rest = rest[authority.endIndex...]
        let path = rest.prefix { !"?#".contains($0) }
        rest = rest[path.endIndex...]
        var query: Substring?
        if rest.first == "?" {
            query = rest.dropFirst().prefix { $0 != "#" }
            rest = rest[(query?.endIndex ?? rest.endIndex)...]
        }
        self.scheme = scheme
        self.authority = parsed
        self.path = String(path)
        self.query = query.map(String.init)
        fragment = rest.first == "#" ? String(rest.dropFirst()) : nil
    }

    /// Whether the host can only be this machine.
    var isLoopback: Bool { ["127.0.0.1", "[::1]", "localhost"].contains(authority.host) }

    /// Whether secrets may be sent there: https, or http that does not leave the machine; no user information.
    var isTrustworthy: Bool {
        !authority.hasUserInfo && (scheme == "https" || (scheme == "http" && isLoopback))
    }
}

/// Host and port of a URL or a `Host` header.
struct Authority: Equatable {
    /// Lower case; an IPv6 literal keeps its brackets.
    let host: String
    /// `nil` when none is written, and when only the colon is.
    let port: Int?
    let hasUserInfo: Bool

    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count <= 2, let place = parts.last, place.isVisibleASCII else { return nil }
        hasUserInfo = parts.count == 2
        let host: Substring
        if place.first == "[" {
            guard let close = place.firstIndex(of: "]") else { return nil }
            host = Substring(place[...close])
            guard host.count > 2, host.dropFirst().dropLast().allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." })
            else { return nil }
        } else {
            host = Substring(place.prefix { $0 != ":" })
            guard !host.isEmpty, host.utf8.allSatisfy({ PercentEncoding.isUnreserved($0) }) else { return nil }
        }
        self.host = host.lowercased()
        let tail = place.dropFirst(host.count)
        guard tail.count > 1 else {
            guard tail.isEmpty || tail == ":" else { return nil }
            port = nil
            return
        }
        guard tail.first == ":", tail.dropFirst().isDigits, let number = Int(tail.dropFirst()), number <= 65535
        else { return nil }
        port = number
    }
}
