// The list `name="value", name="value"` of authentication headers, where only quoted values exist.

enum QuotedList {
    /// The pairs with quotes and backslashes taken off, not decoded, or `nil` when anything else stands in the text.
    static func parse(_ text: some Collection<UInt8>) -> [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)]? {
        let bytes = Array(text)
        var offset = 0
        var pairs: [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] = []
        func skipSpace() {
            while offset < bytes.count, bytes[offset] == 0x20 || bytes[offset] == 0x09 { offset += 1 }
        }
        while true {
            skipSpace()
            // RFC 9110 §5.6.1 lets a list have empty elements.
            if offset < bytes.count, bytes[offset] == UInt8(ascii: ",") {
                offset += 1
                continue
            }
            guard offset < bytes.count else { return pairs }
            let nameStart = offset
            while offset < bytes.count, isNameByte(bytes[offset]) { offset += 1 }
            let name = bytes[nameStart..<offset]
            skipSpace()
            guard !name.isEmpty, offset < bytes.count, bytes[offset] == UInt8(ascii: "=") else { return nil }
            offset += 1
            skipSpace()
            guard let value = quoted(bytes, &offset) else { return nil }
            pairs.append((name, value))
            skipSpace()
            guard offset == bytes.count || bytes[offset] == UInt8(ascii: ",") else { return nil }
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        PercentEncoding.isUnreserved(byte) || byte == UInt8(ascii: "%")
    }

    private static func quoted(_ bytes: [UInt8], _ offset: inout Int) -> ArraySlice<UInt8>? {
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else { return nil }
        offset += 1
        let start = offset
        var hasBackslash = false
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                let value = bytes[start..<(offset - 1)]
                return hasBackslash ? withoutBackslashes(value) : value
            case UInt8(ascii: "\\"):
                guard offset < bytes.count, bytes[offset] >= 0x20 else { return nil }
                hasBackslash = true
                offset += 1
            case 0..<0x20, 0x7F: return nil
            default: break
            }
        }
        return nil
    }

    private static func withoutBackslashes(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var out: [UInt8] = []
        var isQuoted = false
        for byte in value {
            if byte == UInt8(ascii: "\\"), !isQuoted {
                isQuoted = true
            } else {
                out.append(byte)
                isQuoted = false
            }
        }
        return out[...]
    }
}
