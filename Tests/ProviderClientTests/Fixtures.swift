// The profile, the consumer and the client that most tests start from.

import AsyncHTTPClient
import Delegation
import Foundation
import OAuth
import ProviderClient
import Sealing

enum Fixtures {
    static let awkwardKey = "client:1/ü"
    static let awkwardSecret = ":%+ &é"
    static let epoch = Date(timeIntervalSince1970: 1_800_000_000)
    static let seconds = 1_800_000_000

    static var name: ProviderName { ProviderName(rawValue: "cloud") ?? { preconditionFailure("a provider name") }() }

    static func consumer(
        key: String = "client", secret: String = "secret", former: [String] = []
    ) -> Consumer {
        Consumer(
            id: "1", provider: name, device: nil, key: key, secret: Secret(text: secret),
            formerSecrets: former.map { Secret(text: $0) })
    }

    static func oauth2(
        _ base: String, _ authentication: OAuth2Endpoints.ClientAuthentication = .basic,
        hosts: [String] = ["127.0.0.1"], validation: String? = nil, separator: String = " ",
        _ change: (inout OAuth2Endpoints) -> Void = { _ in }
    ) -> ProviderProfile {
        var endpoints = OAuth2Endpoints(
            issuer: "https://issuer.example", authorization: "\(base)/authorize", token: "\(base)/token",
            revocation: "\(base)/revoke", clientAuthentication: authentication, rotation: .none, defaultLifetime: 600,
            extraAuthorizationParameters: [:], extraTokenParameters: [:], announcesIssuer: false)
        change(&endpoints)
        return ProviderProfile(
            name: name, title: "Cloud", isHome: false, endpoints: .oauth2(endpoints), hosts: hosts, scopeFormat: nil,
            scopes: [], scopeSeparator: separator, validationEndpoint: validation, verified: false)
    }

    static func oauth1(
        _ base: String, method: String = "HMAC-SHA1", _ change: (inout OAuth1Endpoints) -> Void = { _ in }
    ) -> ProviderProfile {
        var endpoints = OAuth1Endpoints(
            requestToken: "\(base)/request", authorize: "\(base)/authorize", accessToken: "\(base)/access",
            signatureMethod: method, realm: nil, scopeParameter: nil, revocation: "\(base)/revoke")
        change(&endpoints)
        return ProviderProfile(
            name: name, title: "Cloud", isHome: false, endpoints: .oauth1(endpoints), hosts: ["127.0.0.1"],
            scopeFormat: nil, scopes: [], scopeSeparator: " ", validationEndpoint: "\(base)/api", verified: false)
    }

    static func tokens(dpopKey: Secret? = nil, type: String = "Bearer", refresh: String? = "rt") -> GrantTokens {
        GrantTokens(
            accessToken: Secret(text: "at"), tokenSecret: Secret(text: "ts"),
            refreshToken: refresh.map { Secret(text: $0) }, tokenType: type, dpopKey: dpopKey)
    }
}

/// Serves a script and talks to it.
func talking(
    _ script: @escaping ScriptedServer.Script,
    _ body: @Sendable @escaping (ScriptedServer, String, HTTPClient) async throws -> Void
) async throws {
    try await ScriptedServer.with(script) { server in
        try await HTTPClient.withHTTPClient(configuration: .toProviders) { client in
            try await body(server, await server.base, client)
        }
    }
}

/// The failure that something ends with, if it does.
func failure(_ body: () async throws -> Void) async throws -> ProviderFailure? {
    do {
        try await body()
        return nil
    } catch let failure as ProviderFailure {
        return failure
    }
}
