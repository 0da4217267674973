// A device asks for what any client may ask for, in the same words.

/// What a device authorisation request asks for (RFC 8628 §3.1), on the server's side.
package struct DeviceAuthorizationRequest: Sendable {
    /// Empty when the provider's default is asked for.
    package let scope: [String]
    /// The APIs the token is for (RFC 8707).
    package let resource: [String]
    /// What is asked for in detail (RFC 9396 §2).
    package let authorizationDetails: AuthorizationDetails?

    /// Reads the parameters of a client's form.
    ///
    /// - Throws: ``OAuth2Refusal`` for a malformed scope, resource or detail.
    package init(_ parameters: [Parameter]) throws(OAuth2Refusal) {
        scope = try ScopeList.parse(parameters.first("scope"))
        resource = try ResourceList.check(parameters.all("resource"))
        authorizationDetails =
            if let text = parameters.first("authorization_details") {
                try AuthorizationDetails(parsing: text)
            } else {
                nil
            }
    }
}
