// Decoding is strict: one value has one spelling, so a message cannot be rewritten without changing its bytes.

/// Base64 and base64url (RFC 4648) without leniency.
package enum Base64 {
    /// Which alphabet and whether padding is written and demanded.
    package enum Variant: Sendable {
        /// `A–Z a–z 0–9 + /` with padding (RFC 4648 §4).
        case standard
        /// `A–Z a–z 0–9 - _` without padding (RFC 7515 §2).
        case url

        fileprivate var alphabet: [UInt8] {
            let common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
            switch self {
            case .standard: return Array((common + "+/").utf8)
            case .url: return Array((common + "-_").utf8)
            }
        }
    }

    private static let standardAlphabet = Variant.standard.alphabet
    private static let urlAlphabet = Variant.url.alphabet
    private static let standardValues = values(of: Variant.standard.alphabet)
    private static let urlValues = values(of: Variant.url.alphabet)

    private static func values(of alphabet: [UInt8]) -> [UInt8] {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (index, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(index) }
        return values
    }

    /// The text of some bytes.
    package static func encode(_ bytes: some Collection<UInt8>, as variant: Variant) -> String {
        encode(Array(bytes), as: variant)
    }

    /// The text of some bytes.
    package static func encode(_ bytes: [UInt8], as variant: Variant) -> String {
        let alphabet = variant == .url ? urlAlphabet : standardAlphabet
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        var buffer: UInt32 = 0
        var bits = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                out.append(alphabet[Int(buffer >> UInt32(bits) & 63)])
            }
        }
        if bits > 0 { out.append(alphabet[Int(buffer << UInt32(6 - bits) & 63)]) }
        if variant == .standard { while out.count % 4 != 0 { out.append(UInt8(ascii: "=")) } }
        return String(decoding: out, as: UTF8.self)
    }

    /// The bytes of a text, or `nil` unless it is exactly what ``encode(_:as:)`` would have written.
    package static func decode(_ text: some Collection<UInt8>, as variant: Variant) -> [UInt8]? {
        decode(Array(text), as: variant)
    }

    /// The bytes of a text, or `nil` unless it is exactly what ``encode(_:as:)`` would have written.
    package static func decode(_ text: [UInt8], as variant: Variant) -> [UInt8]? {
        var input = text[...]
        if variant == .standard {
            guard input.count % 4 == 0 else { return nil }
            for _ in 0..<2 where input.last == UInt8(ascii: "=") { input.removeLast() }
        }
        guard input.count % 4 != 1 else { return nil }
        let values = variant == .url ? urlValues : standardValues
        var out: [UInt8] = []
        out.reserveCapacity(input.count * 3 / 4)
        var buffer: UInt32 = 0
        var bits = 0
        for byte in input {
            let value = values[Int(byte)]
            guard value != 0xFF else { return nil }
            buffer = buffer << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        // Trailing bits must be zero, or two texts would mean the same bytes.
        guard buffer & (1 << UInt32(bits) - 1) == 0 else { return nil }
        return out
    }

    /// The bytes of a text, or `nil` unless it is exactly what ``encode(_:as:)`` would have written.
    package static func decode(_ text: String, as variant: Variant) -> [UInt8]? {
        decode(Array(text.utf8), as: variant)
    }
}

/// Hexadecimal text, lower case.
package enum Hex {
    /// Two lower-case digits for each byte.
    package static func encode(_ bytes: some Collection<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The bytes of an even number of hex digits of either case, or `nil`.
    package static func decode(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count % 2 == 0 else { return nil }
        var out: [UInt8] = []
        for index in stride(from: 0, to: characters.count, by: 2) {
            guard let high = value(characters[index]), let low = value(characters[index + 1]) else { return nil }
            out.append(high << 4 | low)
        }
        return out
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
