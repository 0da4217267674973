// While a consumer's secret is being changed a former one may still be right; it is tried only after a clear no.

import Delegation
import OAuth
import ProviderClient
import Sealing
import Testing

@Suite(.timeLimit(.minutes(1))) struct FormerSecretTests {
    private let consumer = Fixtures.consumer(secret: "new", former: ["older", "oldest"])

    private func outcome(
        _ authentication: OAuth2Endpoints.ClientAuthentication = .post,
        _ script: @escaping ScriptedServer.Script
    ) async throws -> (status: Int, usedSecret: Int, secrets: [String]) {
        let (results, note) = AsyncStream<(Int, Int, [String])>.makeStream()
        try await talking(script) { server, base, client in
            let reply = try await RemoteProvider(Fixtures.oauth2(base, authentication), over: client)
                .refresh(Secret(text: "rt"), consumer: consumer)
            note.yield(
                (reply.status, reply.usedSecret, await server.received.compactMap { $0.form.first("client_secret") }))
        }
        note.finish()
        for await result in results { return result }
        throw CancellationError()
    }

    @Test("the former secret is used when the present one is refused, and the reply says so", arguments: [400, 401])
    func former(_ status: Int) async throws {
        let found = try await outcome { request, _ in
            request.form.first("client_secret") == "older" ? .tokens : .error("invalid_client", status: status)
        }
        #expect(found == (200, 1, ["new", "older"]))
    }

    @Test("each secret is tried once, and when none is right the first refusal is what counts")
    func none() async throws {
        let found = try await outcome { _, _ in .error("invalid_client", status: 401) }
        #expect(found == (401, 0, ["new", "older", "oldest"]))
    }

    @Test(
        "only a refused client is a reason to try another secret",
        arguments: [(400, "invalid_grant"), (400, "invalid_request"), (503, "server_error"), (429, "slow_down")])
    func otherRefusals(_ status: Int, _ code: String) async throws {
        let found = try await outcome { _, _ in .error(code, status: status) }
        #expect(found == (status, 0, ["new"]))
    }

    @Test("a public client has no secrets to try")
    func publicClient() async throws {
        try await talking({ _, _ in .error("invalid_client", status: 401) }) { server, base, client in
            _ = try await RemoteProvider(Fixtures.oauth2(base, .none), over: client)
                .refresh(Secret(text: "rt"), consumer: consumer)
            #expect(await server.received.count == 1)
        }
    }

    @Test("after a silence nothing is sent again, not with another secret either")
    func silence() async throws {
        let (held, release) = AsyncStream<Void>.makeStream()
        try await talking({ _, _ in
            for await _ in held {}
            return .error("invalid_client", status: 401)
        }) { server, base, client in
            let remote = RemoteProvider(Fixtures.oauth2(base, .post), over: client, deadline: .milliseconds(300))
            let found = try await failure {
                _ = try await remote.exchange(
                    code: Secret(text: "code-1"), verifier: Secret(text: "verifier-1"),
                    redirectURI: "http://127.0.0.1/",
                    consumer: consumer)
            }
            release.finish()
            guard case .interrupted = found else {
                Issue.record("\(String(describing: found))")
                return
            }
            #expect(await server.received.count == 1)
            for secret in ["code-1", "verifier-1", "new", "older"] {
                #expect(found?.description.contains(secret) == false)
            }
        }
    }

    @Test("OAuth 1.0a tries them when the signature or the consumer is what the provider objects to")
    func oauth1() async throws {
        try await talking({ request, _ in
            let signed = OAuth1Request(
                method: request.method, url: "\(request.base)\(request.path)",
                contentType: request.header("Content-Type"),
                body: request.body, authorization: request.header("Authorization"))
            let verification = try OAuth1Verification(signed, endpoint: .temporaryCredentials)
            guard verification.verify(consumerSecret: Secret(text: "oldest"), tokenSecret: nil) else {
                return Answer(status: 401, body: Array("oauth_problem=signature_invalid".utf8))
            }
            return Answer(
                body: Array("oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=true".utf8),
                contentType: "text/html")
        }) { server, base, client in
            let credentials = try await RemoteProvider(Fixtures.oauth1(base), over: client)
                .temporaryCredentials(consumer: consumer, callback: "oob", scopes: [])
            #expect(credentials.token == "t")
            #expect(await server.received.count == 3)
        }
    }
}
