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
    }

    /// The member that holds the lifetime; `expires_in` is read when it is not there.
    package var expiryField = "expires_in"
    /// How many seconds one unit of it is: 1, or 60 for minutes.
    package var expiryUnit = 1
    /// The members to go down through to where the tokens are.
    package var tokenPath: [String] = []
    /// What stands between scopes, when it is neither space nor comma.
    package var scopeSeparator: Character = " "
    /// The lifetime in seconds of a token whose reply gives none.
    package var defaultLifetime = 3600
    /// For providers that answer 200 to everything.
    package var successTest: SuccessTest?

    /// The reading of RFC 6749.
    package init() {}
}
