// A server speaks for itself only, and names no endpoint in the open.

import OAuth
import StrictJSON
import Testing

@Suite struct MetadataTests {
    private static let issuer = "https://hub.local/home"

    @Test("metadata is read as it was written")
    func roundTrip() throws {
        var metadata = AuthorizationServerMetadata(issuer: Self.issuer)
        metadata.tokenEndpoint = "https://hub.local/token"
        metadata.authorizationEndpoint = "http://127.0.0.1:8080/authorize"
        metadata.codeChallengeMethodsSupported = ["S256"]
        metadata.introspectionEndpointAuthMethodsSupported = ["client_secret_basic"]
        metadata.revocationEndpointAuthMethodsSupported = ["none"]
        metadata.tokenEndpointAuthSigningAlgValuesSupported = ["ES256", "EdDSA"]
        metadata.dpopSigningAlgValuesSupported = ["ES256"]
        metadata.authorizationDetailsTypesSupported = [AuthorizationDetails.type]
        metadata.protectedResources = ["https://hub.local/api"]
        metadata.requirePushedAuthorizationRequests = false
        metadata.sendsIssuerInResponse = true
        #expect(try AuthorizationServerMetadata.parse(metadata.json.bytes, issuer: Self.issuer) == metadata)
        for name in [
            "introspection_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported",
            "token_endpoint_auth_signing_alg_values_supported", "dpop_signing_alg_values_supported",
            "authorization_details_types_supported", "protected_resources", "require_pushed_authorization_requests",
        ] {
            #expect(metadata.json[name] != nil, "\(name)")
        }
    }

    @Test("the document lies between host and path")
    func wellKnown() throws {
        let path = "/.well-known/oauth-authorization-server"
        for (issuer, expected) in [
            ("https://hub.local", "https://hub.local" + path), ("https://hub.local/", "https://hub.local" + path),
            ("https://hub.local:8443/a/b", "https://hub.local:8443" + path + "/a/b"),
        ] {
            #expect(try AuthorizationServerMetadata.wellKnownURL(issuer: issuer) == expected)
        }
        for bad in ["http://hub.local", "https://hub.local?x", "https://hub.local#", "hub.local"] {
            #expect(throws: OAuthError.insecureEndpoint("issuer")) {
                try AuthorizationServerMetadata.wellKnownURL(issuer: bad)
            }
            #expect(throws: OAuthError.insecureEndpoint("issuer")) {
                try AuthorizationServerMetadata.openIDURL(issuer: bad)
            }
        }
    }

    @Test("OpenID Connect's document lies behind the whole path")
    func openID() throws {
        let path = "/.well-known/openid-configuration"
        for (issuer, expected) in [
            ("https://hub.local", "https://hub.local" + path), ("https://hub.local/", "https://hub.local" + path),
            ("https://hub.local:8443/a/b", "https://hub.local:8443/a/b" + path),
            ("https://hub.local/a/b/", "https://hub.local/a/b" + path),
            ("http://127.0.0.1:9/a", "http://127.0.0.1:9/a" + path),
        ] {
            #expect(try AuthorizationServerMetadata.openIDURL(issuer: issuer) == expected)
        }
    }

    @Test(
        "metadata of another issuer or with endpoints in the open is refused",
        arguments: [
            (#"{}"#, OAuthError.missing("issuer")),
            (#"{"issuer":"https://hub.local/home/"}"#, .issuerMismatch),
            (#"{"issuer":"https://HUB.local/home"}"#, .issuerMismatch),
            (
                #"{"issuer":"https://hub.local/home","token_endpoint":"http://hub.local/token"}"#,
                .insecureEndpoint("token_endpoint")
            ),
            (#"{"issuer":"https://hub.local/home","jwks_uri":"file:///etc/x"}"#, .insecureEndpoint("jwks_uri")),
            (#"{"issuer":"https://hub.local/home","token_endpoint":7}"#, .insecureEndpoint("token_endpoint")),
            (#"{"issuer":"https://hub.local/home","scopes_supported":"a b"}"#, .malformed("scopes_supported")),
            (#"{"issuer":"https://hub.local/home","protected_resources":[7]}"#, .malformed("protected_resources")),
            ("<html>", .malformedEncoding("JSON")),
        ])
    func refused(_ text: String, _ error: OAuthError) {
        #expect(throws: error) { try AuthorizationServerMetadata.parse(Array(text.utf8), issuer: Self.issuer) }
    }
}
