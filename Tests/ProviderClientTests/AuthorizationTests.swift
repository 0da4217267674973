// What the owner's browser carries, and what goes through the back channel instead.

import Delegation
import Foundation
import OAuth
import ProviderClient
import Sealing
import Testing

@Suite(.timeLimit(.minutes(1))) struct AuthorizationTests {
    private func url(
        _ remote: RemoteProvider, dpopKey: Secret? = nil, consumer: Consumer = Fixtures.consumer()
    ) async throws -> String {
        try await remote.authorizationURL(
            consumer: consumer, redirectURI: "http://127.0.0.1:8421/callback/cloud", scopes: ["a", "b"],
            state: Secret(text: "state-1"), challenge: "challenge-1", dpopKey: dpopKey)
    }

    private func query(_ url: String) throws -> [Parameter] {
        try FormCoding.parse(String(url.drop { $0 != "?" }.dropFirst()))
    }

    @Test("the browser carries the request with the profile's words in it, the profile's own coming last")
    func plain() async throws {
        try await talking({ _, _ in .tokens }) { server, base, client in
            let profile = Fixtures.oauth2(base, separator: ",") {
                $0.clientIDParameter = "clientid"
                $0.resources = ["https://api.example", "https://other.example"]
                $0.extraAuthorizationParameters = ["access_type": "offline", "response_type": "kode"]
            }
            let asked = try query(try await url(RemoteProvider(profile, over: client)))
            #expect(asked.first("clientid") == "client" && asked.first("client_id") == nil)
            #expect(asked.all("response_type") == ["kode"])
            #expect(asked.first("scope") == "a,b" && asked.first("state") == "state-1")
            #expect(asked.first("code_challenge") == "challenge-1" && asked.first("code_challenge_method") == "S256")
            #expect(asked.all("resource") == ["https://api.example", "https://other.example"])
            #expect(asked.first("access_type") == "offline" && asked.first("dpop_jkt") == nil)
            #expect(await server.received.isEmpty)
        }
    }

    @Test("a code is bound to the grant's key where the profile has DPoP, and only there", arguments: [true, false])
    func thumbprint(_ usesDPoP: Bool) async throws {
        try await talking({ _, _ in .tokens }) { _, base, client in
            let key = try RemoteProvider.generateDPoPKey()
            let remote = RemoteProvider(Fixtures.oauth2(base) { $0.usesDPoP = usesDPoP }, over: client)
            let thumbprint = try query(try await url(remote, dpopKey: key)).first("dpop_jkt")
            let (_, proof) = try remote.proofOfPossession(
                "GET", "\(base)/token", tokens: Fixtures.tokens(dpopKey: key))
            let proved = try DPoPProof.verify(
                [proof], method: "GET", url: "\(base)/token", accessToken: Secret(text: "at"),
                now: Int(Date().timeIntervalSince1970))
            #expect(thumbprint == (usesDPoP ? proved.thumbprint : nil))
        }
    }

    @Test("a pushed request goes through the back channel, and the browser carries its name only")
    func pushed() async throws {
        try await talking({ request, _ in
            .json("{\"request_uri\":\"urn:ietf:params:oauth:request_uri:x 1\",\"expires_in\":60}", status: 201)
        }) { server, base, client in
            let profile = Fixtures.oauth2(base) { $0.pushedAuthorization = "\(base)/par" }
            let found = try await failure { _ = try await url(RemoteProvider(profile, over: client)) }
            #expect(found == .unusable(.malformed("request_uri")))
            #expect(await server.paths == ["/par"])
        }
        try await talking({ request, _ in
            .json("{\"request_uri\":\"urn:ietf:params:oauth:request_uri:x1\",\"expires_in\":\"60\"}", status: 201)
        }) { server, base, client in
            let profile = Fixtures.oauth2(base, .post) {
                $0.pushedAuthorization = "\(base)/par"
                $0.clientIDParameter = "clientid"
            }
            let address = try await url(RemoteProvider(profile, over: client))
            #expect(
                try query(address) == [
                    Parameter("clientid", "client"),
                    Parameter("request_uri", "urn:ietf:params:oauth:request_uri:x1"),
                ])
            let request = try #require(await server.last)
            #expect(request.method == "POST" && request.path == "/par")
            #expect(request.form.all("client_id") == ["client"] && request.form.first("client_secret") == "secret")
            #expect(request.form.first("state") == "state-1" && request.form.first("response_type") == "code")
            #expect(request.form.first("request_uri") == nil)
        }
    }

    @Test("a refused push is the provider's refusal, and no request goes through the browser")
    func refusedPush() async throws {
        try await talking({ _, _ in .error("invalid_request") }) { _, base, client in
            let profile = Fixtures.oauth2(base) { $0.pushedAuthorization = "\(base)/par" }
            let found = try await failure { _ = try await url(RemoteProvider(profile, over: client)) }
            #expect(found == .refused(status: 400, code: "invalid_request"))
        }
    }

    @Test("the page lies on a pinned host, or nobody is sent there")
    func pinned() async throws {
        try await talking({ _, _ in .tokens }) { _, base, client in
            let profile = Fixtures.oauth2(base) { $0.authorization = "https://evil.example/authorize" }
            let found = try await failure { _ = try await url(RemoteProvider(profile, over: client)) }
            #expect(found == .notPinned(host: "evil.example"))
            let none = Fixtures.oauth2(base) { $0.authorization = nil }
            let missing = try await failure { _ = try await url(RemoteProvider(none, over: client)) }
            #expect(missing == .notOffered("authorization endpoint"))
        }
    }
}
