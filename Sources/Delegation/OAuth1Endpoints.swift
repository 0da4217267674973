// Three addresses and a signature method; the secrets that go with them are the consumer's.

/// An OAuth 1.0a provider (RFC 5849 §2).
package struct OAuth1Endpoints: Sendable, Equatable {
    package let requestToken: String
    package let authorize: String
    package let accessToken: String
    /// `HMAC-SHA1`, `HMAC-SHA256`, … as `oauth_signature_method` says it.
    package let signatureMethod: String
    package let realm: String?
    /// The parameter that carries the scopes in the temporary-credential request, where a provider wants one.
    package let scopeParameter: String?
    /// Where a token can be revoked, by a signed POST; no RFC says so, some providers can.
    package let revocation: String?
    /// What is added to the address of the page where the owner approves.
    package var extraAuthorizeParameters: [String: String] = [:]
    /// Whether signatures cover bodies that are no form (`oauth_body_hash`).
    package var signsBodyHash = false

    /// Assembles what was already checked.
    package init(
        requestToken: String, authorize: String, accessToken: String, signatureMethod: String, realm: String?,
        scopeParameter: String?, revocation: String?
    ) {
        self.requestToken = requestToken
        self.authorize = authorize
        self.accessToken = accessToken
        self.signatureMethod = signatureMethod
        self.realm = realm
        self.scopeParameter = scopeParameter
        self.revocation = revocation
    }
}
