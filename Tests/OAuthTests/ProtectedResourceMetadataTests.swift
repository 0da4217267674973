// An API speaks for itself only, and sends nobody to a server that could be overheard.

import OAuth
import StrictJSON
import Testing

@Suite struct ProtectedResourceMetadataTests {
    private static let resource = "https://hub.local/api"

    @Test("metadata is read as it was written")
    func roundTrip() throws {
        var metadata = ProtectedResourceMetadata(
            resource: Self.resource, authorizationServers: ["https://hub.local", "http://127.0.0.1:8080"])
        #expect(
            metadata.json.text
                == #"{"resource":"https://hub.local/api","authorization_servers":["https://hub.local","#
                + #""http://127.0.0.1:8080"],"bearer_methods_supported":["header"]}"#)
        metadata.scopesSupported = ["lock.unlock@front-door"]
        metadata.dpopSigningAlgValuesSupported = ["ES256", "EdDSA"]
        metadata.authorizationDetailsTypesSupported = [AuthorizationDetails.type]
        metadata.jwksURI = "https://hub.local/jwks"
        #expect(try ProtectedResourceMetadata.parse(metadata.json.bytes, resource: Self.resource) == metadata)
        let alone = ProtectedResourceMetadata(resource: Self.resource, authorizationServers: [])
        #expect(alone.json["authorization_servers"] == nil)
        #expect(try ProtectedResourceMetadata.parse(alone.json.bytes, resource: Self.resource) == alone)
    }

    @Test("the document lies between host and path")
    func wellKnown() throws {
        let path = "/.well-known/oauth-protected-resource"
        for (resource, expected) in [
            ("https://hub.local", "https://hub.local" + path), ("https://hub.local/", "https://hub.local" + path),
            ("https://hub.local:8443/a/b", "https://hub.local:8443" + path + "/a/b"),
            ("https://hub.local/a?x=1", "https://hub.local" + path + "/a?x=1"),
            ("https://hub.local/?x=/", "https://hub.local" + path + "?x=/"),
        ] {
            #expect(try ProtectedResourceMetadata.wellKnownURL(resource: resource) == expected)
        }
        for bad in ["http://hub.local", "https://hub.local#", "https://u@hub.local", "hub.local", "urn:x"] {
            #expect(throws: OAuthError.insecureEndpoint("resource")) {
                try ProtectedResourceMetadata.wellKnownURL(resource: bad)
            }
        }
    }

    @Test(
        "metadata of another API or with servers in the open is refused",
        arguments: [
            (#"{}"#, OAuthError.missing("resource")), ("<html>", .malformedEncoding("JSON")),
            (#"{"resource":"https://hub.local/api/"}"#, .resourceMismatch),
            (#"{"resource":"https://HUB.local/api"}"#, .resourceMismatch),
            (
                #"{"resource":"https://hub.local/api","authorization_servers":["http://as.example"]}"#,
                .insecureEndpoint("authorization_servers")
            ),
            (
                #"{"resource":"https://hub.local/api","authorization_servers":["https://as.example?x"]}"#,
                .insecureEndpoint("authorization_servers")
            ),
            (
                #"{"resource":"https://hub.local/api","authorization_servers":"https://as.example"}"#,
                .malformed("authorization_servers")
            ),
            (
                #"{"resource":"https://hub.local/api","jwks_uri":"http://hub.local/jwks"}"#,
                .insecureEndpoint("jwks_uri")
            ),
            (#"{"resource":"https://hub.local/api","scopes_supported":"a"}"#, .malformed("scopes_supported")),
        ])
    func refused(_ text: String, _ error: OAuthError) {
        #expect(throws: error) { try ProtectedResourceMetadata.parse(Array(text.utf8), resource: Self.resource) }
    }
}
