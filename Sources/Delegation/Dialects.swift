// Where a provider's words differ from the RFCs'; every default is the RFC's.

/// How a provider's token replies and errors are to be read, where they differ from RFC 6749 §5.
package struct ReplyDialect: Sendable, Equatable {
    /// What an error code of the provider's own means to a refresher.
    package enum Meaning: String, Sendable, CaseIterable {
        case needsApproval = "needs_approval"
        case probablyRevoked = "probably_revoked"
        case clientBroken = "client_broken"
        case configuration
        case transient
    }

    /// The unit of a lifetime.
    package enum Unit: String, Sendable, CaseIterable {
        case seconds
        case minutes

        /// How many seconds one of it is.
        package var seconds: Int { self == .seconds ? 1 : 60 }
    }

    /// A member of the reply and the value it has in a success, such as `status` and `0`.
    package struct SuccessTest: Sendable, Equatable {
        package let field: String
        /// The value as JSON writes it, a text without its quotes.
        package let value: String

        /// Pairs a member with its value.
        package init(field: String, value: String) {
            self.field = field
            self.value = value
        }
    }

    /// The members to go down through to where the tokens are.
    package var tokenPath: [String] = []
    /// What tells a success, for providers that answer 200 to everything.
    package var success: SuccessTest?
    /// The member that holds the lifetime.
    package var expiryField = "expires_in"
    package var expiryUnit = Unit.seconds
    /// Where error codes stand, member by member.
    package var errorPaths: [[String]] = [["error"]]
    /// What the provider's own codes mean; wins over the RFC's.
    package var errors: [String: Meaning] = [:]
    /// What a 400 or 401 without any code means.
    package var withoutCode = Meaning.probablyRevoked

    /// The reading of the RFCs.
    package init() {}
}

/// How a device asks for a code, where it differs from RFC 8628.
package struct DeviceDialect: Sendable, Equatable {
    /// How the request for a code is sent.
    package enum Method: String, Sendable, CaseIterable {
        case post = "POST"
        /// With its parameters in the query.
        case get = "GET"
    }

    /// What a code of the provider's own means while the owner has not answered.
    package enum Meaning: String, Sendable, CaseIterable {
        case pending = "authorization_pending"
        case slowDown = "slow_down"
        case denied = "access_denied"
        case expired = "expired_token"
    }

    package var method = Method.post
    /// What is added to the request for a code.
    package var extraParameters: [String: String] = [:]
    /// The member that holds what the hub keeps.
    package var deviceCodeField = "device_code"
    /// The member that holds what the owner types.
    package var userCodeField = "user_code"
    package var expiryUnit = ReplyDialect.Unit.seconds
    /// Where the owner types, for a provider whose reply does not say.
    package var verificationURI: String?
    /// Seconds between two questions, for a provider whose reply does not say.
    package var interval = 5
    /// The `grant_type` in the place of the RFC's.
    package var grantType: String?
    /// The parameter in the place of `device_code`.
    package var codeParameter: String?
    /// What the provider's own codes mean.
    package var errors: [String: Meaning] = [:]

    /// The reading of RFC 8628.
    package init() {}
}
