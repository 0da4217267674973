// Swift calls two texts equal when a reader would; a protocol compares bytes. Everything here looks at UTF-8 only.

extension StringProtocol {
    /// Whether both texts have the same UTF-8, accents spelled the same way.
    func sameBytes(as other: some StringProtocol) -> Bool {
        // Counting costs nothing and settles most comparisons.
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }

    /// Whether every byte is a visible ASCII character: no space, no control, no accent.
    var isVisibleASCII: Bool { utf8.allSatisfy { (0x21...0x7E).contains($0) } }

    /// Whether every byte is a visible ASCII character or a space (VSCHAR of RFC 6749 Appendix A).
    var isPrintableASCII: Bool { utf8.allSatisfy { (0x20...0x7E).contains($0) } }

    /// Whether every character is a decimal digit and there is at least one.
    var isDigits: Bool { !isEmpty && utf8.allSatisfy { (0x30...0x39).contains($0) } }

    /// The text without spaces, tabs and line ends around it.
    var trimmed: String {
        let space: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        let bytes = Array(utf8).drop(while: space).reversed().drop(while: space).reversed()
        return String(decoding: Array(bytes), as: UTF8.self)
    }
}

extension String {
    /// The text that bytes spell; `nil` unless all of them are UTF-8.
    init?(utf8 bytes: ArraySlice<UInt8>) {
        guard let text = try? UTF8Span(validating: bytes.span) else { return nil }
        self.init(copying: text)
    }
}

/// The media type of a `Content-Type` value, lower case, without parameters.
func mediaType(_ contentType: String?) -> String? {
    contentType.map { $0.prefix { $0 != ";" }.trimmed.lowercased() }
}

extension [UInt8] {
    /// The bytes without the byte order mark some servers put before everything.
    var withoutByteOrderMark: ArraySlice<UInt8> { starts(with: [0xEF, 0xBB, 0xBF]) ? dropFirst(3) : self[...] }
}
