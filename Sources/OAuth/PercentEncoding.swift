// One text has one encoding: every byte that is not unreserved becomes % and two upper-case digits (RFC 5849 §3.6).

/// Percent-encoding as OAuth 1.0a signs it; stricter than that of URLs.
package enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }

    /// Encodes the UTF-8 of a text.
    package static func encode(_ text: String) -> String { encode(text.utf8) }

    /// Encodes bytes.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: encodedBytes(bytes), as: UTF8.self)
    }

    static func encodedBytes(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        for byte in bytes { append(byte, literally: isUnreserved(byte), to: &out) }
        return out
    }

    static func append(_ byte: UInt8, literally: Bool, to out: inout [UInt8]) {
        if literally {
            out.append(byte)
        } else {
            out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }

    /// Decodes a text; `+` stays a plus.
    ///
    /// - Throws: ``OAuthError/malformedEncoding(_:)`` for a `%` without two hex digits, for bytes that are not visible
    ///   ASCII, and when the result is not UTF-8.
    package static func decode(_ text: some StringProtocol) throws(OAuthError) -> String {
        guard text.isVisibleASCII, let decoded = unescape(text.utf8, plusIsSpace: false) else {
            throw .malformedEncoding("percent-encoding")
        }
        return decoded
    }

    static func unescape(_ bytes: some Sequence<UInt8>, plusIsSpace: Bool) -> String? {
        var out: [UInt8] = []
        var rest = bytes.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else { return nil }
                out.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: out.append(0x20)
            default: out.append(byte)
            }
        }
        return String(validating: out, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
