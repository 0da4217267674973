// No command goes out without a grant that covers it and that its provider still honours.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import Testing
import Vault

@Suite(.timeLimit(.minutes(1))) struct AuthorityTests {
    private func device() throws -> Device { try TestHome.device("front-door", 0) }

    @Test("a live grant gives authority under the hash of its access token")
    func honoured() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            let authority = try await home.keeper.authorise("lock.unlock", on: try device())
            let token = try await home.keeper.token(device: grant.device, minimumValidity: .zero)
            #expect(authority.grant == grant.id)
            #expect(authority.accessTokenHash == token.accessToken.reveal { HashFunction.sha256.digest($0) })
            #expect(await home.provider.count("/api") == 1)
        }
    }

    @Test("a token that is not honoured is refreshed once, and that is enough")
    func renewed() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            await home.provider.expireAccessTokens()
            let authority = try await home.keeper.authorise("lock.unlock", on: try device())
            #expect(authority.grant == grant.id)
            #expect(await home.provider.count("/api") == 2)
            #expect(await home.provider.count("/token") == 2)
        }
    }

    @Test("a grant that the provider does not honour any more needs approval again")
    func disowned() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            await home.provider.set("/api", .answering(401, ""))
            let refusal = await refusal { _ = try await home.keeper.authorise("lock.unlock", on: try device()) }
            #expect(refusal?.kind == .notAuthorised)
            #expect(try await home.record(grant.id).reason == "the provider no longer honours it")
            #expect(await home.provider.count("/token") == 2)
        }
    }

    @Test("an OAuth 1.0a token that the owner has revoked at the provider gives no authority")
    func disowned1() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted(at: home.legacy)
            await home.provider.revokeAll()
            let refusal = await refusal { _ = try await home.keeper.authorise("lock.unlock", on: try device()) }
            #expect(refusal?.kind == .notAuthorised)
            #expect(try await home.record(grant.id).state == .needsReauth)
        }
    }

    @Test("a wordless 401 may be about the hub's clock: the provider's own time is tried before anything else")
    func wrongClock() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted(at: home.legacy)
            await home.provider.setTaciturn(true)
            // The server's `Date` is the machine's.
            await home.provider.setClockSkew(Int(Date().timeIntervalSince(ManualClock.epoch)))
            #expect(try await home.keeper.authorise("lock.unlock", on: try device()).grant == grant.id)
            #expect(await home.provider.count("/oauth1/api") == 2)
            #expect(try await home.record(grant.id).state == .active)
        }
    }

    @Test("a second wordless 401, to a request with the provider's own time, is about the token")
    func wordless() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted(at: home.legacy)
            await home.provider.setTaciturn(true)
            await home.provider.revokeAll()
            let refusal = await refusal { _ = try await home.keeper.authorise("lock.unlock", on: try device()) }
            #expect(refusal?.kind == .notAuthorised)
            #expect(await home.provider.count("/oauth1/api") == 2)
            #expect(try await home.record(grant.id).state == .needsReauth)
        }
    }

    @Test(
        "a 401 for another reason than the token costs no grant",
        arguments: ["signature_invalid", "nonce_used", "consumer_key_unknown", "timestamp_refused"])
    func otherProblem(_ code: String) async throws {
        try await TestHome.with { home in
            let grant = try await home.granted(at: home.legacy)
            await home.provider.set("/oauth1/api", .answering(401, "oauth_problem=\(code)"))
            let refusal = await refusal { _ = try await home.keeper.authorise("lock.unlock", on: try device()) }
            #expect(refusal?.kind == .provider)
            #expect(try await home.record(grant.id).state == .active)
        }
    }

    @Test(
        "a provider that cannot answer gives no authority and costs no grant",
        arguments: [Mood.answering(503, ""), .answering(302, ""), .breakingOff, .answering(404, "")])
    func unclear(_ mood: Mood) async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            await home.provider.set("/api", mood)
            let refused = await refusal { _ = try await home.keeper.authorise("lock.unlock", on: try device()) }
            // A body that breaks off behind a 200 is no answer either.
            #expect(refused?.kind == .provider)
            #expect(try await home.record(grant.id).state == .active)
        }
    }

    @Test("each state of a grant is refused with its own sentence and next step")
    func states() async throws {
        try await TestHome.with { home in
            func message() async -> [String?] {
                let refusal = await refusal { _ = try await home.keeper.authorise("lock.unlock", on: try device()) }
                #expect(refusal?.kind == .notAuthorised)
                return [refusal?.message, refusal?.hint]
            }
            let again = "run 'keyholder grant request front-door' and approve it"
            #expect(await message() == ["no grant for device \"front-door\"", again])
            let name = try TestHome.name("front-door")
            let asked = try await home.keeper.request(device: name, operations: ["lock.lock"], by: .user("anna"))
            #expect(await message().first == "the grant for device \"front-door\" waits for approval")
            _ = try await home.keeper.redirected(
                provider: home.cloud, query: try await home.provider.approve(asked.page))
            #expect(
                await message() == [
                    "the grant for device \"front-door\" does not cover \"lock.unlock\"",
                    "it covers lock.lock@front-door; run 'keyholder grant request front-door'",
                ])
            _ = try await home.keeper.revoke(device: name, by: .user("anna"))
            #expect(
                await message() == ["the grant for device \"front-door\" was revoked: revoked by user:anna", again])
            #expect(await home.provider.count("/api") == 0)
        }
    }

    @Test("a device of the same name that was enrolled later inherits no grant")
    func namesake() async throws {
        try await TestHome.with { home in
            _ = try await home.granted()
            let namesake = try TestHome.device("front-door", 9)
            try await home.vault.write {
                try $0.setState(.removed, ofDevice: "device-0", at: ManualClock.epoch)
                try $0.insertDevice(namesake)
            }
            let refusals = [
                await refusal { _ = try await home.keeper.authorise("lock.unlock", on: namesake) },
                await refusal { _ = try await home.keeper.token(device: namesake.name, minimumValidity: .zero) },
            ]
            #expect(refusals.map { $0?.message } == Array(repeating: "no grant for device \"front-door\"", count: 2))
        }
    }

    @Test("requests are signed for the provider's own hosts only, and only with OAuth 1.0a")
    func signing() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted(at: home.legacy)
            let url = "http://127.0.0.1:\(home.port)/oauth1/api"
            let header = try await home.keeper.sign(device: grant.device, method: "GET", url: url, form: [])
                .authorization
            let received = OpinionatedProvider.Received(
                path: "/oauth1/api", method: "GET", authorization: header, contentType: nil, body: [], port: home.port)
            #expect(await home.provider.answer(received).status == 200)
            let elsewhere = await refusal {
                _ = try await home.keeper.sign(
                    device: grant.device, method: "GET", url: "https://evil.example/", form: [])
            }
            #expect(elsewhere?.message == "\"evil.example\" is not a host of provider \"legacy\"")
            let other = try await home.granted("back-door")
            let bearer = await refusal {
                _ = try await home.keeper.sign(device: other.device, method: "GET", url: url, form: [])
            }
            #expect(bearer?.kind == .usage)
        }
    }
}
