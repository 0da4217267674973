// Peers disagree on what RFC 6749 §2.3.1 means, so a server tries both readings and a client is told which one to write.

package import Sealing

/// Client credentials in HTTP Basic authentication.
package struct BasicCredentials: Sendable {
    /// How id and secret are written before base64.
    package enum Encoding: String, Sendable {
        /// Form-encoded, as RFC 6749 §2.3.1 demands.
        case rfc
        /// As they are, as RFC 7617 and most vendors have it.
        case raw
    }

    /// One reading of the header.
    package struct Interpretation: Sendable {
        /// What stood before the colon.
        package let clientID: String
        /// What stood behind it.
        package let secret: Secret
    }

    /// The form-decoded reading first, then the raw one; only one when they are the same or one is impossible.
    package let interpretations: [Interpretation]

    /// Writes the `Authorization` header's value.
    package static func encode(id: String, secret: Secret, as encoding: Encoding) -> Secret {
        let pair =
            switch encoding {
            case .rfc: FormCoding.encode(id) + ":" + FormCoding.encode(secret.revealText())
            case .raw: id + ":" + secret.revealText()
            }
        return Secret(text: "Basic " + Base64.encode(Array(pair.utf8), as: .standard))
    }

    /// Reads an `Authorization` header's value.
    ///
    /// - Returns: `nil` when the scheme is not Basic.
    /// - Throws: ``OAuth2Refusal/invalidClient(usedHeader:)`` when it is, but cannot be read.
    package static func parse(_ header: String) throws(OAuth2Refusal) -> BasicCredentials? {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard let scheme = parts.first, scheme.lowercased() == "basic" else { return nil }
        guard header.utf8.count <= 4096, parts.count == 2,
            let bytes = Base64.decode(parts[1].trimmed, as: .standard),
            let text = String(validating: bytes, as: UTF8.self), let colon = text.utf8.firstIndex(of: 0x3A)
        else { throw .invalidClient(usedHeader: true) }
        let raw = (text[..<colon], text[text.utf8.index(after: colon)...])
        var interpretations: [Interpretation] = []
        if let id = FormCoding.decode(raw.0), let secret = FormCoding.decode(raw.1) {
            interpretations.append(Interpretation(clientID: id, secret: Secret(text: secret)))
            if id.sameBytes(as: raw.0), secret.sameBytes(as: raw.1) {
                return BasicCredentials(interpretations: interpretations)
            }
        }
        interpretations.append(Interpretation(clientID: String(raw.0), secret: Secret(text: String(raw.1))))
        return BasicCredentials(interpretations: interpretations)
    }
}
