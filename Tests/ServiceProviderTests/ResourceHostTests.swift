// The app API may have a name of its own: then each name answers for its own paths, and what is signed, bound or announced
// says which.

import Delegation
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct ResourceHostTests {
    private static let home = "https://home.example"
    private static let api = "https://api.home.example:8443"
    private static let devices = "/api/v1/devices"

    private func run(_ body: @escaping @Sendable (TestHome) async throws -> Void) async throws {
        try await TestHome.run(address: Self.home, resource: Self.api, body)
    }

    @Test("each name answers for its own paths and for no other's: 421")
    func names() async throws {
        try await run { home in
            let own = [
                "home.example": ["/", "/oauth2/jwks", "/.well-known/oauth-authorization-server", "/oauth1/authorize"],
                "api.home.example:8443": [
                    Self.devices, Self.devices + "/front-door", "/api/v1/app", "/.well-known/oauth-protected-resource",
                ],
            ]
            for (host, paths) in own {
                for (other, _) in own {
                    for path in paths {
                        let answer = try await home.send("GET", path, headers: [("Host", other)])
                        #expect((answer.status == 421) == (other != host), "\(other) \(path): \(answer.status)")
                    }
                }
                for foreign in ["evil.example", "api.home.example", "home.example:8443", ""] {
                    for path in paths {
                        #expect(try await home.send("GET", path, headers: [("Host", foreign)]).status == 421)
                    }
                }
            }
        }
    }

    @Test("the metadata of each names the other, and a challenge leads from the API to the server")
    func metadata() async throws {
        try await run { home in
            let refused = try await home.send("GET", Self.devices)
            #expect(refused.status == 401)
            let link = "resource_metadata=\"\(Self.api)/.well-known/oauth-protected-resource\""
            #expect(refused.headers["WWW-Authenticate"].first?.contains(link) == true)
            let resource = try await home.send("GET", "/.well-known/oauth-protected-resource")
            let parsed = try ProtectedResourceMetadata.parse(Array(resource.body.utf8), resource: Self.api)
            #expect(parsed.authorizationServers == [Self.home])
            let server = try await home.send("GET", "/.well-known/oauth-authorization-server")
            let found = try AuthorizationServerMetadata.parse(Array(server.body.utf8), issuer: Self.home)
            #expect(found.protectedResources == [Self.api])
            #expect(found.tokenEndpoint == Self.home + "/oauth2/token")
        }
    }

    @Test("OAuth 1.0a over both names, each request signed for the name it goes to")
    func oauth1() async throws {
        try await run { home in
            let app = try await OAuth1App.register(home)
            let access = try await app.accessToken()
            #expect(try await app.devices(access).status == 200)
            try await home.expectNothingChanged {
                for origin in [Self.home, "https://api.home.example", "http://api.home.example:8443", home.base] {
                    let header = try app.header("GET", Self.devices, token: access, origin: origin)
                    let answer = try await app.send("GET", Self.devices, header: header)
                    #expect(answer.status == 401)
                    #expect(answer.form.first("oauth_problem") == "signature_invalid")
                }
                let header = try app.header(
                    "POST", "/oauth1/request_token", callback: OAuth1App.callback, origin: Self.api)
                let answer = try await app.send("POST", "/oauth1/request_token", header: header)
                #expect(answer.form.first("oauth_problem") == "signature_invalid")
            }
            let ended = try await app.send(
                "POST", "/oauth1/revoke", header: app.header("POST", "/oauth1/revoke", token: access))
            #expect(ended.status == 200)
            #expect(try await app.devices(access).status == 401)
        }
    }

    @Test("OAuth 2 with bound tokens over both names, each proof for the name it goes to")
    func oauth2() async throws {
        try await run { home in
            let app = try await ProvingApp.register(home)
            let (access, refresh) = try await app.tokens()
            let claims = try JSON(parsing: Base64.decode(access.split(separator: ".")[1].utf8, as: .url) ?? [])
            #expect(claims["iss"]?.string == Self.home)
            #expect(claims["aud"]?.string == Self.api)
            #expect(try await app.devices(access).status == 200)
            try await home.expectNothingChanged {
                let wrong = try await app.proof("GET", Self.home + Self.devices, token: access).text
                #expect(try await app.devices(access, proofs: [wrong]).status == 401)
                let swapped = try await app.proof("POST", Self.api + "/oauth2/token").text
                #expect(try await app.refresh(refresh, proofs: [swapped]).json["error"] == "invalid_dpop_proof")
            }
            #expect(try await app.refresh(refresh).status == 200)
        }
    }

    @Test("a resource is named by the API's address, and by no other")
    func resource() async throws {
        try await run { home in
            let app = try await OAuth2App.register(home)
            let form = app.redemption(try await app.code())
            try await home.expectNothingChanged {
                for resource in [Self.home, Self.home + Self.devices + "/front-door", Self.api + "/"] {
                    let answer = try await app.token(form + [("resource", resource)])
                    #expect(answer.status == 400)
                    #expect(answer.json["error"] == "invalid_target")
                }
            }
            let issued = try await app.token(form + [("resource", Self.api + Self.devices + "/front-door")])
            let access = try #require(issued.json["access_token"]?.string)
            #expect(try await app.devices(access, path: Self.devices + "/front-door").status == 200)
            #expect(try await app.devices(access).status == 401)
            let location = issued.json["authorization_details"]?.array?.first?["locations"]?.strings
            #expect(location?.first?.hasPrefix(Self.api) == true)
        }
    }
}
