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
        guard text.isVisibleASCII else { return nil }
        let bytes = Array(text.utf8)
        guard let first = bytes.first, Self.isLetter(first), let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
            bytes[..<colon].allSatisfy(Self.isSchemeByte), bytes[colon...].starts(with: "://".utf8)
        else { return nil }
        let start = colon + 3
        let pathStart = bytes[start...].firstIndex { Self.isDelimiter($0) || $0 == UInt8(ascii: "/") } ?? bytes.endIndex
        guard let authority = Authority(bytes[start..<pathStart]) else { return nil }
        let hash = bytes[pathStart...].firstIndex(of: UInt8(ascii: "#")) ?? bytes.endIndex
        let mark = bytes[pathStart..<hash].firstIndex(of: UInt8(ascii: "?")) ?? hash
        scheme = String(decoding: bytes[..<colon].map(Self.lowercased), as: UTF8.self)
        self.authority = authority
        path = String(decoding: bytes[pathStart..<mark], as: UTF8.self)
        query = mark < hash ? String(decoding: bytes[(mark + 1)..<hash], as: UTF8.self) : nil
        fragment = hash < bytes.endIndex ? String(decoding: bytes[(hash + 1)...], as: UTF8.self) : nil
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    private static func isSchemeByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || (0x30...0x39).contains(byte) || byte == 0x2B || byte == 0x2D || byte == 0x2E
    }

    private static func isDelimiter(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") }

    /// The lower-case letter of an ASCII one; other bytes stay.
    static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

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

    init?(_ text: String) { self.init(Array(text.utf8)[...]) }

    init?(_ bytes: ArraySlice<UInt8>) {
        let at = bytes.firstIndex(of: UInt8(ascii: "@"))
        let place = at.map { bytes[($0 + 1)...] } ?? bytes
        guard !place.contains(UInt8(ascii: "@")), place.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        hasUserInfo = at != nil
        let end: Int
        if place.first == UInt8(ascii: "[") {
            guard let close = place.firstIndex(of: UInt8(ascii: "]")), close > place.startIndex + 1,
                place[(place.startIndex + 1)..<close].allSatisfy(Self.isAddressByte)
            else { return nil }
            end = close + 1
        } else {
            end = place.firstIndex(of: UInt8(ascii: ":")) ?? place.endIndex
            guard end > place.startIndex, place[..<end].allSatisfy(PercentEncoding.isUnreserved) else { return nil }
        }
        host = String(decoding: place[..<end].map(AbsoluteURL.lowercased), as: UTF8.self)
        let tail = place[end...]
        guard tail.count > 1 else {
            guard tail.isEmpty || tail.first == UInt8(ascii: ":") else { return nil }
            port = nil
            return
        }
        let digits = String(decoding: tail.dropFirst(), as: UTF8.self)
        guard tail.first == UInt8(ascii: ":"), digits.isDigits, let number = Int(digits), number <= 65535 else {
            return nil
        }
        port = number
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        (0x30...0x3A).contains(byte) || (0x61...0x66).contains(byte | 0x20) || byte == UInt8(ascii: ".")
    }
}
