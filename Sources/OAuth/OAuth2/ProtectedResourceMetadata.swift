// A document speaks only for the API it was fetched for, and sends nobody to a server that could be overheard.

package import StrictJSON

/// What an API says about itself (RFC 9728).
package struct ProtectedResourceMetadata: Sendable, Equatable {
    /// How large may a document be, in bytes?
    package static let maximumSize = 262_144

    /// Which API the document speaks for.
    package let resource: String
    /// The issuers whose tokens it takes.
    package var authorizationServers: [String]
    /// The scopes it admits to.
    package var scopesSupported: [String]?
    /// How a bearer token may be presented; `header` only, if it knows what is good for it.
    package var bearerMethodsSupported: [String]
    /// How proofs of possession may be signed (RFC 9449 §5.1).
    package var dpopSigningAlgValuesSupported: [String]?
    /// Which types of authorisation details it understands (RFC 9396 §10).
    package var authorizationDetailsTypesSupported: [String]?
    /// Where the API's own public keys are.
    package var jwksURI: String?

    /// A document that names its issuers and nothing else.
    package init(resource: String, authorizationServers: [String], bearerMethodsSupported: [String] = ["header"]) {
        self.resource = resource
        self.authorizationServers = authorizationServers
        self.bearerMethodsSupported = bearerMethodsSupported
    }

    /// Where the document of an API is: the well-known path goes between host and path (§3.1).
    ///
    /// - Throws: ``OAuthError/insecureEndpoint(_:)`` unless the API is https or on this machine, without fragment.
    package static func wellKnownURL(resource: String) throws(OAuthError) -> String {
        guard let parts = AbsoluteURL(resource), parts.isTrustworthy, parts.fragment == nil else {
            throw .insecureEndpoint("resource")
        }
        let query = parts.query.map { "?" + $0 } ?? ""
        let origin = resource.dropLast(parts.path.utf8.count + query.utf8.count)
        return origin + "/.well-known/oauth-protected-resource" + (parts.path == "/" ? "" : parts.path) + query
    }

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - body: The document.
    ///   - resource: The API it was fetched for; the document's must be the same bytes (§3.3).
    /// - Returns: The document's claims; what it does not say is `nil` or empty.
    /// - Throws: ``OAuthError``.
    package static func parse(
        _ body: [UInt8], resource: String
    ) throws(OAuthError) -> ProtectedResourceMetadata {
        guard body.count <= maximumSize else { throw .tooLarge("metadata", limit: maximumSize) }
        guard let json = try? JSON(parsing: body.withoutByteOrderMark) else { throw .malformedEncoding("JSON") }
        guard let found = json["resource"]?.string else { throw .missing("resource") }
        guard found.sameBytes(as: resource) else { throw .resourceMismatch }
        var metadata = ProtectedResourceMetadata(
            resource: resource, authorizationServers: try list("authorization_servers", json) ?? [],
            bearerMethodsSupported: try list("bearer_methods_supported", json) ?? [])
        guard metadata.authorizationServers.allSatisfy(isIssuer) else {
            throw .insecureEndpoint("authorization_servers")
        }
        metadata.scopesSupported = try list("scopes_supported", json)
        metadata.dpopSigningAlgValuesSupported = try list("dpop_signing_alg_values_supported", json)
        metadata.authorizationDetailsTypesSupported = try list("authorization_details_types_supported", json)
        if let value = json["jwks_uri"], value != .null {
            guard let url = value.string, let parts = AbsoluteURL(url), parts.isTrustworthy, parts.fragment == nil
            else { throw .insecureEndpoint("jwks_uri") }
            metadata.jwksURI = url
        }
        return metadata
    }

    /// The document; a server list without servers is left out (§3.2).
    package var json: JSON {
        JSON.compact([
            "resource": .string(resource),
            "authorization_servers": authorizationServers.isEmpty ? nil : .strings(authorizationServers),
            "jwks_uri": jwksURI.map(JSON.string), "scopes_supported": scopesSupported.map { .strings($0) },
            "bearer_methods_supported": .strings(bearerMethodsSupported),
            "dpop_signing_alg_values_supported": dpopSigningAlgValuesSupported.map { .strings($0) },
            "authorization_details_types_supported": authorizationDetailsTypesSupported.map { .strings($0) },
        ])
    }

    private static func list(_ name: String, _ json: JSON) throws(OAuthError) -> [String]? {
        guard let value = json[name], value != .null else { return nil }
        guard let texts = value.strings else { throw .malformed(name) }
        return texts
    }

    private static func isIssuer(_ url: String) -> Bool {
        AbsoluteURL(url).map { $0.isTrustworthy && $0.query == nil && $0.fragment == nil } ?? false
    }
}
