// Every endpoint lies on a pinned host, and nothing in a URL can make it look as if it did.

import Delegation
import Foundation
import Settings
import Testing

@Suite struct ProviderProfileTests {
    static let urls = "an https URL on one of the hosts api.acme.example, 127.0.0.1 (http on loopback only)"

    @Test("every key of an OAuth 2 provider is read")
    func readsOAuth2() throws {
        let profile = try Samples.readProvider(Samples.oauth2)
        #expect(profile.delegationProtocol == .oauth2)
        #expect(!profile.isHome)
        #expect(!profile.verified)
        #expect(profile.hosts == ["api.acme.example", "127.0.0.1"])
        #expect(profile.scopeFormat == "{operation}:{device}")
        #expect(profile.scopes == ["offline"])
        #expect(profile.scopeSeparator == ",")
        #expect(profile.validationEndpoint == "https://api.acme.example/me")
        guard case .oauth2(let endpoints) = profile.endpoints else {
            Issue.record("not OAuth 2")
            return
        }
        #expect(endpoints.issuer == "https://api.acme.example")
        #expect(endpoints.token == "https://api.acme.example:8443/token")
        #expect(endpoints.revocation == "http://127.0.0.1:9000/revoke")
        #expect(endpoints.clientAuthentication == .basicRaw)
        #expect(endpoints.rotation == .strict)
        #expect(endpoints.defaultLifetime == 43_200)
        #expect(endpoints.extraAuthorizationParameters == ["prompt": "consent"])
        #expect(endpoints.extraTokenParameters.isEmpty)
        #expect(endpoints.announcesIssuer)
    }

