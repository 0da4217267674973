// Proofs of possession towards an authorisation server and an API, whose nonces are two different things.

import AsyncHTTPClient
import Delegation
import OAuth
import ProviderClient
import Sealing
import Testing

@Suite(.timeLimit(.minutes(1))) struct DPoPTests {
    private let key: Secret

    init() throws { key = try RemoteProvider.generateDPoPKey() }

    /// The nonce of the request's one proof, which must be good for the request.
    private static func nonce(_ request: Received, token: String? = nil) throws -> String? {
        try DPoPProof.verify(
            request.all("DPoP"), method: request.method, url: "\(request.base)\(request.path)?any=1",
            accessToken: token.map { Secret(text: $0) }, now: Fixtures.seconds
        ).nonce
    }

    private func remote(_ base: String, _ memory: ProviderMemory, _ talk: HTTPClientTalk) -> RemoteProvider {
        RemoteProvider(
            Fixtures.oauth2(base, .none, validation: "\(talk.api ?? base)/api") { $0.usesDPoP = true },
            over: talk.client, memory: memory, now: { Fixtures.epoch })
    }

    private static func wanting(_ nonce: String, _ request: Received, status: Int = 400) throws -> Answer? {
        guard try self.nonce(request) != nonce else { return nil }
        return .error("use_dpop_nonce", status: status, headers: [("DPoP-Nonce", nonce)])
    }

    @Test("the nonce an authorisation server asks for is used at once, and remembered", arguments: [400, 401])
    func asked(_ status: Int) async throws {
        try await talking({ request, _ in try Self.wanting("as-1", request, status: status) ?? .tokens }) {
            server, base, client in
            let remote = remote(base, ProviderMemory(), HTTPClientTalk(client))
            for _ in 0..<2 {
                let reply = try await remote.refresh(
                    Secret(text: "rt"), consumer: Fixtures.consumer(), dpopKey: key)
                #expect(reply.status == 200)
            }
            let requests = await server.received
            #expect(try requests.map { try Self.nonce($0) } == [nil, "as-1", "as-1"])
            #expect(Set(requests.flatMap { $0.all("DPoP") }).count == 3)
        }
    }

    @Test("a nonce that comes with a success is the next one to be used")
    func rotated() async throws {
        try await talking({ _, count in
            var answer = Answer.tokens
            answer.headers = [(name: "DPoP-Nonce", value: "n-\(count)")]
            return answer
        }) { server, base, client in
            let memory = ProviderMemory()
            for _ in 0..<3 {
                // Another value each time: what is learned is in the memory.
                let reply = try await remote(base, memory, HTTPClientTalk(client)).exchange(
                    code: Secret(text: "c"), verifier: Secret(text: "v"), redirectURI: "http://127.0.0.1/",
                    consumer: Fixtures.consumer(), dpopKey: key)
                #expect(reply.dpopNonce != nil)
            }
            #expect(try await server.received.map { try Self.nonce($0) } == [nil, "n-0", "n-1"])
        }
    }

    @Test("a server that always wants another nonce gets two requests and no more")
    func loop() async throws {
        try await talking({ _, count in
            .error("use_dpop_nonce", headers: [("DPoP-Nonce", "n-\(count)")])
        }) { server, base, client in
            let reply = try await remote(base, ProviderMemory(), HTTPClientTalk(client)).refresh(
                Secret(text: "rt"), consumer: Fixtures.consumer(former: ["old"]), dpopKey: key)
            #expect(reply.status == 400)
            #expect(await server.received.count == 2)
        }
    }

    @Test("an assertion is good for one request, so the second one has another")
    func assertions() async throws {
        try await talking({ request, _ in try Self.wanting("as-1", request) ?? .tokens }) { server, base, client in
            let profile = Fixtures.oauth2(base, .privateKeyJWT) { $0.usesDPoP = true }
            let remote = RemoteProvider(profile, over: client, now: { Fixtures.epoch })
            let reply = try await remote.refresh(
                Secret(text: "rt"), consumer: Fixtures.consumer(secret: key.revealText()), dpopKey: key)
            #expect(reply.status == 200)
            let assertions = await server.received.compactMap { $0.form.first("client_assertion") }
            #expect(assertions.count == 2 && Set(assertions).count == 2)
        }
    }

    @Test("a demand without a nonce, and one no proof could hold, change nothing", arguments: [nil, "a\"b", "a b"])
    func unusable(_ nonce: String?) async throws {
        try await talking({ _, _ in
            .error("use_dpop_nonce", headers: nonce.map { [("DPoP-Nonce", $0)] } ?? [])
        }) { server, base, client in
            _ = try await remote(base, ProviderMemory(), HTTPClientTalk(client)).refresh(
                Secret(text: "rt"), consumer: Fixtures.consumer(), dpopKey: key)
            #expect(try await server.received.allSatisfy { try Self.nonce($0) == nil })
            #expect(await server.received.count <= 2)
        }
    }

    @Test("an API's nonce is not the authorisation server's, and an API is asked twice at most")
    func separate() async throws {
        try await talking({ request, count in
            let nonce = try Self.nonce(request, token: "at")
            #expect(nonce == (count == 0 ? nil : "rs-1"))
            #expect(request.header("Authorization") == "DPoP at")
            guard count == 0 else { return .json("{}") }
            return Answer(
                status: 401,
                headers: [
                    (name: "WWW-Authenticate", value: "DPoP error=\"use_dpop_nonce\""),
                    (name: "DPoP-Nonce", value: "rs-1"),
                ])
        }) { api, apiBase, _ in
            try await talking({ request, _ in try Self.wanting("as-1", request) ?? .tokens }) {
                server, base, client in
                let remote = remote(base, ProviderMemory(), HTTPClientTalk(client, api: apiBase))
                let tokens = Fixtures.tokens(dpopKey: key, type: "DPoP")
                _ = try await remote.refresh(Secret(text: "rt"), consumer: Fixtures.consumer(), dpopKey: key)
                #expect(try await remote.validate(tokens, consumer: Fixtures.consumer()) == .honoured)
                _ = try await remote.refresh(Secret(text: "rt"), consumer: Fixtures.consumer(), dpopKey: key)
                #expect(try await server.received.map { try Self.nonce($0) } == [nil, "as-1", "as-1"])
                #expect(await api.received.count == 2)
                let (authorization, proof) = try remote.proofOfPossession("PUT", "\(apiBase)/lock", tokens: tokens)
                #expect(authorization.revealText() == "DPoP at")
                let proved = try DPoPProof.verify(
                    [proof], method: "PUT", url: "\(apiBase)/lock", accessToken: Secret(text: "at"),
                    now: Fixtures.seconds)
                #expect(proved.nonce == "rs-1")
            }
        }
    }

    @Test("an API that refuses proof after proof says nothing about the token")
    func endlessAPI() async throws {
        try await talking({ _, count in
            Answer(
                status: 401,
                headers: [
                    (name: "WWW-Authenticate", value: "DPoP error=\"use_dpop_nonce\""),
                    (name: "DPoP-Nonce", value: "n-\(count)"),
                ])
        }) { server, base, client in
            let remote = remote(base, ProviderMemory(), HTTPClientTalk(client))
            let tokens = Fixtures.tokens(dpopKey: key, type: "DPoP")
            let answer = try await remote.validate(tokens, consumer: Fixtures.consumer())
            #expect(answer == .unclear(status: 401))
            #expect(await server.received.count == 2)
        }
    }

    @Test("a proof is for pinned hosts, and for grants that have a key")
    func refused() async throws {
        try await talking({ _, _ in .tokens }) { _, base, client in
            let remote = remote(base, ProviderMemory(), HTTPClientTalk(client))
            #expect(throws: ProviderFailure.notPinned(host: "evil.example")) {
                try remote.proofOfPossession(
                    "GET", "https://evil.example/", tokens: Fixtures.tokens(dpopKey: key))
            }
            #expect(throws: ProviderFailure.notOffered("key that this grant is bound to")) {
                try remote.proofOfPossession("GET", "\(base)/api", tokens: Fixtures.tokens())
            }
            #expect(throws: ProviderFailure.notPinned(host: "evil.example")) {
                try remote.learn(nonce: "n", from: "https://evil.example/")
            }
        }
    }

    @Test("a grant's key is a PKCS#8 P-256 key that openssl reads, and another one each time")
    func generated() async throws {
        let pem = key.revealText()
        #expect(pem.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        #expect(try RemoteProvider.generateDPoPKey().revealText() != pem)
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        try folder.write(pem, to: "key.pem")
        let text = try await folder.run(["openssl", "pkey", "-in", "key.pem", "-noout", "-text"])
        #expect(text.contains("prime256v1"))
        #expect(pem.split(separator: "\n").allSatisfy { $0.utf8.count <= 64 })
    }
}

/// A client, and where the API is when that is another server.
struct HTTPClientTalk {
    let client: HTTPClient
    let api: String?

    init(_ client: HTTPClient, api: String? = nil) {
        self.client = client
        self.api = api
    }
}
