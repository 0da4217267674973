// What a server says becomes a profile that a person can read and correct; what it does not say is written as a doubt.

package import Delegation
package import OAuth

extension ProviderDiscovery {
    /// Writes a provider profile from metadata, with every guess among its doubts.
    ///
    /// - Parameters:
    ///   - name: What the provider will be called.
    ///   - metadata: What ``fetch(issuer:over:deadline:)`` brought.
    /// - Returns: The text of the profile's file.
    package static func profileYAML(name: ProviderName, metadata: AuthorizationServerMetadata) -> String {
        var doubts = [
            "made from the metadata of \(metadata.issuer); nobody has tried it",
            "whether refresh tokens rotate is not in the metadata",
            "the lifetime of a token whose reply gives none is a guess",
            "which scopes to ask for is not in the metadata; it lists "
                + list(metadata.scopesSupported?.prefix(12).map(\.self) ?? []),
        ]
        let endpoints: [(key: String, url: String?)] = [
            ("authorization_endpoint", metadata.authorizationEndpoint),
            ("token_endpoint", metadata.tokenEndpoint),
            ("revocation_endpoint", metadata.revocationEndpoint),
            ("introspection_endpoint", metadata.introspectionEndpoint),
            ("device_authorization_endpoint", metadata.deviceAuthorizationEndpoint),
            ("pushed_authorization_request_endpoint", metadata.pushedAuthorizationRequestEndpoint),
        ]
        let urls = endpoints.compactMap { key, url in url.map { (key: key, url: $0) } }
        var lines = ["oauth2:", "  issuer: \(quoted(metadata.issuer))"]
        lines += urls.map { "  \($0.key): \(quoted($0.url))" }
        lines.append("  client_authentication: \(authentication(metadata, &doubts))")
        lines += switches(metadata, &doubts)
        lines += ["  rotation: unknown", "  default_lifetime: \"1h\""]
        let hosts = ([metadata.issuer] + urls.map(\.url)).compactMap { Origin($0)?.host }
        let head =
            [
                "# Written from the provider's own metadata. Check the doubts, then say verified: true.",
                "provider: \(name.rawValue)",
                "title: \(quoted(Origin(metadata.issuer)?.host ?? name.rawValue))",
                "protocol: oauth2",
                "hosts:",
            ] + Set(hosts).sorted().map { "  - \(quoted($0))" } + ["verified: false", "doubts:"]
        return (head + doubts.map { "  - \(quoted($0))" } + lines).joined(separator: "\n") + "\n"
    }

    private static func authentication(_ metadata: AuthorizationServerMetadata, _ doubts: inout [String]) -> String {
        // RFC 8414 §2: Basic when nothing is said.
        let methods = metadata.tokenEndpointAuthMethodsSupported ?? ["client_secret_basic"]
        let known: KeyValuePairs<String, String> = [
            "client_secret_basic": "basic", "client_secret_post": "post", "private_key_jwt": "private_key_jwt",
            "tls_client_auth": "tls", "self_signed_tls_client_auth": "tls", "none": "none",
        ]
        guard let chosen = known.first(where: { methods.contains($0.key) }) else {
            doubts.append("the server lists no client authentication that this version can do, but " + list(methods))
            return "basic"
        }
        if chosen.value == "basic" {
            doubts.append("a server that does not decode Basic credentials needs client_authentication basic_raw")
        }
        if methods.count > 1 {
            doubts.append("the client may authenticate in other ways than \(chosen.key): " + list(methods))
        }
        return chosen.value
    }

    private static func switches(_ metadata: AuthorizationServerMetadata, _ doubts: inout [String]) -> [String] {
        var lines: [String] = []
        let grants = metadata.grantTypesSupported ?? []
        let hasOwner = metadata.authorizationEndpoint != nil || metadata.deviceAuthorizationEndpoint != nil
        if grants.contains(GrantType.clientCredentials.rawValue) || !hasOwner {
            lines.append("  client_credentials: true")
        }
        if grants.contains(GrantType.tokenExchange.rawValue) { lines.append("  token_exchange: true") }
        if metadata.dpopSigningAlgValuesSupported?.contains("ES256") == true {
            lines.append("  dpop: true")
            doubts.append("the server knows DPoP; an API that does not needs dpop: false")
        }
        if metadata.sendsIssuerInResponse { lines.append("  announces_issuer: true") }
        if let methods = metadata.codeChallengeMethodsSupported, !methods.contains("S256") {
            doubts.append("the server does not list the PKCE method S256, which is used nevertheless")
        }
        return lines
    }

    private static func list(_ words: [String]) -> String {
        words.isEmpty
            ? "nothing" : DisplayText.sanitised(words.map { $0.prefix(60) }.joined(separator: ", "), limit: 300)
    }

    /// A text between double quotes, in which YAML knows no more than these two as special once controls are out.
    private static func quoted(_ text: String) -> String {
        let escaped = DisplayText.sanitised(text, limit: 2048).flatMap { character -> String in
            character == "\\" || character == "\"" ? "\\\(character)" : String(character)
        }
        return "\"" + String(escaped) + "\""
    }
}
