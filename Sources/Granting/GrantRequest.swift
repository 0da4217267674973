// What the keeper is asked for and what it hands out; only `HeldToken` holds a secret.

package import Delegation
package import Sealing

/// How the owner's approval comes back.
package enum GrantFlow: String, Sendable, CaseIterable {
    /// The browser is sent back to the hub.
    case redirect
    /// The provider shows a verifier that a person types in (OAuth 1.0a `oob`).
    case oob
}

/// A grant that was asked for.
package struct GrantRequest: Sendable, Equatable {
    package let grant: Grant
    /// Where the owner approves.
    package let authorizeURL: String
}

/// An access token for a local program.
package struct HeldToken: Sendable {
    package let accessToken: Secret
    /// OAuth 1.0a only.
    package let tokenSecret: Secret?
    package let tokenType: String
    /// Seconds it will still live; `nil` when it does not expire.
    package let expiresIn: Int?
    package let scopes: [String]
}

/// A grant that was ended.
package struct Revocation: Sendable, Equatable {
    package let grant: Grant
    /// Why the provider could not be told, or `nil` when it was; here the grant has ended in either case.
    package let providerError: String?
}
