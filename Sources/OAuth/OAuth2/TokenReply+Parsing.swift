// Lenient where vendors are careless (lifetime, scope, type), strict where a mistake would be sent on (the tokens).

import Sealing
package import StrictJSON

extension TokenReply {
    /// How large may a reply be, in bytes?
    package static let maximumSize = 1 << 20
    /// Which lifetimes make sense, in seconds?
    package static let lifetimes = 1...315_360_000
    /// Which lifetimes of a refresh token make sense, in seconds? Vendors promise fifteen years.
    package static let refreshLifetimes = 1...1_000_000_000
    /// How long may a token be, in bytes?
    private static let maximumTokenSize = 16384

    /// Reads the body of a reply.
    ///
    /// - Throws: ``OAuthError`` when it cannot be read, reports a failure, or has no usable access token.
    package static func parse(
        _ body: [UInt8], options: TokenReplyOptions = TokenReplyOptions()
    ) throws(OAuthError) -> TokenReply {
        guard body.count <= maximumSize else { throw .tooLarge("reply", limit: maximumSize) }
        guard let json = JSON(reply: body, orForm: options.takesForms) else { throw .malformedEncoding("JSON") }
        return try parse(json, options: options)
    }

    /// Reads a reply.
    ///
    /// - Throws: ``OAuthError`` when it reports a failure or has no usable access token.
    package static func parse(
        _ json: JSON, options: TokenReplyOptions = TokenReplyOptions()
    ) throws(OAuthError) -> TokenReply {
        if let test = options.successTest, !test.passes(json) { throw .unsuccessful }
        var place = json
        for name in options.tokenPath {
            guard let inner = place[name] else { throw .missing(name) }
            place = inner
        }
        guard let accessToken = try token("access_token", in: place) else { throw .missing("access_token") }
        let lifetime = Seconds.parse(
            place[options.expiryField] ?? place["expires_in"], unit: options.expiryUnit, within: lifetimes)
        return TokenReply(
            accessToken: accessToken,
            tokenType: tokenType(place["token_type"]?.string, isTokenExchange: options.isTokenExchange),
            expiresIn: lifetime ?? clamped(options.defaultLifetime), expiryIsAssumed: lifetime == nil,
            refreshToken: try token("refresh_token", in: place),
            refreshExpiresIn: refreshLifetime(options.refreshExpiryFields.map { place[$0] }),
            scope: scope(place["scope"], separator: options.scopeSeparator),
            issuedTokenType: place["issued_token_type"]?.string.map { DisplayText.sanitised($0) })
    }

    /// A token goes into a header one day: nothing but visible ASCII may be in it.
    private static func token(_ name: String, in place: JSON) throws(OAuthError) -> Secret? {
        switch place[name] {
        case nil, .null, .string(""): return nil
        case .string(let text):
            guard text.isVisibleASCII, text.utf8.count <= maximumTokenSize else { throw .malformed(name) }
            return Secret(text: text)
        default: throw .malformed(name)
        }
    }

    private static func tokenType(_ text: String?, isTokenExchange: Bool) -> TokenType {
        switch (text ?? "").lowercased() {
        case "", "bearer", "bearertoken": .bearer
        case "dpop": .dpop
        case "n_a" where isTokenExchange: .notApplicable
        default: .other(DisplayText.sanitised(text ?? "", limit: 32))
        }
    }

    /// Zero means "without end" to some servers and nothing to others, so it is as good as no answer.
    private static func refreshLifetime(_ values: [JSON?]) -> Int? {
        for value in values {
            let seconds = Seconds.parse(value, within: 0...refreshLifetimes.upperBound) ?? 0
            if seconds > 0 { return seconds }
        }
        return nil
    }

    private static func clamped(_ seconds: Int) -> Int {
        min(max(seconds, lifetimes.lowerBound), lifetimes.upperBound)
    }

    private static func scope(_ value: JSON?, separator: Character) -> [String]? {
        let texts: [String]
        switch value {
        case .string(let text): texts = [text]
        case .array(let elements): texts = elements.compactMap(\.string)
        default: return nil
        }
        return texts.flatMap { text in
            text.split { $0 == separator || $0 == " " || $0 == "," }.map { DisplayText.sanitised(String($0)) }
        }
    }
}
