// One text has one encoding: every byte that is not unreserved becomes % and two upper-case digits (RFC 5849 §3.6).

/// Percent-encoding as OAuth 1.0a signs it; stricter than that of URLs.
package enum PercentEncoding {
    private static func digit(_ half: UInt8) -> UInt8 { half < 10 ? 0x30 + half : 0x37 + half }

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
        append(bytes, to: &out)
        return out
    }

    /// Encodes bytes behind others.
    static func append(_ bytes: some Sequence<UInt8>, to out: inout [UInt8]) {
        let known: Void? = bytes.withContiguousStorageIfAvailable { bytes in
            // Runs of literal bytes are copied at once.
            var start = 0
            for index in 0..<bytes.count where !isUnreserved(bytes[index]) {
                out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<index]))
                append(bytes[index], literally: false, to: &out)
                start = index + 1
            }
            out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start...]))
        }
        if known == nil {
            for byte in bytes { append(byte, literally: isUnreserved(byte), to: &out) }
        }
    }

    static func append(_ byte: UInt8, literally: Bool, to out: inout [UInt8]) {
        if literally {
            out.append(byte)
        } else {
            out.append(UInt8(ascii: "%"))
            out.append(digit(byte >> 4))
            out.append(digit(byte & 15))
        }
    }

    /// Decodes a text; `+` stays a plus.
    ///
    /// - Throws: ``OAuthError/malformedEncoding(_:)`` for a `%` without two hex digits, for bytes that are not visible
    ///   ASCII, and when the result is not UTF-8.
    package static func decode(_ text: some StringProtocol) throws(OAuthError) -> String {
        try decode(Array(text.utf8)[...])
    }

    static func decode(_ bytes: ArraySlice<UInt8>) throws(OAuthError) -> String {
        guard bytes.allSatisfy({ (0x21...0x7E).contains($0) }), let decoded = unescape(bytes, plusIsSpace: false) else {
            throw .malformedEncoding("percent-encoding")
        }
        return decoded
    }

    static func unescape(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool) -> String? {
        // Most texts have nothing to decode.
        guard bytes.contains(where: { $0 == UInt8(ascii: "%") || (plusIsSpace && $0 == UInt8(ascii: "+")) }) else {
            return String(utf8: bytes)
        }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var rest = bytes.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(value), let low = rest.next().flatMap(value) else { return nil }
                out.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: out.append(0x20)
            default: out.append(byte)
            }
        }
        return String(utf8: out[...])
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
