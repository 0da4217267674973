// One refresh at a time for each grant, and nobody who holds a live token waits for it.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(1))) struct RefreshTests {
    private static let minute = Duration.seconds(60)

    @Test(
        "fifty callers at once cause one request to the provider and get the same token",
        arguments: [OAuth2Endpoints.Rotation.strict, .none])
    func singleFlight(_ rotation: OAuth2Endpoints.Rotation) async throws {
        try await TestHome.with(rotation: rotation) { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3590))
            let device = grant.device
            let tokens = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await home.keeper.token(device: device, minimumValidity: Self.minute)
                            .accessToken.revealText()
                    }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(tokens.count == 1)
            #expect(await home.provider.count("/token") == 2)
            #expect(try await home.record(grant.id).generation == 2)
        }
    }

    @Test("a token that still lives is handed out while a refresh hangs")
    func hanging() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3000))
            await home.provider.set("/token", .hanging)
            try await running(home.keeper) {
                await home.provider.waitForRequests("/token", count: 2)
                let token = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
                #expect(token.expiresIn == 600)
                await home.provider.release()
            }
        }
    }

    @Test("the loop refreshes before expiry, without being asked")
    func loop() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            try await running(home.keeper) {
                home.clock.advance(by: .seconds(2885))
                _ = try await home.grant(grant.id) { $0.generation == 2 }
            }
            #expect(await home.provider.count("/token") == 2)
        }
    }

    @Test("a dead grant needs approval again, and no other grant is touched")
    func invalidGrant() async throws {
        try await TestHome.with { home in
            let front = try await home.granted("front-door")
            await home.provider.revokeAll()
            let back = try await home.granted("back-door")
            home.clock.advance(by: .seconds(3590))
            let refusal = await refusal {
                _ = try await home.keeper.token(device: front.device, minimumValidity: Self.minute)
            }
            #expect(refusal?.kind == .notAuthorised)
            #expect(try await home.record(front.id).state == .needsReauth)
            #expect(try await home.audit().last?.outcome == "needs_reauth")
            let token = try await home.keeper.token(device: back.device, minimumValidity: Self.minute)
            #expect(token.expiresIn == 3600)
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let mood: Mood
        /// Requests that one call makes.
        let requests: Int
        let state: Grant.State
        /// Seconds after which another call asks again; `nil` when it never does.
        let rest: Int?
        var testDescription: String { "\(mood)" }
    }

    @Test(
        "each answer of a token endpoint has its own consequence",
        arguments: [
            Case(mood: .answering(400, "{\"error\":\"invalid_grant\"}"), requests: 1, state: .needsReauth, rest: nil),
            Case(mood: .answering(401, "{\"error\":\"invalid_client\"}"), requests: 1, state: .active, rest: 3600),
            Case(mood: .answering(400, "{\"error\":\"invalid_scope\"}"), requests: 1, state: .active, rest: 3600),
            Case(mood: .answering(403, ""), requests: 1, state: .active, rest: 3600),
            Case(mood: .answering(400, ""), requests: 1, state: .active, rest: 450),
            Case(mood: .answering(401, ""), requests: 1, state: .active, rest: 450),
            Case(mood: .answering(500, "oops"), requests: 1, state: .active, rest: 3),
            Case(mood: .answering(503, "", headers: ["Retry-After": "120"]), requests: 1, state: .active, rest: 120),
            Case(mood: .answering(429, "", headers: ["Retry-After": "77"]), requests: 1, state: .active, rest: 77),
            Case(
                mood: .answering(429, "", headers: ["Retry-After": "999999"]), requests: 1, state: .active, rest: 3600),
            Case(mood: .answering(200, "<html>login</html>"), requests: 1, state: .active, rest: 3),
            Case(mood: .answering(200, ""), requests: 1, state: .active, rest: 3),
            Case(mood: .answering(302, "", headers: ["Location": "/api"]), requests: 1, state: .active, rest: 3),
            Case(mood: .huge(1 << 20), requests: 1, state: .active, rest: 3),
            Case(mood: .breakingOff, requests: 1, state: .active, rest: 3),
        ])
    func table(_ one: Case) async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", one.mood)
            let asked = await home.provider.count("/token")
            let refused = await refusal {
                _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
            }
            #expect(refused?.kind == (one.rest == nil ? .notAuthorised : .provider))
            #expect(await home.provider.count("/token") == asked + one.requests)
            #expect(try await home.record(grant.id).state == one.state)
            guard let rest = one.rest else { return }
            #expect(try await home.vault.read { try $0.tokens(of: grant.id) }?.refreshToken != nil)
            await home.provider.set("/token", .obliging)
            home.clock.advance(by: .seconds(rest - 1))
            _ = await refusal { _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute) }
            #expect(await home.provider.count("/token") == asked + one.requests)
            home.clock.advance(by: .seconds(1))
            _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
            #expect(try await home.record(grant.id).generation == 2)
        }
    }

    @Test("an answer that only looks like a dead grant is believed the third time, a quarter of an hour later")
    func doubts() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .answering(400, ""))
            for state in [Grant.State.active, .active, .needsReauth] {
                _ = await refusal {
                    _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
                }
                #expect(try await home.record(grant.id).state == state)
                home.clock.advance(by: .seconds(450))
            }
        }
    }

    @Test("a caller who goes away does not stop the refresh")
    func cancelledCaller() async throws {
        try await TestHome.with(rotation: .none) { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .hanging)
            let caller = Task { try await home.keeper.token(device: grant.device, minimumValidity: Self.minute) }
            await home.provider.waitForRequests("/token", count: 2)
            caller.cancel()
            await home.provider.release()
            _ = await caller.result
            // 503 reaches the keeper, so it is still listening.
            for await _ in home.vault.changes() {
                if try await home.audit().last?.detail["reason"]?.string == "not available" { break }
            }
        }
    }

    @Test("a new consumer secret ends the rest of a refused consumer")
    func mended() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .answering(401, "{\"error\":\"invalid_client\"}"))
            _ = await refusal { _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute) }
            await home.provider.set("/token", .obliging)
            try await home.keeper.addConsumer(
                provider: home.cloud, key: OpinionatedProvider.consumerKey,
                secret: Secret(text: OpinionatedProvider.consumerSecret), by: .user("anna"))
            _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
        }
    }

    @Test("revoking ends the tokens here and at the provider")
    func revoked() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            let end = try await home.keeper.revoke(device: grant.device, by: .user("anna"))
            #expect(end.grant.state == .revoked)
            #expect(end.providerError == nil)
            #expect(await home.provider.revoked.count == 1)
            let tokens = try await home.vault.read { try $0.tokens(of: grant.id) }
            #expect(tokens == nil)
        }
    }

    @Test("a grant that is revoked during its refresh stays revoked, and the new tokens are ended at the provider")
    func revokedMeanwhile() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .pausing)
            let device = grant.device
            async let refused = refusal {
                _ = try await home.keeper.token(device: device, minimumValidity: Self.minute)
            }
            await home.provider.waitForRequests("/token", count: 2)
            // Told or not, the provider goes on and rotates.
            await home.provider.set("/revoke", .answering(503, ""))
            _ = try await home.keeper.revoke(device: device, by: .user("anna"))
            await home.provider.release()
            #expect(await refused?.kind == .notAuthorised)
            let record = try await home.record(grant.id)
            #expect(record.state == .revoked)
            #expect(record.generation == 1)
            await home.provider.waitForRequests("/revoke", count: 2)
        }
    }

    @Test(
        "refreshes of rotating providers go one after another, all others side by side",
        arguments: [(OAuth2Endpoints.Rotation.strict, 1), (.unknown, 1), (.none, 2)])
    func oneAtATime(_ rotation: OAuth2Endpoints.Rotation, _ expected: Int) async throws {
        try await TestHome.with(rotation: rotation) { home in
            let devices = [try await home.granted("front-door").device, try await home.granted("back-door").device]
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", .pausing)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for device in devices {
                    group.addTask { _ = try await home.keeper.token(device: device, minimumValidity: Self.minute) }
                }
                await home.provider.waitForRequests("/token", count: expected == 1 ? 3 : 4)
                // Enough turns of keeper and store for a second one to get as far as it can.
                for _ in 0..<50 { _ = try await home.keeper.grants() }
                await home.provider.release()
                await home.provider.waitForRequests("/token", count: 4)
                await home.provider.release()
                try await group.waitForAll()
            }
            #expect(await home.provider.mostAtOnce == expected)
        }
    }

    @Test("a provider that cannot be told does not keep the owner from revoking")
    func revocationFails() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            await home.provider.set("/revoke", .answering(503, ""))
            let end = try await home.keeper.revoke(device: grant.device, by: .user("anna"))
            #expect(end.grant.state == .revoked)
            #expect(end.providerError == "the provider refused (status 503)")
            #expect(try await home.audit().last?.outcome == "not_told")
        }
    }

    @Test("the loop waits while the vault is sealed, and goes on when it is opened")
    func sealed() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.vault.seal()
            home.clock.advance(by: .seconds(3601))
            let refusal = await refusal {
                _ = try await home.keeper.token(device: grant.device, minimumValidity: Self.minute)
            }
            #expect(refusal?.kind == .sealed)
            try await running(home.keeper) {
                #expect(await home.provider.count("/token") == 1)
                try await home.vault.unseal(with: TestHome.key)
                _ = try await home.grant(grant.id) { $0.generation == 2 }
            }
        }
    }
}
