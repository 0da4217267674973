// What a server says about itself is believed only for the issuer it was asked about.

import Delegation
import OAuth
import ProviderClient
import Settings
import Testing

@Suite(.timeLimit(.minutes(1))) struct DiscoveryTests {
    private static let first = "/.well-known/oauth-authorization-server/tenant"
    private static let second = "/tenant/.well-known/openid-configuration"

    private static func document(_ issuer: String, _ more: String = "") -> Answer {
        .json("{\"issuer\":\"\(issuer)\",\"token_endpoint\":\"\(issuer)/token\"\(more)}")
    }

    @Test("the document is looked for between host and path, then behind the path, and nowhere else")
    func places() async throws {
        try await talking({ request, _ in
            request.path == Self.second ? Self.document("\(request.base)/tenant") : .error("not_found", status: 404)
        }) { server, base, client in
            let metadata = try await ProviderDiscovery.fetch(issuer: "\(base)/tenant", over: client)
            #expect(metadata.tokenEndpoint == "\(base)/tenant/token")
            #expect(await server.paths == [Self.first, Self.second])
        }
        try await talking({ _, _ in Answer(status: 404) }) { server, base, client in
            let found = try await failure {
                _ = try await ProviderDiscovery.fetch(issuer: "\(base)/tenant", over: client)
            }
            #expect(found == .refused(status: 404, code: nil))
            #expect(await server.paths == [Self.first, Self.second])
        }
    }

    @Test("a page where the document should be sends us on, not a wrong document")
    func pages() async throws {
        try await talking({ request, count in
            count == 0
                ? Answer(body: Array("<html>".utf8), contentType: "text/html")
                : Self.document("\(request.base)/tenant")
        }) { _, base, client in
            let metadata = try await ProviderDiscovery.fetch(issuer: "\(base)/tenant", over: client)
            #expect(metadata.issuer == "\(base)/tenant")
        }
    }

    @Test(
        "a document that cannot be trusted ends the search",
        arguments: [
            ("another issuer", ProviderFailure.unusable(.issuerMismatch)),
            ("a slash more", .unusable(.issuerMismatch)),
            ("http", .unusable(.insecureEndpoint("revocation_endpoint"))),
            ("no token endpoint", .unusable(.missing("token_endpoint"))),
            ("redirect", .redirected(status: 302)),
            ("too large", .tooLarge(limit: 262_144)),
            ("unavailable", .refused(status: 503, code: nil)),
        ])
    func distrust(_ what: String, _ wanted: ProviderFailure) async throws {
        try await talking({ request, _ in
            let issuer = "\(request.base)/tenant"
            switch what {
            case "another issuer": return Self.document("https://evil.example")
            case "a slash more": return .json("{\"issuer\":\"\(issuer)/\",\"token_endpoint\":\"\(issuer)/token\"}")
            case "http": return Self.document(issuer, ",\"revocation_endpoint\":\"http://cloud.example/revoke\"")
            case "no token endpoint": return .json("{\"issuer\":\"\(issuer)\"}")
            case "redirect": return Answer(status: 302, headers: [(name: "Location", value: "/other")])
            case "too large": return Answer(body: Array(repeating: 0x20, count: 300_000))
            default: return Answer(status: 503)
            }
        }) { server, base, client in
            let found = try await failure {
                _ = try await ProviderDiscovery.fetch(issuer: "\(base)/tenant", over: client)
            }
            #expect(found == wanted)
            #expect(await server.received.count == 1)
        }
    }

    @Test(
        "an issuer is https or on this machine, without query", arguments: ["http://cloud.example", "https://a/?x=1"])
    func insecure(_ issuer: String) async throws {
        try await talking({ _, _ in .tokens }) { server, _, client in
            let found = try await failure { _ = try await ProviderDiscovery.fetch(issuer: issuer, over: client) }
            #expect(found == .unusableRequest(.insecureEndpoint("issuer")))
            #expect(await server.received.isEmpty)
        }
    }

    @Test("a profile made from metadata can be read, says that it is a guess, and enables what the server lists")
    func profile() throws {
        let issuer = "https://id.example"
        var metadata = AuthorizationServerMetadata(issuer: issuer)
        metadata.authorizationEndpoint = "https://login.example/a?x=y"
        metadata.tokenEndpoint = "\(issuer)/token"
        metadata.pushedAuthorizationRequestEndpoint = "\(issuer)/par"
        metadata.introspectionEndpoint = "\(issuer)/introspect"
        metadata.tokenEndpointAuthMethodsSupported = ["private_key_jwt", "client_secret_post"]
        metadata.grantTypesSupported = ["authorization_code", GrantType.tokenExchange.rawValue]
        metadata.dpopSigningAlgValuesSupported = ["RS256", "ES256"]
        metadata.scopesSupported = ["a: \"b", "c\nd\\"]
        metadata.sendsIssuerInResponse = true
        let yaml = ProviderDiscovery.profileYAML(name: Fixtures.name, metadata: metadata)
        let profile = try ProviderProfile(
            yaml: yaml, name: Fixtures.name, file: "cloud.yaml", home: "http://127.0.0.1:1")
        guard case .oauth2(let endpoints) = profile.endpoints else {
            Issue.record("another protocol")
            return
        }
        #expect(endpoints.authorization == metadata.authorizationEndpoint)
        #expect(endpoints.pushedAuthorization == "\(issuer)/par" && endpoints.introspection == "\(issuer)/introspect")
        #expect(endpoints.clientAuthentication == .post && endpoints.usesDPoP && endpoints.offersTokenExchange)
        #expect(endpoints.announcesIssuer && endpoints.rotation == .unknown && !endpoints.offersClientCredentials)
        #expect(profile.hosts == ["id.example", "login.example"])
        #expect(!profile.verified && profile.doubts.count >= 5)
        #expect(profile.doubts.contains { $0.contains("a: \"b, cd\\") })
    }

    @Test("a server that says nothing but its token endpoint still makes a profile, with Basic and its own grant")
    func poor() throws {
        var metadata = AuthorizationServerMetadata(issuer: "https://id.example")
        metadata.tokenEndpoint = "https://id.example/token"
        let yaml = ProviderDiscovery.profileYAML(name: Fixtures.name, metadata: metadata)
        let profile = try ProviderProfile(
            yaml: yaml, name: Fixtures.name, file: "cloud.yaml", home: "http://127.0.0.1:1")
        guard case .oauth2(let endpoints) = profile.endpoints else {
            Issue.record("another protocol")
            return
        }
        #expect(endpoints.clientAuthentication == .basic && endpoints.offersClientCredentials && !endpoints.usesDPoP)
    }
}
