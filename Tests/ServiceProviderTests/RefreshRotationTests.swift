// Cases P42 to P45 where a refresh token is good once: a lost reply can be had again for a while, and a stolen token ends
// what it was stolen from.

import Delegation
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct RefreshRotationTests {
    private static let rotating = ConsumerTerms.with { $0.rotatesRefreshTokens = true }

    /// The refresh token of a good answer.
    private func next(_ answer: Answer, _ location: SourceLocation = #_sourceLocation) throws -> String {
        #expect(answer.status == 200, sourceLocation: location)
        return try #require(answer.json["refresh_token"]?.string, sourceLocation: location)
    }

    /// Checks that a grant and everything of it has ended, by reuse.
    private func expectEnded(_ app: OAuth2App, _ access: [String], _ refresh: [String]) async throws {
        #expect(try await app.home.provider.grants().isEmpty)
        for token in access { #expect(try await app.devices(token).status == 401) }
        try await app.home.expectNothingChanged {
            for token in refresh { expect(try await app.refresh(token), 400, "invalid_grant") }
        }
        let revoked = try await app.home.vault.read { try $0.auditEntries(after: 0, limit: 1000) }
            .filter { $0.action == "provider.revoke" }
        #expect(revoked.map(\.authority) == ["refresh token reuse"])
        #expect(revoked.map(\.actor) == ["app:\(app.id)"])
    }

    @Test("a public client gets another refresh token each time, a confidential one only if its terms say so")
    func goodPath() async throws {
        try await TestHome.run { home in
            // A public client's terms rotate even where nobody said so.
            for terms in [ConsumerTerms.open(), Self.rotating] {
                let app = try await OAuth2App.register(home, named: Random.alphanumerics(6), terms: terms)
                var tokens = [try await app.tokens().refresh]
                for _ in 0..<3 {
                    home.clock.advance(by: 60)
                    let answer = try await app.refresh(try #require(tokens.last))
                    let access = try #require(answer.json["access_token"]?.string)
                    #expect(try await app.devices(access).status == 200)
                    tokens.append(try next(answer))
                }
                #expect(Set(tokens).count == 4)
            }
            let fixed = try await OAuth2App.register(home)
            let (_, refresh) = try await fixed.tokens()
            for _ in 0..<3 { #expect(try await fixed.refresh(refresh).json["refresh_token"] == nil) }
        }
    }

    @Test("P43 within half a minute the token before gives the same successor, also after a restart")
    func grace() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: .open())
            let (_, first) = try await app.tokens()
            let second = try next(try await app.refresh(first))
            for wait in [0, 10, 19.9] {
                home.clock.advance(by: wait)
                let again = try await app.refresh(first)
                #expect(try next(again) == second)
                let access = try #require(again.json["access_token"]?.string)
                #expect(try await app.devices(access).status == 200)
            }
            let restarted = try await home.restart()
            let third = try next(try await app.refresh(first))
            #expect(third == second)
            #expect(try next(try await app.refresh(second)) != second)
            #expect(try await restarted.provider.grants().count == 1)
        }
    }

    @Test("P43 after half a minute the token before ends everything that came of it")
    func lateReuse() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: .open())
            let (access, first) = try await app.tokens()
            let answer = try await app.refresh(first)
            let second = try next(answer)
            let other = try #require(answer.json["access_token"]?.string)
            home.clock.advance(by: 30)
            expect(try await app.refresh(first), 400, "invalid_grant")
            try await expectEnded(app, [access, other], [first, second])
        }
    }

    @Test("P43 a token two generations old ends everything, however quickly it comes")
    func twoGenerations() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: Self.rotating)
            let (access, first) = try await app.tokens()
            let second = try next(try await app.refresh(first))
            let third = try next(try await app.refresh(second))
            expect(try await app.refresh(first), 400, "invalid_grant")
            try await expectEnded(app, [access], [first, second, third])
        }
    }

    @Test("P43 a reuse ends one family and no other, of the same app and person")
    func oneFamily() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: .open())
            let (_, stolen) = try await app.tokens()
            let (_, mine) = try await app.tokens()
            _ = try next(try await app.refresh(stolen))
            home.clock.advance(by: 31)
            expect(try await app.refresh(stolen), 400, "invalid_grant")
            #expect(try await home.provider.grants().count == 1)
            let renewed = try await app.refresh(mine)
            let access = try #require(renewed.json["access_token"]?.string)
            #expect(try await app.devices(access).status == 200)
        }
    }

    /// Sends one refresh token fifty times at once; the successors that came back.
    private func stampede(_ app: OAuth2App, _ token: String) async throws -> Set<String> {
        let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
            for _ in 0..<50 { group.addTask { try await app.refresh(token) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 200 })
        return Set(answers.compactMap { $0.json["refresh_token"]?.string })
    }

    /// Writes to the vault's file, and reads it from outside, until it is cancelled; how often it wrote.
    private static func busy(_ home: TestHome) async throws -> Int {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    var rounds = 0
                    do {
                        while true {
                            _ = try await home.provider.invite()
                            rounds += 1
                        }
                    } catch is CancellationError {
                        return rounds
                    }
                }
            }
            group.addTask {
                while !Task.isCancelled { _ = try await StoredRows.read(home.path) }
                return 0
            }
            return try await group.reduce(0, +)
        }
    }

    @Test("P44 fifty refreshes at once leave exactly one live chain", arguments: [false, true])
    func parallel(underLoad: Bool) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: .open())
            var token = try await app.tokens().refresh
            let load = Task { underLoad ? try await Self.busy(home) : 0 }
            for _ in 0..<3 {
                let successors = try await stampede(app, token)
                #expect(successors.count == 1)
                let live = "SELECT count(*) FROM sp_refresh_token WHERE replaced_at IS NULL"
                #expect(try await StoredRows.sqlite(home.path, live) == ["1"])
                token = try #require(successors.first)
            }
            load.cancel()
            #expect(try await (load.value > 0) == underLoad)
            #expect(try await home.provider.grants().count == 1)
            #expect(try await home.audited("provider.revoke").isEmpty)
            _ = try next(try await app.refresh(token))
        }
    }

    @Test("P42 another client's refresh token, before and after its time, ends nothing and gives nothing")
    func foreign() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: .open())
            let others = [
                try await OAuth2App.register(home, named: "Open", terms: .open()),
                try await OAuth2App.register(home, named: "Closed", terms: Self.rotating),
            ]
            let (_, first) = try await app.tokens()
            let second = try next(try await app.refresh(first))
            try await home.expectNothingChanged {
                for other in others {
                    for token in [first, second] { expect(try await other.refresh(token), 400, "invalid_grant") }
                }
                home.clock.advance(by: 31)
                for other in others { expect(try await other.refresh(first), 400, "invalid_grant") }
                expect(
                    try await home.send(
                        "POST", "/oauth2/token",
                        form: [Parameter("grant_type", "refresh_token"), Parameter("refresh_token", first)]), 400,
                    "invalid_client")
            }
            #expect(try next(try await app.refresh(second)) != second)
        }
    }

    @Test("P42 a refresh for more than was allowed uses up nothing, in its time and in the half minute after")
    func wider() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(
                home, scopes: ["lock.lock@front-door", "lock.unlock@front-door"], terms: .open())
            let (_, first) = try await app.tokens(scope: "lock.lock@front-door")
            try await home.expectNothingChanged {
                expect(try await app.refresh(first, scope: "lock.unlock@front-door"), 400, "invalid_scope")
                expect(try await app.refresh(first, scope: "lock.lock@hall"), 400, "invalid_scope")
                expect(try await app.refresh(first, scope: "nothing"), 400, "invalid_scope")
            }
            let second = try next(try await app.refresh(first, scope: "lock.lock@front-door"))
            try await home.expectNothingChanged {
                expect(try await app.refresh(first, scope: "lock.unlock@front-door"), 400, "invalid_scope")
            }
            #expect(try next(try await app.refresh(first)) == second)
        }
    }

    @Test("P45 a rotated token that was revoked, by its end or any older one, or lay unused, is dead with its chain")
    func dead() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, terms: .open())
            for old in [true, false] {
                let (_, first) = try await app.tokens()
                let second = try next(try await app.refresh(first))
                #expect(try await app.revoke(old ? first : second).status == 200)
                try await home.expectNothingChanged {
                    for token in [first, second] { expect(try await app.refresh(token), 400, "invalid_grant") }
                }
            }
            let (_, idle) = try await app.tokens()
            home.clock.advance(by: 90 * 86400)
            try await home.expectNothingChanged { expect(try await app.refresh(idle), 400, "invalid_grant") }
        }
    }
}
