// A header is read completely or not at all: an unknown scheme, a stray byte or an unclosed quote refuses it whole.

/// The `Authorization` header of OAuth 1.0a (RFC 5849 §3.5.1).
package struct AuthorizationHeader: Sendable {
    /// How large may the header be, in bytes?
    package static let maximumSize = 8192

    /// The protection space; no parameter and never signed.
    package let realm: String?
    /// Decoded, in the order written, repeated names kept.
    package let parameters: [Parameter]

    /// Gathers what is to be written.
    package init(realm: String?, parameters: [Parameter]) {
        self.realm = realm
        self.parameters = parameters
    }

    /// Whether a header's value is of the scheme `OAuth`, in any case.
    package static func hasScheme(_ text: String) -> Bool { fields(text) != nil }

    private static func fields(_ text: String) -> Substring.UTF8View? {
        let start = text.utf8.drop { $0 == 0x20 }
        let scheme = start.prefix { $0 != 0x20 && $0 != 0x09 }
        return isWord(scheme, "oauth") ? start[scheme.endIndex...] : nil
    }

    /// Whether the bytes spell a lower-case word, in any case.
    private static func isWord(_ bytes: some Collection<UInt8>, _ word: String) -> Bool {
        bytes.lazy.map(AbsoluteURL.lowercased).elementsEqual(word.utf8)
    }

    /// Reads a header's value.
    ///
    /// - Throws: ``OAuthError`` when it is too large, of another scheme, or not a list of `name="value"`.
    package static func parse(_ text: String) throws(OAuthError) -> AuthorizationHeader {
        guard text.utf8.count <= maximumSize else { throw .tooLarge("Authorization header", limit: maximumSize) }
        guard let fields = fields(text), let pairs = QuotedList.parse(fields) else {
            throw .malformedEncoding("Authorization header")
        }
        var realm: String?
        var parameters: [Parameter] = []
        for (name, value) in pairs {
            if isWord(name, "realm") {
                guard realm == nil else { throw .repeated("realm") }
                realm = String(decoding: value, as: UTF8.self)
            } else {
                parameters.append(Parameter(try PercentEncoding.decode(name), try PercentEncoding.decode(value)))
            }
        }
        return AuthorizationHeader(realm: realm, parameters: parameters)
    }

    /// The header's value.
    package var text: String {
        let quotedRealm = realm.map { realm in
            let safe = realm.unicodeScalars.filter { (0x20...0x7E).contains($0.value) }
            return #"realm=""# + safe.map { #""\"#.unicodeScalars.contains($0) ? #"\\#($0)"# : "\($0)" }.joined()
                + #"""#
        }
        var out = Array("OAuth ".utf8)
        out.reserveCapacity(512)
        if let quotedRealm { out += quotedRealm.utf8 }
        for (index, parameter) in parameters.enumerated() {
            if index > 0 || quotedRealm != nil {
                out.append(UInt8(ascii: ","))
                out.append(UInt8(ascii: " "))
            }
            PercentEncoding.append(parameter.name.utf8, to: &out)
            out.append(UInt8(ascii: "="))
            out.append(UInt8(ascii: "\""))
            PercentEncoding.append(parameter.value.utf8, to: &out)
            out.append(UInt8(ascii: "\""))
        }
        return String(decoding: out, as: UTF8.self)
    }
}
