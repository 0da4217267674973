// The list `name="value", name="value"` of authentication headers, where only quoted values exist.

enum QuotedList {
    /// The pairs with quotes and backslashes taken off, or `nil` when anything else stands in the text.
    static func parse(_ text: some StringProtocol) -> [(name: String, value: String)]? {
        let bytes = Array(text.utf8)
        var offset = 0
        var pairs: [(name: String, value: String)] = []
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
            pairs.append((String(decoding: name, as: UTF8.self), value))
            skipSpace()
            guard offset == bytes.count || bytes[offset] == UInt8(ascii: ",") else { return nil }
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        PercentEncoding.isUnreserved(byte) || byte == UInt8(ascii: "%")
    }

    private static func quoted(_ bytes: [UInt8], _ offset: inout Int) -> String? {
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else { return nil }
        offset += 1
        var value: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: value, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard offset < bytes.count, bytes[offset] >= 0x20 else { return nil }
                value.append(bytes[offset])
                offset += 1
            case 0..<0x20, 0x7F: return nil
            default: value.append(byte)
            }
        }
        return nil
    }
}
