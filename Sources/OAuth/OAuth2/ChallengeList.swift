// A list of challenges is read completely or not at all, so that two readers cannot see two different ones in it.

/// The value of `WWW-Authenticate` (RFC 9110 §11.6.1): one scheme after the other, each with its parameters.
enum ChallengeList {
    struct Challenge {
        let scheme: String
        /// Names in lower case, quotes and backslashes taken off the values.
        var parameters: [Parameter] = []
    }

    /// The challenges in order, or `nil` when something else stands in the text.
    static func parse(_ text: String) -> [Challenge]? {
        var reader = ChallengeReader(bytes: Array(text.utf8))
        return reader.challenges()
    }
}

private struct ChallengeReader {
    let bytes: [UInt8]
    var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    /// Every element begins with a scheme or belongs to the last one; which one it is, the byte behind the word says.
    mutating func challenges() -> [ChallengeList.Challenge]? {
        var challenges: [ChallengeList.Challenge] = []
        while true {
            skip { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") }
            guard next != nil else { return challenges }
            guard let word = token() else { return nil }
            if let value = parameterValue() {
                guard !challenges.isEmpty, let value = value.text else { return nil }
                challenges[challenges.count - 1].parameters.append(Parameter(word.lowercased(), value))
            } else {
                challenges.append(ChallengeList.Challenge(scheme: word))
                guard skipSpace() || next == nil || next == UInt8(ascii: ",") else { return nil }
                // A scheme stands alone, before a parameter, or before its one blob of base64.
                guard next != nil, next != UInt8(ascii: ",") else { continue }
                let start = offset
                if let name = token(), let value = parameterValue() {
                    guard let value = value.text else { return nil }
                    challenges[challenges.count - 1].parameters.append(Parameter(name.lowercased(), value))
                } else {
                    offset = start
                    skip { Self.isBlobByte($0) }
                    guard offset > start else { return nil }
                }
            }
            skipSpace()
            guard next == nil || next == UInt8(ascii: ",") else { return nil }
        }
    }

    private struct Value { let text: String? }

    /// What follows an equals sign: `nil` when none follows, or only the padding of base64; without text when it is bad.
    private mutating func parameterValue() -> Value? {
        let start = offset
        skipSpace()
        guard next == UInt8(ascii: "=") else {
            offset = start
            return nil
        }
        offset += 1
        skipSpace()
        switch next {
        case UInt8(ascii: "\""): return Value(text: quoted())
        case nil, UInt8(ascii: "="), UInt8(ascii: ","):
            offset = start
            return nil
        default: return Value(text: token())
        }
    }

    private mutating func token() -> String? {
        let start = offset
        skip { Self.isTokenByte($0) }
        return offset > start ? String(decoding: bytes[start..<offset], as: UTF8.self) : nil
    }

    private mutating func quoted() -> String? {
        offset += 1
        var value: [UInt8] = []
        while let byte = next {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: value, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = next, escaped >= 0x20, escaped != 0x7F else { return nil }
                value.append(escaped)
                offset += 1
            case 0..<0x20 where byte != 0x09, 0x7F: return nil
            default: value.append(byte)
            }
        }
        return nil
    }

    @discardableResult
    private mutating func skipSpace() -> Bool { skip { $0 == 0x20 || $0 == 0x09 } }

    @discardableResult
    private mutating func skip(while matches: (UInt8) -> Bool) -> Bool {
        let start = offset
        while let byte = next, matches(byte) { offset += 1 }
        return offset > start
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func isBlobByte(_ byte: UInt8) -> Bool {
        isTokenByte(byte) || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "=")
    }
}
