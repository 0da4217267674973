// Parameters are pairs in the order they came, repeated names and all; who may repeat is for the reader to say.

/// One decoded parameter of a query, a form body or an `Authorization` header.
package struct Parameter: Sendable, Hashable {
    /// Decoded.
    package let name: String
    /// Decoded; empty when there was none.
    package let value: String

    /// Pairs a name with its value.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension [Parameter] {
    /// The value of the first parameter of that name.
    package func first(_ name: String) -> String? { first { $0.name.sameBytes(as: name) }?.value }

    /// The values of all parameters of that name, in order.
    package func all(_ name: String) -> [String] { filter { $0.name.sameBytes(as: name) }.map(\.value) }

    /// The first name that occurs more than once among those for which `matters` is true.
    func repeatedName(where matters: (String) -> Bool = { _ in true }) -> String? {
        var seen: Set<String> = []
        seen.reserveCapacity(count)
        return first { matters($0.name) && !seen.insert($0.name).inserted }?.name
    }
}

/// `application/x-www-form-urlencoded` (RFC 6749 Appendix B), for queries and bodies alike.
package enum FormCoding {
    /// The media type of a form body.
    package static let mediaType = "application/x-www-form-urlencoded"

    /// How many parameters can an honest request have?
    package static let maximumCount = 1024

    /// Reads parameters: `+` is a space, `%XX` a byte, a missing `=` an empty value, empty pairs are skipped.
    ///
    /// - Throws: ``OAuthError/malformedEncoding(_:)`` for a bad escape or a result that is not UTF-8, and
    ///   ``OAuthError/tooLarge(_:limit:)`` for more than ``maximumCount`` parameters.
    package static func parse(_ bytes: some Collection<UInt8>) throws(OAuthError) -> [Parameter] {
        var parameters: [Parameter] = []
        for pair in Array(bytes).split(separator: UInt8(ascii: "&")) {
            guard parameters.count < maximumCount else { throw .tooLarge("form", limit: maximumCount) }
            let name = pair.prefix { $0 != UInt8(ascii: "=") }
            let value = pair[name.endIndex...].dropFirst()
            guard let decodedName = PercentEncoding.unescape(name, plusIsSpace: true),
                let decodedValue = PercentEncoding.unescape(value, plusIsSpace: true)
            else { throw .malformedEncoding("form encoding") }
            parameters.append(Parameter(decodedName, decodedValue))
        }
        return parameters
    }

    /// Reads parameters from text.
    package static func parse(_ text: String) throws(OAuthError) -> [Parameter] { try parse(Array(text.utf8)) }

    /// Writes parameters; a space becomes `+`.
    package static func encode(_ parameters: [Parameter]) -> String {
        parameters.map { encode($0.name) + "=" + encode($0.value) }.joined(separator: "&")
    }

    /// Writes one name or value.
    package static func encode(_ text: String) -> String {
        var out: [UInt8] = []
        for byte in text.utf8 {
            if byte == 0x20 {
                out.append(UInt8(ascii: "+"))
            } else {
                PercentEncoding.append(
                    byte, literally: PercentEncoding.isUnreserved(byte) || byte == UInt8(ascii: "*"), to: &out)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Reads one name or value.
    static func decode(_ text: some StringProtocol) -> String? {
        PercentEncoding.unescape(Array(text.utf8)[...], plusIsSpace: true)
    }
}
