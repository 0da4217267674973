// Whatever a provider answers, the keeper does what the error table says.

import AsyncHTTPClient
import Delegation
import OAuth
import ProviderClient
import Sealing
import Testing

@Suite(.timeLimit(.minutes(1))) struct ExchangeTests {
    private let consumer = Consumer(
        id: "1", provider: ProviderName(rawValue: "cloud") ?? { preconditionFailure() }(), device: nil,
        key: OpinionatedProvider.consumerKey, secret: Secret(text: OpinionatedProvider.consumerSecret))

    private func failure(
        _ profile: ProviderProfile, _ client: HTTPClient, deadline: Duration = .seconds(10)
    ) async throws -> ProviderFailure? {
        do {
            _ = try await RemoteProvider(profile, over: client, deadline: deadline)
                .refresh(Secret(text: "refresh-token"), consumer: consumer)
            return nil
        } catch let failure as ProviderFailure {
            return failure
        }
    }

    private func withProvider(
        _ mood: Mood, _ body: @Sendable @escaping (OpinionatedProvider, ProviderProfile) async throws -> Void
    ) async throws {
        let provider = OpinionatedProvider()
        await provider.set("/token", mood)
        try await provider.serving {
            try await body(provider, TestHome.cloudProfile("http://127.0.0.1:\(await provider.port)", .none))
            await provider.release()
        }
    }

    private func withClient(
        _ configuration: HTTPClient.Configuration = .toProviders, _ body: (HTTPClient) async throws -> Void
    ) async throws {
        try await HTTPClient.withHTTPClient(configuration: configuration) { try await body($0) }
    }

    @Test("a redirect is handed back as it is and nobody follows it")
    func redirect() async throws {
        try await withProvider(.answering(307, "", headers: ["Location": "/elsewhere"])) { provider, profile in
            try await withClient { client in
                let reply = try await RemoteProvider(profile, over: client)
                    .refresh(Secret(text: "refresh-token"), consumer: consumer)
                #expect(reply.status == 307)
                #expect(await provider.count("/elsewhere") == 0)
            }
        }
    }

    @Test("what a client that follows redirects brings back is refused")
    func followedRedirect() async throws {
        try await withProvider(.answering(302, "", headers: ["Location": "/api"])) { _, profile in
            try await withClient(HTTPClient.Configuration()) { client in
                guard case .redirected = try await failure(profile, client) else {
                    Issue.record("taken for an answer")
                    return
                }
            }
        }
    }

    @Test("a body of 1 MiB is refused, one of 64 KiB is read", arguments: [(1 << 20, true), (65_536, false)])
    func size(_ size: Int, _ isRefused: Bool) async throws {
        try await withProvider(.huge(size)) { _, profile in
            try await withClient { client in
                let found = try await failure(profile, client)
                #expect(found == (isRefused ? .tooLarge(limit: 65_536) : nil))
            }
        }
    }

    @Test("headers of more than 16 KiB are refused")
    func headers() async throws {
        let headers = ["X-Noise": String(repeating: "x", count: 20_000)]
        try await withProvider(.answering(200, "{}", headers: headers)) { _, profile in
            try await withClient { client in
                let found = try await failure(profile, client)
                #expect(found == .tooLarge(limit: 16_384))
            }
        }
    }

    @Test("a provider that says nothing is given up at the deadline, and may have acted")
    func silence() async throws {
        try await withProvider(.hanging) { _, profile in
            try await withClient { client in
                let failure = try await failure(profile, client, deadline: .seconds(2))
                #expect(failure?.mayHaveTakenEffect == true)
            }
        }
    }

    @Test("an answer that breaks off may have taken effect")
    func brokenOff() async throws {
        try await withProvider(.breakingOff) { _, profile in
            try await withClient { client in
                let failure = try await failure(profile, client)
                #expect(failure?.mayHaveTakenEffect == true)
            }
        }
    }

    @Test("what never connects was not sent: no listener, no TLS, no name")
    func notSent() async throws {
        try await withProvider(.obliging) { provider, _ in
            let port = await provider.port
            try await withClient { client in
                for base in ["http://127.0.0.1:1", "https://127.0.0.1:\(port)"] {
                    guard case .notSent = try await failure(TestHome.cloudProfile(base, .none), client) else {
                        Issue.record("\(base) counts as sent")
                        continue
                    }
                }
                #expect(await provider.count("/token") == 0)
            }
        }
    }

    @Test(
        "secrets go to pinned hosts only",
        arguments: [
            "https://evil.example/token", "http://127.0.0.1.evil.example/token", "http://127.0.0.1@evil.example/token",
            "https://127.0.0.1:8443/api", "http://127.0.0.1:9/token", "ftp://127.0.0.1/token", "/token", "",
            "https://evil.example\\@127.0.0.1/", "https://evil.example#@127.0.0.1/",
        ])
    func pinned(_ url: String) async throws {
        let profile = ProviderProfile(
            name: consumer.provider, title: "", isHome: false,
            endpoints: .oauth1(
                OAuth1Endpoints(
                    requestToken: "http://127.0.0.1:80/r", authorize: "http://127.0.0.1:80/a",
                    accessToken: "http://127.0.0.1:80/t", signatureMethod: "HMAC-SHA1", realm: nil,
                    scopeParameter: nil, revocation: nil)),
            hosts: ["127.0.0.1"], scopeFormat: nil, scopes: [], scopeSeparator: " ", validationEndpoint: nil,
            verified: false)
        try await withClient { client in
            let remote = RemoteProvider(profile, over: client)
            let token = TokenCredentials(token: "t", secret: Secret(text: "s"))
            #expect(throws: ProviderFailure.self) {
                try remote.authorizationHeader("GET", url, form: [], consumer: consumer, token: token)
            }
            #expect(throws: Never.self) {
                try remote.authorizationHeader(
                    "GET", "http://127.0.0.1/any?x=1", form: [], consumer: consumer, token: token)
            }
        }
    }
}
