// Whatever a provider sends, an exchange ends in time, keeps little, and goes where it was sent.

import Delegation
import OAuth
import ProviderClient
import Sealing
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct BoundsTests {
    private func refresh(
        _ base: String, _ client: HTTPClientTalk, deadline: Duration = .seconds(20)
    ) async throws -> RawReply {
        try await RemoteProvider(Fixtures.oauth2(base), over: client.client, deadline: deadline)
            .refresh(Secret(text: "rt"), consumer: Fixtures.consumer())
    }

    private func verdict(_ reply: RawReply, _ base: String, _ client: HTTPClientTalk) -> RefreshVerdict {
        RefreshVerdict.classify(
            .reply(
                status: reply.status, contentType: reply.contentType, retryAfter: reply.retryAfter,
                body: reply.body.revealBytes()),
            options: RemoteProvider(Fixtures.oauth2(base), over: client.client).tokenReplyOptions, now: 0)
    }

    @Test("a redirect is not followed, whichever it is", arguments: [301, 302, 303, 307, 308])
    func redirects(_ status: Int) async throws {
        try await talking({ request, _ in
            Answer(status: status, headers: [(name: "Location", value: "\(request.base)/elsewhere")])
        }) { server, base, client in
            let reply = try await refresh(base, HTTPClientTalk(client))
            #expect(reply.status == status)
            guard case .suspicious = verdict(reply, base, HTTPClientTalk(client)) else {
                Issue.record("taken for an answer")
                return
            }
            let remote = RemoteProvider(
                Fixtures.oauth2(base) { $0.introspection = "\(base)/introspect" }, over: client)
            let found = try await failure { try await remote.revoke(Fixtures.tokens(), consumer: Fixtures.consumer()) }
            #expect(found == .redirected(status: status))
            let asked = try await failure {
                _ = try await remote.introspect(Fixtures.tokens(), consumer: Fixtures.consumer())
            }
            #expect(asked == .redirected(status: status))
            #expect(await server.paths == ["/token", "/revoke", "/introspect"])
        }
    }

    @Test("of a gigabyte little is read and nothing is kept")
    func gigabyte() async throws {
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 65_536)
        let sent = Tally()
        try await talking({ _, _ in
            Answer(pieces: { index in
                sent.count.withLock { $0 = index }
                return index < 16_384 ? piece : nil
            })
        }) { _, base, client in
            let found = try await failure { _ = try await refresh(base, HTTPClientTalk(client)) }
            #expect(found == .tooLarge(limit: 65_536))
            // What lies in the buffers between the two ends is counted too.
            #expect(sent.count.withLock { $0 } < 2048)
        }
    }

    @Test("a body that drips ends at the deadline, and may have taken effect")
    func drip() async throws {
        try await talking({ _, _ in
            Answer(pieces: { _ in
                // The drip is the server's; nobody here waits for it.
                try await Task.sleep(for: .milliseconds(50))
                return [0x20]
            })
        }) { server, base, client in
            let start = ContinuousClock.now
            let found = try await failure {
                _ = try await refresh(base, HTTPClientTalk(client), deadline: .milliseconds(500))
            }
            guard case .interrupted = found else {
                Issue.record("\(String(describing: found))")
                return
            }
            #expect(ContinuousClock.now - start < .seconds(10))
            #expect(await server.received.count == 1)
        }
    }

    @Test("what is compressed stays so: a bomb is a few bytes of garbage")
    func bomb() async throws {
        let gzip: [UInt8] = [0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0, 3] + Array(repeating: 0, count: 60_000)
        try await talking({ _, _ in
            Answer(body: gzip, headers: [(name: "Content-Encoding", value: "gzip")])
        }) { server, base, client in
            let reply = try await refresh(base, HTTPClientTalk(client))
            #expect(reply.body.count == gzip.count)
            #expect(await server.last?.header("Accept-Encoding") == nil)
            guard case .suspicious = verdict(reply, base, HTTPClientTalk(client)) else {
                Issue.record("taken for an answer")
                return
            }
        }
    }

    @Test("a byte order mark is skipped; a key that stands there twice makes the reply unusable")
    func encodings() async throws {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        try await talking({ _, count in
            count == 0
                ? Answer(body: mark + Answer.tokens.body)
                : .json("{\"access_token\":\"a\",\"access_token\":\"b\"}")
        }) { _, base, client in
            guard
                case .refreshed = verdict(
                    try await refresh(base, HTTPClientTalk(client)), base, HTTPClientTalk(client))
            else {
                Issue.record("the mark is not skipped")
                return
            }
            guard
                case .suspicious = verdict(
                    try await refresh(base, HTTPClientTalk(client)), base, HTTPClientTalk(client))
            else {
                Issue.record("one of two tokens was chosen")
                return
            }
        }
    }

    @Test("headers of more than 16 KiB are refused")
    func headers() async throws {
        let noise = (0..<20).map { (name: "X-Noise-\($0)", value: String(repeating: "x", count: 1000)) }
        try await talking({ _, _ in Answer(body: Answer.tokens.body, headers: noise) }) { _, base, client in
            let found = try await failure { _ = try await refresh(base, HTTPClientTalk(client)) }
            #expect(found == .tooLarge(limit: 16_384))
        }
    }

    @Test("what never connects was not sent, with its parameters in the query as well", arguments: [false, true])
    func neverConnected(_ inQuery: Bool) async throws {
        try await talking({ _, _ in .tokens }) { _, _, client in
            let profile = Fixtures.oauth2("http://127.0.0.1:1") { if inQuery { $0.parameterPlace = .query } }
            let found = try await failure {
                _ = try await RemoteProvider(profile, over: client)
                    .refresh(Secret(text: "rt"), consumer: Fixtures.consumer())
            }
            guard case .notSent = found else {
                Issue.record("\(String(describing: found))")
                return
            }
        }
    }

    @Test(
        "every endpoint lies on a pinned host, or nothing is sent there",
        arguments: ["token", "revoke", "introspect", "par", "device"])
    func pinned(_ endpoint: String) async throws {
        try await talking({ _, _ in .tokens }) { server, base, client in
            let evil = "https://evil.example/\(endpoint)"
            let profile = Fixtures.oauth2(base) {
                $0.token = evil
                $0.revocation = evil
                $0.introspection = evil
                $0.pushedAuthorization = evil
                $0.deviceAuthorization = evil
            }
            let (remote, consumer) = (RemoteProvider(profile, over: client), Fixtures.consumer())
            let found = try await failure {
                switch endpoint {
                case "token": _ = try await remote.refresh(Secret(text: "rt"), consumer: consumer)
                case "revoke": try await remote.revoke(Fixtures.tokens(), consumer: consumer)
                case "introspect": _ = try await remote.introspect(Fixtures.tokens(), consumer: consumer)
                case "par":
                    _ = try await remote.authorizationURL(
                        consumer: consumer, redirectURI: "http://127.0.0.1/", scopes: [], state: Secret(text: "s"),
                        challenge: "c")
                default: _ = try await remote.deviceAuthorization(consumer: consumer, scopes: [])
                }
            }
            #expect(found == .notPinned(host: "evil.example"))
            #expect(await server.received.isEmpty)
        }
    }
}

/// How far a server has come.
private final class Tally: Sendable {
    let count = Mutex(0)
}