    @Test("every key of an OAuth 1.0a provider is read")
    func readsOAuth1() throws {
        let profile = try Samples.readProvider(Samples.oauth1)
        #expect(profile.delegationProtocol == .oauth1)
        #expect(profile.scopeFormat == nil)
        #expect(profile.scopeSeparator == " ")
        #expect(
            profile.endpoints
                == .oauth1(
                    OAuth1Endpoints(
                        requestToken: "https://api.acme.example/request",
                        authorize: "https://api.acme.example/authorize",
                        accessToken: "https://api.acme.example/access", signatureMethod: "HMAC-SHA1", realm: "Acme",
                        scopeParameter: nil, revocation: nil)))
    }

    @Test(
        "a token endpoint that is not plainly https on a pinned host is refused",
        arguments: [
            "https://evil.example/token", "http://api.acme.example/token", "https://api.acme.example@evil.example/",
            "https://user:password@api.acme.example/token", "https://api.acme.example.evil.example/token",
            "https://api.acme.example:99999/token", "https://api.acme.example:0443/token",
            "https://api.acme.example:443.evil.example/", "https://api.acme.example:443@evil.example/",
            "https://api.acme.example\\\\.evil.example/",
            "https://[::1]/token", "http://[::1].evil.example/", "ftp://127.0.0.1/token", "api.acme.example/token",
            "https://", "https:///token", "https://api.acme.example/token#part", "https://api.acme.exämple/token",
            "https://api.acme.example/to ken", "https://api%2Eacme.example/token", "{home}.evil.example/token",
            "{home}0/token", "{home}@evil.example/", "x{home}/token", "javascript://api.acme.example/%0aalert(1)",
        ])
    func refusesURL(_ url: String) throws {
        let breakage = Breakage(
            url, "token_endpoint: https://api.acme.example:8443/token", "token_endpoint: \"\(url)\"", line: 13,
            "oauth2.token_endpoint", found: "\"\(url.replacingOccurrences(of: "\\\\", with: "\\"))\"",
            allowed: Self.urls)
        try breakage.check(Samples.oauth2) { _ = try Samples.readProvider($0) }
    }

    @Test(
        "what follows the home's URL never becomes part of its host or port",
        arguments: [".evil.example/token", "0/token", ":80/token", "-evil.example", "x"])
    func continuedHome(_ rest: String) throws {
        let yaml = Samples.oauth2.replacingOccurrences(
            of: "token_endpoint: https://api.acme.example:8443/token", with: "token_endpoint: \"{home}\(rest)\"")
        for home in ["https://hub.example", "http://127.0.0.1:80", "http://127.0.0.1"] {
            let error = try #require(throws: SettingsError.self) {
                try ProviderProfile(
                    yaml: yaml, name: try #require(ProviderName(rawValue: "acme")), file: "test.yaml", home: home)
            }
            #expect(error.faults.map(\.keyPath) == ["oauth2.token_endpoint"])
        }
    }

    @Test(
        "a token endpoint on a pinned host, on loopback or below the home is taken",
        arguments: [
            ("https://api.acme.example/token", "https://api.acme.example/token"),
            ("HTTPS://API.acme.example:443/token?a=b", "HTTPS://API.acme.example:443/token?a=b"),
            ("http://127.0.0.1:80/token", "http://127.0.0.1:80/token"), ("{home}/token", "http://127.0.0.1:8420/token"),
            ("{home}", "http://127.0.0.1:8420"),
        ])
    func takesURL(_ url: String, _ expected: String) throws {
        let yaml = Samples.oauth2.replacingOccurrences(
            of: "token_endpoint: https://api.acme.example:8443/token", with: "token_endpoint: \"\(url)\"")
        guard case .oauth2(let endpoints) = try Samples.readProvider(yaml).endpoints else {
            Issue.record("not OAuth 2")
            return
        }
        #expect(endpoints.token == expected)
    }

    static let breakages = [
        Breakage(
            "the name of another provider", "provider: acme", "provider: other", line: 1, "provider",
            found: "\"other\"", allowed: "\"acme\", as the file's name says"),
        Breakage(
            "a protocol that there is not", "protocol: oauth2", "protocol: oauth3", line: 3, "protocol",
            found: "\"oauth3\"", allowed: "one of oauth1, oauth2"),
        Breakage(
            "a host in capitals", "hosts: [api.acme.example", "hosts: [API.acme.example", line: 4, "hosts[0]",
            found: "\"API.acme.example\"", allowed: "a list of host names in lower case, without port"),
        Breakage(
            "a host with a port", "example, 127.0.0.1]", "example, 127.0.0.1, \"127.0.0.1:80\"]", line: 4, "hosts[2]",
            found: "\"127.0.0.1:80\"", allowed: "a list of host names in lower case, without port"),
        Breakage(
            "a scope format without operation", "{operation}:{device}", "{device}", line: 5, "scope_format",
            found: "\"{device}\"", allowed: "a text with {operation}"),
        Breakage(
            "a scope with a space in it", "scopes: [offline]", "scopes: [off line]", line: 6, "scopes[0]",
            found: "\"off line\"", allowed: "a list of texts"),
        Breakage(
            "a separator that there is not", "scope_separator: \",\"", "scope_separator: \";\"", line: 7,
            "scope_separator", found: "\";\"", allowed: "\" \" or \",\""),
        Breakage(
            "a lifetime without a unit", "default_lifetime: 12h", "default_lifetime: 3600", line: 17,
            "oauth2.default_lifetime", found: "\"3600\"",
            allowed: "a duration from 1s to 7320d, such as 90s, 10m or 12h"),
        Breakage(
            "a lifetime out of range", "default_lifetime: 12h", "default_lifetime: 7321d", line: 17,
            "oauth2.default_lifetime", found: "\"7321d\"",
            allowed: "a duration from 1s to 7320d, such as 90s, 10m or 12h"),
        Breakage(
            "a lifetime that is a fraction", "default_lifetime: 12h", "default_lifetime: 1.5h", line: 17,
            "oauth2.default_lifetime", found: "\"1.5h\"",
            allowed: "a duration from 1s to 7320d, such as 90s, 10m or 12h"),
        Breakage(
            "a missing endpoint", "  token_endpoint: https://api.acme.example:8443/token\n", "", line: 11,
            "oauth2.token_endpoint", found: "nothing", allowed: urls),
        Breakage(
            "the part of the other protocol", "oauth2:\n", "oauth1: {}\noauth2:\n", line: 10, "oauth1",
            found: "the unknown key \"oauth1\"",
            allowed: "doubts, home, hosts, key_parameter, oauth2, protocol, provider, redirect_uri, "
                + "refreshes_per_minute, revocation_page, scope_format, scope_separator, scopes, title, "
                + "validation_endpoint, variables, verified"),
        Breakage(
            "an extra parameter that is a list", "{prompt: consent}", "{prompt: [consent]}", line: 18,
            "oauth2.extra_authorization_parameters.prompt", found: "a list", allowed: "a text"),
        Breakage(
            "nothing said about being verified", "verified: false\n", "", line: 1, "verified", found: "nothing",
            allowed: "true or false"),
    ]

    @Test("a mistake in a provider profile is one fault with its place", arguments: breakages)
    func breakage(_ breakage: Breakage) throws {
        try breakage.check(Samples.oauth2) { _ = try Samples.readProvider($0) }
    }

    @Test("a signature method that there is not is refused")
    func signatureMethod() throws {
        let breakage = Breakage(
            "method", "HMAC-SHA1", "HMAC-MD5", line: 10, "oauth1.signature_method", found: "\"HMAC-MD5\"",
            allowed: "one of HMAC-SHA1, HMAC-SHA256, HMAC-SHA512, RSA-SHA1, RSA-SHA256, RSA-SHA512, PLAINTEXT")
        try breakage.check(Samples.oauth1) { _ = try Samples.readProvider($0) }
    }
}
