// What one vendor's reply has of its own is data in a profile; without a profile the RFC is read.

package import StrictJSON

/// Where a provider's token reply differs from RFC 6749 §5.1.
package struct TokenReplyOptions: Sendable {
    /// What a member must hold for the reply to be a success.
    package struct SuccessTest: Sendable, Equatable {
        /// The member's name at the top of the reply.
        package let field: String
        /// Its value in a success.
        package let value: JSON

        /// Pairs a member with the value it must have.
        package init(field: String, value: JSON) {
            self.field = field
            self.value = value
        }

        /// Whether a reply is a success; a number or a truth value may stand there as text.
        package func passes(_ reply: JSON) -> Bool {
            guard let found = reply[field] else { return false }
            return found == value || Self.isSameWord(Self.word(found), Self.word(value))
        }

        private static func isSameWord(_ found: String?, _ wanted: String?) -> Bool {
            guard let found, let wanted else { return false }
            return found.sameBytes(as: wanted)
        }

        private static func word(_ value: JSON) -> String? {
            switch value {
            case .string(let text): text
            case .integer, .bool: value.text
            case .decimal(let number): Int64(exactly: number).map { String($0) }
            case .null, .array, .object: nil
            }
        }
    }

    /// The member that holds the lifetime; `expires_in` is read when it is not there.
    package var expiryField = "expires_in"
    /// How many seconds one unit of it is: 1, or 60 for minutes.
    package var expiryUnit = 1
    /// The members that may hold the refresh token's lifetime in seconds; the first one with a lifetime counts.
    package var refreshExpiryFields = ["refresh_token_expires_in", "refresh_expires_in"]
    /// The members to go down through to where the tokens are.
    package var tokenPath: [String] = []
    /// What stands between scopes, when it is neither space nor comma.
    package var scopeSeparator: Character = " "
    /// The lifetime in seconds of a token whose reply gives none.
    package var defaultLifetime = 3600
    /// For providers that answer 200 to everything.
    package var successTest: SuccessTest?
    /// Whether a reply may be a form instead of JSON, as some providers answer to whoever does not insist.
    package var takesForms = false
    /// Whether this is the reply to a token exchange, where what is issued need not be an access token.
    package var isTokenExchange = false

    /// The reading of RFC 6749.
    package init() {}
}
