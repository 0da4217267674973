// How an approval comes back is settled when it is asked for and stays with the grant, so that a later answer is read
// as what it is.

/// How the owner's approval comes back.
package enum GrantFlow: String, Sendable, CaseIterable {
    /// The browser is sent back to the hub.
    case redirect
    /// The provider shows a verifier that a person types in (OAuth 1.0a `oob`).
    case oob
    /// A person types a code in at the provider, and the hub asks until it is done (RFC 8628).
    case device
    /// The consumer acts for itself, and nobody is asked (RFC 6749 §4.4).
    case client
}
