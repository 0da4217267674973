// A hub that waits for a code to be typed in elsewhere asks no more often than it was told, over restarts too.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded) struct DeviceFlowTests {
    private func with(
        answers: [String] = [], _ body: @Sendable @escaping (TestHome, GrantRequest) async throws -> Void
    ) async throws {
        try await TestHome.with(deadline: .seconds(120)) { home in
            let base = home.base
            home.cloud(endpoints: { $0.deviceAuthorization = "\(base)/device" })
            await home.provider.change { $0.pollAnswers = answers }
            try await running(home.keeper) { try await body(home, try await Self.asked(home)) }
        }
    }

    private static func asked(_ home: TestHome, _ device: String = "front-door") async throws -> GrantRequest {
        try await home.keeper.request(device: try TestHome.name(device), flow: .device, by: .user("anna"))
    }

    /// Waits until the hub waits for that long, and lets the time pass.
    private func poll(_ home: TestHome, after seconds: Int, count: Int) async throws {
        await home.clock.waitForSleeper(lasting: .seconds(seconds))
        #expect(await home.provider.count("/token") == count - 1)
        home.clock.advance(by: .seconds(seconds))
        await home.provider.waitForRequests("/token", count: count)
    }

    @Test("C29: the owner sees the code as it came, and an approval makes the grant active")
    func approved() async throws {
        try await with { home, asked in
            #expect(asked.grant.flow == .device)
            #expect(asked.authorizeURL == nil)
            #expect(asked.prompt?.userCode == "WDJB-MJHT")
            #expect(asked.prompt?.verificationURI == "https://issuer.example/device")
            try await poll(home, after: 5, count: 1)
            await home.provider.approveDevices()
            try await poll(home, after: 5, count: 2)
            let grant = try await home.grant(asked.grant.id) { $0.state == .active }
            #expect(grant.scopes == ["lock.lock@front-door", "lock.unlock@front-door"])
            #expect(try await home.token(grant.device).expiresIn == 3600)
            home.clock.advance(by: .seconds(60))
            try await home.takeTurns()
            #expect(await home.provider.count("/token") == 2)
        }
    }

    @Test("C29: slow_down adds five seconds for good, each time")
    func slowDown() async throws {
        try await with(answers: ["authorization_pending", "slow_down", "authorization_pending", "slow_down"]) {
            home, asked in
            for (number, seconds) in [5, 5, 10, 10, 15].enumerated() {
                try await poll(home, after: seconds, count: number + 1)
            }
            await home.clock.waitForSleeper(lasting: .seconds(15))
            await home.provider.approveDevices()
            home.clock.advance(by: .seconds(15))
            _ = try await home.grant(asked.grant.id) { $0.state == .active }
        }
    }

    @Test("C29: a restart goes on asking, no faster than before")
    func restart() async throws {
        try await TestHome.with(deadline: .seconds(120)) { home in
            let base = home.base
            home.cloud(endpoints: { $0.deviceAuthorization = "\(base)/device" })
            await home.provider.change { $0.pollAnswers = ["slow_down"] }
            let asked = try await running(home.keeper) {
                let asked = try await Self.asked(home)
                try await poll(home, after: 5, count: 1)
                await home.clock.waitForSleeper(lasting: .seconds(10))
                return asked
            }
            let (vault, keeper) = try await home.afterCrash()
            await home.provider.approveDevices()
            try await running(keeper) {
                try await poll(home, after: 10, count: 2)
                _ = try await home.grant(asked.grant.id, in: vault) { $0.state == .active }
            }
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let answers: [String]
        let state: Grant.State
        let reason: String
        var testDescription: String { "\(answers)" }
    }

    @Test(
        "C29: a no, an end and a refusal stop the asking, each with its own word",
        arguments: [
            Case(answers: ["access_denied"], state: .denied, reason: "the owner said no"),
            Case(
                answers: ["expired_token", "invalid_grant"], state: .needsReauth, reason: "it was not approved in time"),
            Case(answers: ["invalid_grant"], state: .needsReauth, reason: "the provider refused: invalid_grant"),
        ])
    func stopped(_ one: Case) async throws {
        try await with(answers: one.answers) { home, asked in
            try await poll(home, after: 5, count: 1)
            let grant = try await home.grant(asked.grant.id) { $0.state != .pending }
            #expect(grant.state == one.state)
            #expect(grant.reason == one.reason)
            for _ in 0..<5 { home.clock.advance(by: .seconds(60)) }
            try await home.takeTurns()
            #expect(await home.provider.count("/token") == 1)
        }
    }

    @Test("C29: a code that nobody types in ends with its time")
    func expired() async throws {
        try await with { home, asked in
            home.clock.advance(by: .seconds(601))
            let grant = try await home.grant(asked.grant.id) { $0.state != .pending }
            #expect(grant.reason == "it was not approved in time")
            try await home.takeTurns()
            let count = await home.provider.count("/token")
            home.clock.advance(by: .seconds(60))
            try await home.takeTurns()
            #expect(await home.provider.count("/token") == count)
        }
    }

    @Test("C29: a provider that does not say how often is asked every five seconds; one that says it is believed")
    func intervals() async throws {
        for (reply, seconds) in [("\"expires_in\":600", 5), ("\"interval\":\"7\",\"expires_in\":600", 7)] {
            try await TestHome.with(deadline: .seconds(120)) { home in
                let base = home.base
                home.cloud(endpoints: { $0.deviceAuthorization = "\(base)/device" })
                await home.provider.change { $0.deviceReply = reply }
                try await running(home.keeper) {
                    #expect(try await Self.asked(home).prompt?.interval == seconds)
                    try await poll(home, after: seconds, count: 1)
                }
            }
        }
    }

    @Test("a provider that is away is asked later, and the code is not given up")
    func away() async throws {
        try await with { home, asked in
            await home.provider.set("/token", .answering(503, ""))
            try await poll(home, after: 5, count: 1)
            await home.provider.set("/token", .obliging)
            await home.provider.approveDevices()
            try await home.takeTurns()
            home.clock.advance(by: .seconds(60))
            _ = try await home.grant(asked.grant.id) { $0.state == .active }
        }
    }

    @Test("nothing is asked while the vault is sealed, and the asking goes on when it is opened")
    func sealed() async throws {
        try await with { home, asked in
            await home.clock.waitForSleeper(lasting: .seconds(5))
            home.vault.seal()
            await home.provider.approveDevices()
            for _ in 0..<4 {
                home.clock.advance(by: .seconds(5))
                try await home.takeTurns()
            }
            #expect(await home.provider.count("/token") == 0)
            try await home.vault.unseal(with: TestHome.key)
            try await home.takeTurns()
            home.clock.advance(by: .seconds(5))
            _ = try await home.grant(asked.grant.id) { $0.state == .active }
        }
    }

    @Test(
        "a code whose grant was revoked, or whose place another request took, is not asked about",
        arguments: [true, false])
    func givenUp(_ isRevoked: Bool) async throws {
        try await with { home, asked in
            await home.clock.waitForSleeper(lasting: .seconds(5))
            if isRevoked {
                _ = try await home.keeper.revoke(device: asked.grant.device, by: .user("anna"))
            } else {
                let second = try await home.keeper.request(
                    device: asked.grant.device, flow: .redirect, by: .user("anna"))
                #expect(second.grant.state == .pending)
                #expect(try await home.record(asked.grant.id).reason == "another request took its place")
            }
            await home.provider.approveDevices()
            home.clock.advance(by: .seconds(30))
            try await home.takeTurns()
            #expect(await home.provider.count("/token") == 0)
            #expect(try await home.record(asked.grant.id).state == .revoked)
        }
    }

    @Test("a secret that is changed while the owner types the code is used from the next question on")
    func rotated() async throws {
        try await with { home, asked in
            try await poll(home, after: 5, count: 1)
            await home.provider.change { $0.consumerSecrets = ["the-new-secret"] }
            try await home.keeper.rotateConsumer(
                provider: home.cloud, secret: Secret(text: "the-new-secret"), by: .user("anna"))
            await home.provider.approveDevices()
            await home.clock.waitForSleeper(lasting: .seconds(5))
            home.clock.advance(by: .seconds(5))
            let grant = try await home.grant(asked.grant.id) { $0.state != .pending }
            #expect(grant.state == .active, "\(grant.reason ?? "")")
        }
    }
}
