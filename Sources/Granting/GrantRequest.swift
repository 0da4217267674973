// What the keeper is asked for and what it hands out; only `HeldToken` holds a secret.

package import Delegation
package import Sealing
package import Vault

/// A grant that was asked for.
package struct GrantRequest: Sendable, Equatable {
    package let grant: Grant
    /// Where the owner approves; `nil` when a code is typed in, or nobody is asked.
    package let authorizeURL: String?
    /// What the owner types in, and where; with the flow `device`.
    package let prompt: DevicePrompt?
}

/// A request that somebody else will send, with the headers that prove whose it is.
package struct SignedRequest: Sendable, Equatable {
    /// The value of `Authorization`. OAuth 1.0a: a signature that is good for this request only. OAuth 2: the access token,
    /// which is worth nothing without the proof.
    package let authorization: String
    /// The value of `DPoP` (RFC 9449 §4), good for this request only.
    package let dpop: String?
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
    /// Whether the provider will be told later.
    package let isQueued: Bool
}
