// A switch that a profile does not name is as the RFC has it, and switches that need each other are refused alone.

import Delegation
import Foundation
import Settings
import Testing

@Suite struct ProviderSwitchTests {
    private static func endpoints(_ yaml: String) throws -> OAuth2Endpoints {
        guard case .oauth2(let endpoints) = try Samples.readProvider(yaml).endpoints else {
            throw Refusal(.notFound, "not OAuth 2")
        }
        return endpoints
    }

    @Test("every switch around the protocol is read")
    func readsProfile() throws {
        let profile = try Samples.readProvider(Samples.odd)
        #expect(profile.doubts == ["that this works", "that anything does"])
        #expect(profile.revocationPage == "https://acme.example/apps?tab=mine")
        #expect(profile.redirectURI == "https://localhost/callback/acme")
        #expect(profile.keyParameter == "apikey")
        #expect(profile.refreshesPerMinute == 10)
        #expect(profile.variables == ["region", "project_id"])
    }

    @Test("every switch of OAuth 2 is read")
    func readsEndpoints() throws {
        let endpoints = try Self.endpoints(Samples.odd)
        #expect(endpoints.authorization == "https://api.acme.example/{project_id}/authorize")
        #expect(endpoints.deviceAuthorization == "https://api.acme.example/device?in={region}")
        #expect(endpoints.pushedAuthorization == "https://api.acme.example/par")
        #expect(endpoints.introspection == "https://api.acme.example/introspect")
        #expect(endpoints.clientAuthentication == .privateKeyJWT)
        #expect(endpoints.assertionAudience == .tokenEndpoint)
        #expect(endpoints.repeatsClientID)
        #expect(endpoints.clientIDParameter == "clientid")
        #expect(endpoints.usesDPoP)
        #expect(endpoints.resources == ["https://things.acme.example", "urn:acme:all"])
        #expect(endpoints.offersClientCredentials)
        #expect(endpoints.offersTokenExchange)
        #expect(endpoints.parameterPlace == .query)
        #expect(endpoints.rotation == .grace)
        #expect(endpoints.rotationGrace == 28_800)
        #expect(endpoints.refreshTokenLifetime == 31_536_000)
        #expect(!endpoints.prolongsRefreshTokens)
        #expect(endpoints.defaultLifetime == 3600)
        #expect(endpoints.neverExpires)
        #expect(endpoints.extraTokenParameters == ["action": "requesttoken"])
        #expect(endpoints.longLivedExchange?.grantType == "long")
        #expect(endpoints.longLivedExchange?.parameter == "short_token")
    }

