// A document speaks only for the issuer it was fetched for, and names no endpoint where a secret could be overheard.

package import StrictJSON

/// What an authorisation server says about itself (RFC 8414).
package struct AuthorizationServerMetadata: Sendable, Equatable {
    /// How large may a document be, in bytes?
    package static let maximumSize = 262_144

    /// Whom the document speaks for.
    package let issuer: String
    /// Where the owner is sent.
    package var authorizationEndpoint: String?
    /// Where grants become tokens.
    package var tokenEndpoint: String?
    /// Where tokens are withdrawn (RFC 7009).
    package var revocationEndpoint: String?
    /// Where tokens are asked about (RFC 7662).
    package var introspectionEndpoint: String?
    /// Where device codes come from (RFC 8628).
    package var deviceAuthorizationEndpoint: String?
    /// Where requests are left beforehand (RFC 9126).
    package var pushedAuthorizationRequestEndpoint: String?
    /// Where the public keys are.
    package var jwksURI: String?
    /// The scopes it admits to.
    package var scopesSupported: [String]?
    /// What may be asked for; `code` among them.
    package var responseTypesSupported: [String]?
    /// What the server lists; servers are known to leave out grants they have.
    package var grantTypesSupported: [String]?
    /// Must hold `S256` before PKCE is relied on.
    package var codeChallengeMethodsSupported: [String]?
    /// How clients may authenticate.
    package var tokenEndpointAuthMethodsSupported: [String]?
    /// How clients may sign when they authenticate with a key.
    package var tokenEndpointAuthSigningAlgValuesSupported: [String]?
    /// How clients may authenticate where tokens are withdrawn; as at the token endpoint without it.
    package var revocationEndpointAuthMethodsSupported: [String]?
    /// How clients may authenticate where tokens are asked about; as at the token endpoint without it.
    package var introspectionEndpointAuthMethodsSupported: [String]?
    /// How assertions may be signed where tokens are withdrawn.
    package var revocationEndpointAuthSigningAlgValuesSupported: [String]?
    /// How assertions may be signed where tokens are asked about.
    package var introspectionEndpointAuthSigningAlgValuesSupported: [String]?
    /// How proofs of possession may be signed (RFC 9449 §5.1).
    package var dpopSigningAlgValuesSupported: [String]?
    /// Which types of authorisation details there are (RFC 9396 §10).
    package var authorizationDetailsTypesSupported: [String]?
    /// The APIs whose metadata names this server (RFC 9728 §4).
    package var protectedResources: [String]?
    /// Whether requests must be pushed beforehand (RFC 9126 §5); not without it.
    package var requirePushedAuthorizationRequests: Bool?
    /// Whether every redirect carries `iss` (RFC 9207 §3).
    package var sendsIssuerInResponse = false

    /// A document that says nothing yet.
    package init(issuer: String) { self.issuer = issuer }

    /// Where the document of an issuer is: the well-known path goes between host and path (§3).
    ///
    /// - Throws: ``OAuthError/insecureEndpoint(_:)`` unless the issuer is https or on this machine, without query and
    ///   fragment.
    package static func wellKnownURL(issuer: String) throws(OAuthError) -> String {
        let (origin, path) = try pieces(of: issuer)
        return origin + "/.well-known/oauth-authorization-server" + path
    }

    /// Where OpenID Connect puts the same document: the well-known path goes behind the issuer's (Discovery 1.0 §4).
    ///
    /// - Throws: ``OAuthError/insecureEndpoint(_:)`` as for ``wellKnownURL(issuer:)``.
    package static func openIDURL(issuer: String) throws(OAuthError) -> String {
        let (origin, path) = try pieces(of: issuer)
        return origin + path + "/.well-known/openid-configuration"
    }

    /// Scheme and host, and the path without a slash at its end.
    private static func pieces(of issuer: String) throws(OAuthError) -> (origin: Substring, path: String) {
        guard let parts = AbsoluteURL(issuer), parts.isTrustworthy, parts.query == nil, parts.fragment == nil else {
            throw .insecureEndpoint("issuer")
        }
        let path = parts.path.hasSuffix("/") ? String(parts.path.dropLast()) : parts.path
        return (issuer.dropLast(parts.path.utf8.count), path)
    }

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - body: The document.
    ///   - issuer: The issuer it was fetched for; the document's must be the same bytes (§3.3).
    /// - Returns: The document's claims; what it does not say is `nil`.
    /// - Throws: ``OAuthError``.
    package static func parse(
        _ body: [UInt8], issuer: String
    ) throws(OAuthError) -> AuthorizationServerMetadata {
        guard body.count <= maximumSize else { throw .tooLarge("metadata", limit: maximumSize) }
        guard let json = try? JSON(parsing: body.withoutByteOrderMark) else { throw .malformedEncoding("JSON") }
        guard let found = json["issuer"]?.string else { throw .missing("issuer") }
        guard found.sameBytes(as: issuer) else { throw .issuerMismatch }
        var metadata = AuthorizationServerMetadata(issuer: issuer)
        for (name, path) in endpoints {
            guard let value = json[name], value != .null else { continue }
            guard let url = value.string, let parts = AbsoluteURL(url), parts.isTrustworthy, parts.fragment == nil
            else { throw .insecureEndpoint(name) }
            metadata[keyPath: path] = url
        }
        for (name, path) in lists {
            guard let value = json[name], value != .null else { continue }
            guard let texts = value.strings else { throw .malformed(name) }
            metadata[keyPath: path] = texts
        }
        metadata.requirePushedAuthorizationRequests = json[pushFlag]?.bool
        metadata.sendsIssuerInResponse = json[issuerFlag]?.bool ?? false
        return metadata
    }

    /// The document.
    package var json: JSON {
        var members = [JSON.Member("issuer", .string(issuer))]
        members += Self.endpoints.compactMap { name, path in
            self[keyPath: path].map { JSON.Member(name, .string($0)) }
        }
        members += Self.lists.compactMap { name, path in
            self[keyPath: path].map { JSON.Member(name, .strings($0)) }
        }
        if let requirePushedAuthorizationRequests {
            members.append(JSON.Member(Self.pushFlag, .bool(requirePushedAuthorizationRequests)))
        }
        members.append(JSON.Member(Self.issuerFlag, .bool(sendsIssuerInResponse)))
        return .object(members)
    }

    private static let pushFlag = "require_pushed_authorization_requests"
    private static let issuerFlag = "authorization_response_iss_parameter_supported"

    private static var endpoints: [(String, WritableKeyPath<Self, String?>)] {
        [
            ("authorization_endpoint", \.authorizationEndpoint),
            ("token_endpoint", \.tokenEndpoint),
            ("revocation_endpoint", \.revocationEndpoint),
            ("introspection_endpoint", \.introspectionEndpoint),
            ("device_authorization_endpoint", \.deviceAuthorizationEndpoint),
            ("pushed_authorization_request_endpoint", \.pushedAuthorizationRequestEndpoint),
            ("jwks_uri", \.jwksURI),
        ]
    }

    private static var lists: [(String, WritableKeyPath<Self, [String]?>)] {
        [
            ("scopes_supported", \.scopesSupported),
            ("response_types_supported", \.responseTypesSupported),
            ("grant_types_supported", \.grantTypesSupported),
            ("code_challenge_methods_supported", \.codeChallengeMethodsSupported),
            ("token_endpoint_auth_methods_supported", \.tokenEndpointAuthMethodsSupported),
            ("token_endpoint_auth_signing_alg_values_supported", \.tokenEndpointAuthSigningAlgValuesSupported),
            ("revocation_endpoint_auth_methods_supported", \.revocationEndpointAuthMethodsSupported),
            ("introspection_endpoint_auth_methods_supported", \.introspectionEndpointAuthMethodsSupported),
            (
                "revocation_endpoint_auth_signing_alg_values_supported",
                \.revocationEndpointAuthSigningAlgValuesSupported
            ),
            (
                "introspection_endpoint_auth_signing_alg_values_supported",
                \.introspectionEndpointAuthSigningAlgValuesSupported
            ),
            ("dpop_signing_alg_values_supported", \.dpopSigningAlgValuesSupported),
            ("authorization_details_types_supported", \.authorizationDetailsTypesSupported),
            ("protected_resources", \.protectedResources),
        ]
    }
}
