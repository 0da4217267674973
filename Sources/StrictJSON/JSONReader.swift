// Two readers must never see two different documents in the same bytes: what RFC 8259 leaves open is refused here
// (duplicate names, lone surrogates, bytes after the value, invalid UTF-8), and depth is bounded, so hostile input
// costs a bounded stack.

/// Why bytes are not the one JSON document they claim to be.
package enum JSONFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The grammar of RFC 8259 does not allow this byte, or ends before it.
    case malformed(offset: Int)
    /// One object names a member twice.
    case duplicateName(String, offset: Int)
    /// More arrays and objects are open than the caller allows.
    case tooDeep(offset: Int)
    /// The string that starts here is not UTF-8.
    case notUTF8(offset: Int)

    package var description: String {
        switch self {
        case .malformed(let offset): "malformed JSON at byte \(offset)"
        case .duplicateName(let name, let offset):
            "member \(JSON.string(name).text) twice in one object at byte \(offset)"
        case .tooDeep(let offset): "JSON nested too deep at byte \(offset)"
        case .notUTF8(let offset): "invalid UTF-8 at byte \(offset)"
        }
    }
}

extension JSON {
    /// Reads exactly one JSON value and nothing after it.
    ///
    /// - Parameters:
    ///   - bytes: The whole document, UTF-8, without byte order mark.
    ///   - maximumDepth: How many arrays and objects may be open at once.
    /// - Throws: ``JSONFault`` with the byte where reading stopped.
    package init(parsing bytes: some Collection<UInt8>, maximumDepth: Int = 16) throws(JSONFault) {
        var reader = JSONReader(bytes: Array(bytes), maximumDepth: maximumDepth)
        self = try reader.document()
    }

    /// Reads exactly one JSON value from text.
    package init(parsing text: String, maximumDepth: Int = 16) throws(JSONFault) {
        try self.init(parsing: Array(text.utf8), maximumDepth: maximumDepth)
    }
}

private struct JSONReader {
    let bytes: [UInt8]
    let maximumDepth: Int
    var offset = 0
    var depth = 0

    init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    mutating func document() throws(JSONFault) -> JSON {
        skipSpace()
        let value = try value()
        skipSpace()
        guard offset == bytes.count else { throw .malformed(offset: offset) }
        return value
    }

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private mutating func expect(_ byte: UInt8) throws(JSONFault) {
        guard next == byte else { throw .malformed(offset: offset) }
        offset += 1
    }

    private mutating func literal(_ text: StaticString, _ value: JSON) throws(JSONFault) -> JSON {
        for index in 0..<text.utf8CodeUnitCount { try expect(text.utf8Start[index]) }
        return value
    }

    private mutating func value() throws(JSONFault) -> JSON {
        switch next {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func enter() throws(JSONFault) {
        depth += 1
        guard depth <= maximumDepth else { throw .tooDeep(offset: offset) }
        offset += 1
        skipSpace()
    }

    private mutating func object() throws(JSONFault) -> JSON {
        try enter()
        var members: [JSON.Member] = []
        var names: Set<String> = []
        if next == UInt8(ascii: "}") {
            offset += 1
            depth -= 1
            return .object([])
        }
        while true {
            let start = offset
            let name = try string()
            // Swift also takes two spellings of one accented name as equal; refusing those too only makes this stricter.
            guard names.insert(name).inserted else { throw .duplicateName(name, offset: start) }
            skipSpace()
            try expect(UInt8(ascii: ":"))
            skipSpace()
            members.append(JSON.Member(name, try value()))
            skipSpace()
            if next == UInt8(ascii: ",") {
                offset += 1
                skipSpace()
                continue
            }
            try expect(UInt8(ascii: "}"))
            depth -= 1
            return .object(members)
        }
    }

    private mutating func array() throws(JSONFault) -> JSON {
        try enter()
        var elements: [JSON] = []
        if next == UInt8(ascii: "]") {
            offset += 1
            depth -= 1
            return .array([])
        }
        while true {
            elements.append(try value())
            skipSpace()
            if next == UInt8(ascii: ",") {
                offset += 1
                skipSpace()
                continue
            }
            try expect(UInt8(ascii: "]"))
            depth -= 1
            return .array(elements)
        }
    }

    private mutating func number() throws(JSONFault) -> JSON {
        let start = offset
        if next == UInt8(ascii: "-") { offset += 1 }
        if next == UInt8(ascii: "0") { offset += 1 } else { try digits() }
        var whole = true
        if next == UInt8(ascii: ".") {
            whole = false
            offset += 1
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            whole = false
            offset += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
            try digits()
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if whole, let integer = Int64(text) { return .integer(integer) }
        guard let double = Double(text), double.isFinite else { throw .malformed(offset: start) }
        return .decimal(double)
    }

    private mutating func skipDigits() {
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset += 1 }
    }

    private mutating func digits() throws(JSONFault) {
        let start = offset
        skipDigits()
        guard offset > start else { throw .malformed(offset: offset) }
    }

    private mutating func string() throws(JSONFault) -> String {
        let start = offset
        try expect(UInt8(ascii: "\""))
        var text: [UInt8] = []
        while true {
            guard let byte = next else { throw .malformed(offset: offset) }
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw .notUTF8(offset: start) }
                return string
            case UInt8(ascii: "\\"): text.append(contentsOf: try escape())
            case 0..<0x20: throw .malformed(offset: offset - 1)
            default: text.append(byte)
            }
        }
    }

    private mutating func escape() throws(JSONFault) -> [UInt8] {
        guard let byte = next else { throw .malformed(offset: offset) }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw .malformed(offset: offset - 1)
        }
    }

    private mutating func unicodeEscape() throws(JSONFault) -> [UInt8] {
        let start = offset
        var scalar = try fourHexDigits()
        if (0xD800..<0xDC00).contains(scalar) {
            try expect(UInt8(ascii: "\\"))
            try expect(UInt8(ascii: "u"))
            let low = try fourHexDigits()
            guard (0xDC00..<0xE000).contains(low) else { throw .malformed(offset: start) }
            scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let unicode = Unicode.Scalar(scalar) else { throw .malformed(offset: start) }
        return Array(String(Character(unicode)).utf8)
    }

    private mutating func fourHexDigits() throws(JSONFault) -> UInt32 {
        var result: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw .malformed(offset: offset)
            }
            result = result << 4 | UInt32(digit)
            offset += 1
        }
        return result
    }
}
