// A code is read aloud and typed with one thumb: no vowels, so no words; no digits, so nothing to mistake for a letter.

import Sealing

/// What a person types to approve a device (RFC 8628 §6.1): eight of twenty letters, 34 bits.
package enum UserCode {
    private static let alphabet = Array("BCDFGHJKLMNPQRSTVWXZ".utf8)
    private static let length = 8

    /// A new code, in two groups of four.
    package static func random() -> String {
        var letters: [UInt8] = []
        while letters.count < length {
            // 240 = 12 × 20: larger bytes are thrown away so that every letter is equally likely.
            for byte in Random.bytes(length) where byte < 240 && letters.count < length {
                letters.append(alphabet[Int(byte) % alphabet.count])
            }
        }
        return grouped(letters)
    }

    /// The code a person meant, in the form ``random()`` gives; `nil` when it cannot be one.
    ///
    /// Case, spaces and dashes do not matter, not even the long dash that a telephone makes of two.
    package static func normalised(_ typed: String) -> String? {
        guard typed.utf8.count <= 64 else { return nil }
        var kept = String.UnicodeScalarView()
        kept += typed.unicodeScalars.filter {
            !$0.properties.isWhitespace && $0.properties.generalCategory != .dashPunctuation
        }
        let letters = String(kept).utf8.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }
        guard letters.count == length, letters.allSatisfy(alphabet.contains) else { return nil }
        return grouped(letters)
    }

    private static func grouped(_ letters: [UInt8]) -> String {
        String(decoding: letters.prefix(4) + [UInt8(ascii: "-")] + letters.dropFirst(4), as: UTF8.self)
    }
}
