// Digest as Philips Hue has it: the challenge first, with nothing in hand that a server could use up.

import Delegation
import OAuth
import ProviderClient
import Sealing
import Testing

@Suite(.timeLimit(.minutes(1))) struct DigestTests {
    private let realm = "oauth2_client@api.meethue.com"

    private func challenge(_ nonce: String, _ more: String = "") -> Answer {
        Answer(
            status: 401,
            headers: [(name: "WWW-Authenticate", value: "Digest realm=\"\(realm)\", nonce=\"\(nonce)\"\(more)")])
    }

    private func md5(_ text: String) -> String { Hex.encode(HashFunction.md5.digest(text.utf8)) }

    /// The answer as public clients of the vendor compute it.
    private func expected(_ nonce: String, _ path: String, secret: String = "secret") -> String {
        md5("\(md5("client:\(realm):\(secret)")):\(nonce):\(md5("POST:\(path)"))")
    }

    private func field(_ name: String, _ request: Received) -> String? {
        request.header("Authorization")?.split(separator: ", ").lazy.map { $0.split(separator: "=", maxSplits: 1) }
            .first { $0[0].hasSuffix(name) }.map { $0[1].filter { $0 != "\"" } }
    }

    @Test("the first request is empty, the second answers its challenge", arguments: [false, true])
    func twoSteps(_ inQuery: Bool) async throws {
        try await talking({ request, count in count == 0 ? challenge("n-1") : .tokens }) { server, base, client in
            let profile = Fixtures.oauth2(base, .digest) { if inQuery { $0.parameterPlace = .query } }
            let reply = try await RemoteProvider(profile, over: client).refresh(
                Secret(text: "rt"), consumer: Fixtures.consumer())
            #expect(reply.status == 200)
            let requests = await server.received
            #expect(requests.count == 2)
            #expect(requests[0].body.isEmpty && requests[0].query.isEmpty && requests[0].header("Authorization") == nil)
            #expect(field("username", requests[1]) == "client")
            #expect(field("uri", requests[1]) == "/token")
            #expect(field("response", requests[1]) == expected("n-1", "/token"))
            let sent = inQuery ? requests[1].parameters : requests[1].form
            #expect(sent.first("refresh_token") == "rt")
            #expect(sent.first("client_secret") == nil && sent.first("client_id") == nil)
        }
    }

    @Test("with a qop the whole target is hashed, as RFC 7616 has it")
    func quality() async throws {
        try await talking({ request, count in count == 0 ? challenge("n-1", ", qop=\"auth\"") : .tokens }) {
            server, base, client in
            let profile = Fixtures.oauth2(base, .digest) { $0.parameterPlace = .query }
            _ = try await RemoteProvider(profile, over: client).refresh(
                Secret(text: "rt"), consumer: Fixtures.consumer())
            let request = try #require(await server.last)
            let target = "/token?\(request.query)"
            #expect(field("uri", request)?.hasPrefix("/token?grant_type") == true)
            let cnonce = try #require(field("cnonce", request))
            let wanted = md5(
                "\(md5("client:\(realm):secret")):n-1:00000001:\(cnonce):auth:\(md5("POST:\(target)"))")
            #expect(request.header("Authorization")?.contains("response=\"\(wanted)\"") == true)
        }
    }

    @Test("a challenge that grew old is answered once more, and never a third time")
    func stale() async throws {
        try await talking({ _, count in challenge("n-\(count)", count > 0 ? ", stale=true" : "") }) {
            server, base, client in
            let reply = try await RemoteProvider(Fixtures.oauth2(base, .digest), over: client).refresh(
                Secret(text: "rt"), consumer: Fixtures.consumer())
            #expect(reply.status == 401)
            #expect(await server.received.map { field("nonce", $0) } == [nil, "n-0", "n-1"])
        }
    }

    @Test("a refused answer is a refused secret, so the former one is tried with the newest challenge")
    func former() async throws {
        try await talking({ request, count in
            field("response", request) == expected("n-1", "/token", secret: "old") ? .tokens : challenge("n-\(count)")
        }) { server, base, client in
            let reply = try await RemoteProvider(Fixtures.oauth2(base, .digest), over: client).refresh(
                Secret(text: "rt"), consumer: Fixtures.consumer(former: ["old"]))
            #expect(reply.status == 200 && reply.usedSecret == 1)
            #expect(await server.received.count == 3)
        }
    }

    @Test("while there is no challenge the token stays here", arguments: [200, 400, 401, 503])
    func noChallenge(_ status: Int) async throws {
        try await talking({ _, _ in .error("temporarily_unavailable", status: status) }) { server, base, client in
            let found = try await failure {
                _ = try await RemoteProvider(Fixtures.oauth2(base, .digest), over: client).refresh(
                    Secret(text: "rt"), consumer: Fixtures.consumer())
            }
            #expect(found == .refused(status: status, code: nil))
            #expect(found?.mayHaveTakenEffect == false)
            #expect(await server.received.count == 1)
        }
    }

    @Test("a silence after the empty request means that nothing was sent")
    func silentChallenge() async throws {
        let (held, release) = AsyncStream<Void>.makeStream()
        try await talking({ _, _ in
            for await _ in held {}
            return .tokens
        }) { _, base, client in
            let remote = RemoteProvider(
                Fixtures.oauth2(base, .digest), over: client, deadline: .milliseconds(200))
            let found = try await failure {
                _ = try await remote.refresh(Secret(text: "rt"), consumer: Fixtures.consumer())
            }
            release.finish()
            guard case .notSent = found else {
                Issue.record("\(String(describing: found))")
                return
            }
        }
    }
}
