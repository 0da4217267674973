// A bearer token is taken from the Authorization header only; a query or a form is where tokens leak.

package import Sealing

/// Presenting an access token (RFC 6750 §2.1).
package enum BearerToken {
    /// The `Authorization` header's value.
    package static func authorization(_ token: Secret) -> Secret {
        token.reveal { Secret(Array("Bearer ".utf8) + $0) }
    }

    /// Reads the token of an `Authorization` header.
    ///
    /// - Parameters:
    ///   - header: The header's value; its scheme may be in any case.
    ///   - scheme: The scheme that is looked for, in lower case: `bearer`, or `dpop` (RFC 9449 §7.1).
    /// - Returns: `nil` when the scheme is another one, or what follows is not one token of at most 8 KiB.
    package static func parse(_ header: String, scheme: String = "bearer") -> Secret? {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == scheme else { return nil }
        let token = parts[1].trimmed
        guard !token.isEmpty, token.utf8.count <= 8192, token.isVisibleASCII else { return nil }
        return Secret(text: token)
    }
}
