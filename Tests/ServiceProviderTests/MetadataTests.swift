// What the home says about itself is complete and true: what is announced answers, and works.

import Delegation
import FoundationEssentials
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct MetadataTests {
    private static let server = "/.well-known/oauth-authorization-server"

    private func metadata(_ home: TestHome) async throws -> AuthorizationServerMetadata {
        let answer = try await home.send("GET", Self.server)
        #expect(answer.status == 200)
        #expect(answer.header("Content-Type") == "application/json")
        return try AuthorizationServerMetadata.parse(Array(answer.body.utf8), issuer: home.issuer)
    }

    /// An app that may use every grant type.
    private func app(_ home: TestHome, key: JWTSigningKey? = nil) async throws -> OAuth2App {
        var terms = ConsumerTerms()
        terms.grantTypes = GrantType.allCases.map(\.rawValue)
        if let key {
            terms.authentication = .privateKeyJWT
            terms.keys = JWKSet(keys: [key.verificationKey]).json
        }
        return try await OAuth2App.register(home, terms: terms, key: key)
    }

    @Test("the document of RFC 8414 has every member that it should, each with what the home can do")
    func complete() async throws {
        try await TestHome.run { home in
            let document = try await home.send("GET", Self.server).json
            let endpoints = [
                "authorization_endpoint": "/oauth2/authorize", "token_endpoint": "/oauth2/token",
                "revocation_endpoint": "/oauth2/revoke", "introspection_endpoint": "/oauth2/introspect",
                "device_authorization_endpoint": "/oauth2/device_authorization",
                "pushed_authorization_request_endpoint": "/oauth2/par", "jwks_uri": "/oauth2/jwks",
            ]
            for (name, path) in endpoints { #expect(document[name]?.string == home.base + path, "\(name)") }
            let confidential: Set = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
            let algorithms: Set = ["ES256", "EdDSA", "RS256"]
            let lists: [String: Set<String>] = [
                "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
                "grant_types_supported": [
                    "authorization_code", "refresh_token", "client_credentials",
                    "urn:ietf:params:oauth:grant-type:device_code",
                    "urn:ietf:params:oauth:grant-type:token-exchange",
                ],
                "token_endpoint_auth_methods_supported": confidential.union(["none"]),
                "revocation_endpoint_auth_methods_supported": confidential.union(["none"]),
                "introspection_endpoint_auth_methods_supported": confidential,
                "token_endpoint_auth_signing_alg_values_supported": algorithms,
                "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
                "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
                "dpop_signing_alg_values_supported": algorithms,
                "authorization_details_types_supported": ["device"], "protected_resources": [home.base],
            ]
            for (name, values) in lists {
                #expect(document[name]?.strings.map { Set($0) } == values, "\(name)")
                #expect(document[name]?.strings?.count == values.count, "\(name)")
            }
            #expect(try await home.send("GET", "/.well-known/openid-configuration").json == document)
            #expect(document["issuer"]?.string == home.base)
            #expect(document["authorization_response_iss_parameter_supported"] == true)
            #expect(document["require_pushed_authorization_requests"] == false)
            let names = Set(document.members?.map(\.name) ?? [])
            let known = Set(endpoints.keys).union(lists.keys).union([
                "issuer", "authorization_response_iss_parameter_supported", "require_pushed_authorization_requests",
                "scopes_supported",
            ])
            #expect(names.isSubset(of: known), "announced and not looked at: \(names.subtracting(known))")
        }
    }

    @Test("the document of RFC 9728 names the API, the server that gives tokens for it, and how they are presented")
    func resource() async throws {
        try await TestHome.run { home in
            let answer = try await home.send("GET", "/.well-known/oauth-protected-resource")
            let parsed = try ProtectedResourceMetadata.parse(Array(answer.body.utf8), resource: home.base)
            #expect(parsed.authorizationServers == [home.base])
            #expect(parsed.bearerMethodsSupported == ["header"])
            #expect(parsed.dpopSigningAlgValuesSupported == ["ES256", "EdDSA", "RS256"])
            #expect(parsed.authorizationDetailsTypesSupported == ["device"])
            let server = try await home.send("GET", try #require(parsed.authorizationServers.first) + Self.server)
            #expect(server.json["protected_resources"]?.strings == [home.base])
        }
    }

    @Test("documents may be kept for some minutes, by everybody; no document says anything of the request")
    func caching() async throws {
        try await TestHome.run { home in
            for path in [Self.server, "/.well-known/oauth-protected-resource", "/oauth2/jwks"] {
                let plain = try await home.send("GET", path)
                #expect(plain.header("Cache-Control") == "max-age=300")
                #expect(plain.header("Set-Cookie") == nil)
                let odd = try await home.send(
                    "GET", path + "?x=evil",
                    headers: [
                        ("X-Forwarded-Host", "evil.example"), ("Forwarded", "host=evil.example"),
                        ("Origin", "https://evil.example"),
                    ])
                #expect(odd.body == plain.body)
            }
        }
    }

    @Test("every endpoint that is announced answers for itself")
    func endpoints() async throws {
        try await TestHome.run { home in
            let metadata = try await metadata(home)
            let app = try await app(home)
            let (access, refresh) = try await app.tokens()
            func post(_ url: String?, _ form: [(String, String)]) async throws -> Answer {
                try await home.send(
                    "POST", try #require(url), headers: app.basic, form: form.map { Parameter($0.0, $0.1) })
            }
            let page = try await home.send(
                "GET", try #require(metadata.authorizationEndpoint) + OAuth2App.path(app.request()).dropFirst(17))
            #expect(page.status == 200)
            #expect(page.body.contains("name=\"password\""))
            let pushed = try await post(metadata.pushedAuthorizationRequestEndpoint, app.request())
            #expect(pushed.status == 201)
            let device = try await post(metadata.deviceAuthorizationEndpoint, [])
            #expect(device.status == 200)
            #expect(device.json["verification_uri"]?.string == home.base + "/device")
            let token = try await post(
                metadata.tokenEndpoint, [("grant_type", "refresh_token"), ("refresh_token", refresh)])
            #expect(token.status == 200)
            let shown = try await post(metadata.introspectionEndpoint, [("token", access)])
            #expect(shown.json["active"] == true)
            #expect(try await post(metadata.revocationEndpoint, [("token", access)]).status == 200)
            #expect(try await post(metadata.introspectionEndpoint, [("token", access)]).json["active"] == false)
            let keys = try await home.send("GET", try #require(metadata.jwksURI))
            #expect(try JWKSet(parsing: Array(keys.body.utf8)).keys.count == 1)
        }
    }

    @Test("every grant type that is announced works, and no other does")
    func grantTypes() async throws {
        try await TestHome.run { home in
            let app = try await app(home)
            var working: Set<String> = []
            func use(_ type: String, _ form: [(String, String)]) async throws -> JSON {
                let answer = try await app.token([("grant_type", type)] + form)
                if answer.status == 200, answer.json["access_token"] != nil { working.insert(type) }
                return answer.json
            }
            let code = app.redemption(try await app.code()).filter { $0.0 != "grant_type" }
            let reply = try await use("authorization_code", code)
            let access = try #require(reply["access_token"]?.string)
            _ = try await use("refresh_token", [("refresh_token", try #require(reply["refresh_token"]?.string))])
            _ = try await use("client_credentials", [])
            let exchange = "urn:ietf:params:oauth:token-type:access_token"
            let exchanged = try await use(
                "urn:ietf:params:oauth:grant-type:token-exchange",
                [("subject_token", access), ("subject_token_type", exchange)])
            #expect(exchanged["issued_token_type"]?.string == exchange)
            let device = try await app.post("/oauth2/device_authorization", []).json
            var browser = Browser(home)
            let page = try await browser.open("/device?user_code=\(try #require(device["user_code"]?.string))")
            #expect(try await browser.decide("approve", on: page, at: "/device").status == 200)
            _ = try await use(
                "urn:ietf:params:oauth:grant-type:device_code",
                [("device_code", try #require(device["device_code"]?.string))])
            let announced = try #require(try await metadata(home).grantTypesSupported)
            #expect(working == Set(announced))
            try await home.expectNothingChanged {
                for type in [
                    "password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "AUTHORIZATION_CODE",
                ] {
                    let refused = try await use(type, code)
                    #expect(refused["error"] == "unsupported_grant_type")
                }
            }
        }
    }

    @Test(
        "every way to authenticate that is announced works at every endpoint that announces it, with every algorithm",
        arguments: ["token", "revoke", "introspect"])
    func authentication(endpoint: String) async throws {
        try await TestHome.run { home in
            let metadata = try await metadata(home)
            let announced =
                switch endpoint {
                case "token": metadata.tokenEndpointAuthMethodsSupported
                case "revoke": metadata.revocationEndpointAuthMethodsSupported
                default: metadata.introspectionEndpointAuthMethodsSupported
                }
            let path = "/oauth2/" + endpoint
            let form =
                endpoint == "token" ? [("grant_type", "refresh_token"), ("refresh_token", "x")] : [("token", "x")]
            // Past authentication a made-up token is nothing special.
            let status = endpoint == "token" ? 400 : 200
            var working: Set<String> = []
            func note(_ method: String, _ answer: Answer) {
                let isIn = answer.status == status && answer.json["error"]?.string != "invalid_client"
                if isIn { working.insert(method) }
            }
            let plain = try await OAuth2App.register(home)
            note("client_secret_basic", try await plain.post(path, form))
            note(
                "client_secret_post",
                try await plain.post(
                    path, form + [("client_id", plain.id), ("client_secret", plain.secret.revealText())], headers: []))
            var terms = ConsumerTerms()
            terms.authentication = .none
            note("none", try await OAuth2App.register(home, named: "Public", terms: terms).post(path, form))
            let keys: [JWTSigningKey] = [
                .p256(try P256PrivateKey(), keyID: "a"), .ed25519(Ed25519PrivateKey(), keyID: "b"),
                .rsa(try RSAPrivateKey(bits: 2048), keyID: "c"),
            ]
            #expect(Set(keys.map(\.algorithm)) == Set(metadata.tokenEndpointAuthSigningAlgValuesSupported ?? []))
            var algorithms: Set<String> = []
            for key in keys {
                var terms = ConsumerTerms()
                terms.authentication = .privateKeyJWT
                terms.keys = JWKSet(keys: [key.verificationKey]).json
                let app = try await OAuth2App.register(home, named: "App \(key.algorithm)", terms: terms, key: key)
                let answer = try await app.post(path, form)
                if answer.status == status, answer.json["error"]?.string != "invalid_client" {
                    algorithms.insert(key.algorithm)
                }
            }
            if algorithms.count == keys.count { working.insert("private_key_jwt") }
            #expect(working == Set(try #require(announced)))
        }
    }
}
