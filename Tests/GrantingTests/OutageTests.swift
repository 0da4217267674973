// A provider that is away is asked seldom, by all grants together, and forgotten as soon as it is back.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded, .serialized) struct OutageTests {
    private static let unavailable = Mood.answering(503, "")

    @Test("C22: twenty grants in a storm of a day cost a request every ten minutes, and one success wakes them all")
    func storm() async throws {
        try await TestHome.with(rotation: .none) { home in
            let devices = try await home.seed(20)
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", Self.unavailable)
            for step in 0..<288 {
                _ = try? await home.token(devices[step % 20])
                home.clock.advance(by: .seconds(300))
            }
            let asked = await home.provider.count("/token")
            #expect((80...160).contains(asked))
            // A storm is a line for each grant, not one for each attempt.
            #expect(try await home.audit().count { $0.outcome == "failed" } <= 20)
            #expect(try await home.kindsTold().isEmpty)
            await home.provider.set("/token", .obliging)
            home.clock.advance(by: .seconds(900))
            for device in devices { #expect(try await home.token(device).expiresIn == 3600) }
            #expect(await home.provider.count("/token") == asked + 20)
        }
    }

    @Test("C22: after a storm the grants come back one after another, not as a herd")
    func recovery() async throws {
        try await TestHome.with(rotation: .none, deadline: .seconds(120)) { home in
            home.cloud(.none, profile: { $0.refreshesPerMinute = 20 })
            _ = try await home.seed(40)
            await home.provider.set("/token", Self.unavailable)
            home.clock.advance(by: .seconds(3601))
            try await running(home.keeper) {
                await home.provider.waitForRequests("/token", count: 1)
                try await home.takeTurns()
                let stormy = await home.provider.count("/token")
                // Those that were under way together, and no more.
                #expect(stormy <= 4)
                await home.provider.set("/token", .obliging)
                await home.pass(.seconds(60))
                await home.provider.waitForRequests("/token", count: stormy + 6)
                try await home.takeTurns()
                #expect(await home.provider.count("/token") <= stormy + 6)
                for step in 1...11 {
                    await home.pass(.seconds(9))
                    await home.provider.waitForRequests("/token", count: min(stormy + 40, stormy + 6 + 3 * step))
                    try await home.takeTurns()
                    #expect(await home.provider.count("/token") <= stormy + 6 + 3 * step)
                }
                await home.pass(.seconds(20))
                await home.provider.waitForRequests("/token", count: stormy + 40)
            }
            #expect(await home.provider.mostAtOnce <= 4)
        }
    }

    @Test("what never left is tried every ten seconds at least, leaves nothing open, and is well when the network is")
    func notSent() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            home.cloud(endpoints: { $0.token = "http://127.0.0.1:1/token" })
            for failures in 1...12 {
                #expect(await refusal { _ = try await home.token(grant.device) }?.kind == .provider)
                let health = try await home.keeper.health(of: grant.id)
                #expect(health.failures == failures)
                #expect(health.verdict == .transient)
                #expect((1...10).contains(try #require(health.nextAttempt)))
                #expect(try await home.vault.read { try $0.openRefresh(of: grant.id) } == nil)
                home.clock.advance(by: .seconds(10))
            }
            home.cloud()
            #expect(try await home.token(grant.device).expiresIn == 3600)
            #expect(try await home.keeper.health(of: grant.id).verdict == .well)
            #expect(try await home.kindsTold().isEmpty)
        }
    }

    @Test("Retry-After counts for every grant at the provider, and for no other provider")
    func shared() async throws {
        try await TestHome.with(rotation: .none) { home in
            let other = try await home.addOther(.none)
            let devices = try await home.seed(3)
            let elsewhere = try await home.granted("back-door", at: other).device
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .answering(429, "", headers: ["Retry-After": "300"]))
            for device in devices { _ = await refusal { _ = try await home.token(device) } }
            #expect(await home.provider.count("/token") == 1)
            #expect(try await home.token(elsewhere).expiresIn == 3600)
            await home.provider.set("/token", .obliging)
            home.clock.advance(by: .seconds(299))
            for device in devices { _ = await refusal { _ = try await home.token(device) } }
            #expect(await home.provider.count("/token") == 1)
            home.clock.advance(by: .seconds(1))
            for device in devices { #expect(try await home.token(device).expiresIn == 3600) }
        }
    }

    struct Wait: Sendable, CustomTestStringConvertible {
        let value: String?
        let seconds: Int
        var testDescription: String { value ?? "none" }
    }

    @Test(
        "C21: a 429 waits as Retry-After says, in seconds or as a date, and never more than an hour",
        arguments: [
            Wait(value: "77", seconds: 77), Wait(value: "Fri, 15 Jan 2027 09:02:01 GMT", seconds: 120),
            Wait(value: "999999999999999999999", seconds: 3600), Wait(value: "86400", seconds: 3600),
            Wait(value: "Fri, 15 Jan 2038 09:02:01 GMT", seconds: 3600), Wait(value: "-5", seconds: 3),
            Wait(value: "0", seconds: 3), Wait(value: "soon", seconds: 3), Wait(value: "", seconds: 3),
            Wait(value: "Thu, 01 Jan 1970 00:00:00 GMT", seconds: 3), Wait(value: nil, seconds: 3),
        ])
    func retryAfter(_ one: Wait) async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            await home.provider.set(
                "/token", .answering(429, "", headers: one.value.map { ["Retry-After": $0] } ?? [:]))
            _ = await refusal { _ = try await home.token(grant.device) }
            await home.provider.set("/token", .obliging)
            home.clock.advance(by: .seconds(one.seconds - 1))
            _ = await refusal { _ = try await home.token(grant.device) }
            #expect(await home.provider.count("/token") == 2)
            home.clock.advance(by: .seconds(1))
            #expect(try await home.token(grant.device).expiresIn == 3600)
        }
    }
}