    @Test("every switch of the device flow and of replies is read")
    func readsDialects() throws {
        let endpoints = try Self.endpoints(Samples.odd)
        let (device, reply) = (endpoints.device, endpoints.reply)
        #expect(device.method == .get)
        #expect(device.extraParameters == ["response_type": "pin"])
        #expect(device.deviceCodeField == "code")
        #expect(device.userCodeField == "pin")
        #expect(device.expiryUnit == .minutes)
        #expect(device.verificationURI == "https://acme.example/pin")
        #expect(device.interval == 30)
        #expect(device.grantType == "pin")
        #expect(device.codeParameter == "code")
        #expect(device.errors == ["wait": .pending, "429": .slowDown, "gone": .expired, "no": .denied])
        #expect(reply.tokenPath == ["result", "tokens"])
        #expect(reply.success == .init(field: "status", value: "0"))
        #expect(reply.expiryField == "expire_time")
        #expect(reply.expiryUnit.seconds == 60)
        #expect(reply.errorPaths == [["status"], ["fault", "detail", "errorcode"]])
        #expect(
            reply.errors == [
                "100": .needsApproval, "200": .clientBroken, "300": .transient, "400": .configuration,
            ])
        #expect(reply.withoutCode == .transient)
    }

    @Test("what is not named is as the RFCs have it")
    func defaults() throws {
        let profile = try Samples.readProvider(Samples.oauth2)
        #expect(profile.doubts.isEmpty)
        #expect(profile.variables.isEmpty)
        #expect(profile.revocationPage == nil)
        #expect(profile.redirectURI == nil)
        #expect(profile.keyParameter == nil)
        #expect(profile.refreshesPerMinute == 120)
        let endpoints = try Self.endpoints(Samples.oauth2)
        #expect(endpoints.deviceAuthorization == nil)
        #expect(endpoints.pushedAuthorization == nil)
        #expect(endpoints.introspection == nil)
        #expect(endpoints.assertionAudience == .issuer)
        #expect(!endpoints.repeatsClientID)
        #expect(endpoints.clientIDParameter == "client_id")
        #expect(!endpoints.usesDPoP)
        #expect(endpoints.resources.isEmpty)
        #expect(!endpoints.offersClientCredentials)
        #expect(!endpoints.offersTokenExchange)
        #expect(endpoints.parameterPlace == .body)
        #expect(endpoints.rotationGrace == 0)
        #expect(endpoints.refreshTokenLifetime == nil)
        #expect(endpoints.prolongsRefreshTokens)
        #expect(!endpoints.neverExpires)
        #expect(endpoints.longLivedExchange == nil)
        #expect(endpoints.device == DeviceDialect())
        #expect(endpoints.reply == ReplyDialect())
    }

    @Test("OAuth 1.0a has switches too, and they are off unless they are named")
    func oauth1() throws {
        let yaml = Samples.oauth1.replacingOccurrences(
            of: "  realm: Acme",
            with: "  realm: Acme\n  body_hash: true\n  extra_authorize_parameters: {perms: write}")
        guard case .oauth1(let odd) = try Samples.readProvider(yaml).endpoints,
            case .oauth1(let plain) = try Samples.readProvider(Samples.oauth1).endpoints
        else {
            Issue.record("not OAuth 1.0a")
            return
        }
        #expect(odd.signsBodyHash)
        #expect(odd.extraAuthorizeParameters == ["perms": "write"])
        #expect(!plain.signsBodyHash)
        #expect(plain.extraAuthorizeParameters.isEmpty)
    }

    @Test(
        "a provider may offer the device flow alone, or nothing but grants of the consumer's own",
        arguments: ["device_authorization_endpoint: https://api.acme.example/device", "client_credentials: true"])
    func withoutRedirect(_ other: String) throws {
        let yaml = Samples.oauth2.replacingOccurrences(
            of: "authorization_endpoint: https://api.acme.example/authorize", with: other)
        #expect(try Self.endpoints(yaml).authorization == nil)
    }

    @Test("a private key may be addressed to the token endpoint without an issuer, and to an issuer that there is")
    func assertionAudience() throws {
        let issued = Samples.odd.replacingOccurrences(
            of: "client_assertion_audience: token_endpoint", with: "issuer: https://api.acme.example")
        #expect(try Self.endpoints(issued).assertionAudience == .issuer)
        #expect(try Self.endpoints(Samples.odd).issuer == nil)
    }

    @Test(
        "a variable stands for something behind the host, never for the host or its port",
        arguments: [
            "https://{region}.acme.example/token", "https://api.acme.example{region}/token", "{region}/token",
            "https://api.acme.example:{region}/token", "https://{region}@api.acme.example/token",
            "https://api.acme.example/{country}/token", "https://api.acme.example/{region/token",
            "https://api.acme.example/region}", "https://api.acme.example/{{region}}", "https://api.acme.example/{}",
            "https://api.acme.example/{reg{region}ion}", "{region}://api.acme.example/token",
        ])
    func variables(_ url: String) throws {
        let breakage = Breakage(
            url, "token_endpoint: https://api.acme.example/token", "token_endpoint: \"\(url)\"", line: 16,
            "oauth2.token_endpoint", found: "\"\(url)\"",
            allowed: "an https URL on one of the hosts api.acme.example (http on loopback only)")
        try breakage.check(Samples.odd) { _ = try Samples.readProvider($0) }
    }

    @Test("a host with a variable in it is not pinned by any profile")
    func variableHost() throws {
        let yaml = Samples.odd.replacingOccurrences(of: "api.acme.example", with: "{region}.acme.example")
            .replacingOccurrences(of: "[{region}.acme.example]", with: "[\"{region}.acme.example\"]")
        let error = try #require(throws: SettingsError.self) { try Samples.readProvider(yaml) }
        #expect(error.faults.map(\.keyPath).contains("oauth2.token_endpoint"))
    }
}
