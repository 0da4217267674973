// A reply is read for what it means, whatever it looks like; what cannot be read changes nothing.

import Delegation
import FoundationEssentials
import Granting
import OAuth
import Sealing
import Testing
import Vault

@Suite(.timeLimit(.minutes(1)), .bounded) struct OddReplyTests {
    private static func reply(_ more: String) -> String {
        "{\"access_token\":\"{at}\",\"refresh_token\":\"{rt}\"\(more.isEmpty ? "" : ",")\(more)}"
    }

    @Test(
        "C12: a lifetime is read from whatever stands there, and stays within what makes sense",
        arguments: [
            ("", 600), ("\"expires_in\":null", 600), ("\"expires_in\":\"soon\"", 600),
            ("\"expires_in\":\"1799\"", 1799),
            ("\"expires_in\":3599.5", 3599), ("\"expires_in\":\"3599.5\"", 3599), ("\"expires_in\":0", 1),
            ("\"expires_in\":-5", 1), ("\"expires_in\":9007199254740993", TokenReply.lifetimes.upperBound),
            ("\"expires_in\":1e300", TokenReply.lifetimes.upperBound),
            ("\"expires_in\":\"1e400\"", TokenReply.lifetimes.upperBound), ("\"expires_in\":[60]", 600),
            ("\"expires_in\":true", 600),
        ])
    func lifetime(_ field: String, _ expected: Int) async throws {
        try await TestHome.with { home in
            await home.provider.change { $0.reply = Self.reply(field) }
            let grant = try await home.granted()
            #expect(grant.expiresAt == home.clock.wall.addingTimeInterval(Double(expected)))
            home.clock.advance(by: .seconds(expected))
            _ = try await home.token(grant.device)
            #expect(try await home.record(grant.id).generation == 2)
        }
    }

    @Test("C12: a vendor's own field and unit are read, and the RFC's where the vendor forgot its own")
    func ownField() async throws {
        for (field, expected) in [("\"expire_in\":\"60\"", 3600), ("\"expires_in\":2", 120)] {
            try await TestHome.with { home in
                home.cloud(endpoints: {
                    $0.reply.expiryField = "expire_in"
                    $0.reply.expiryUnit = .minutes
                })
                await home.provider.change { $0.reply = Self.reply(field) }
                let grant = try await home.granted()
                #expect(try await home.token(grant.device).expiresIn == expected)
            }
        }
    }

    @Test(
        "C13: scopes are read as list, text or commas; fewer than asked for are what was granted; none are as asked for",
        arguments: [
            ("\"scope\":[\"lock.lock@front-door\"]", ["lock.lock@front-door"]),
            (
                "\"scope\":\"lock.lock@front-door,lock.unlock@front-door\"",
                ["lock.lock@front-door", "lock.unlock@front-door"]
            ),
            ("\"scope\":\"lock.unlock@front-door\"", ["lock.unlock@front-door"]),
            ("", ["lock.lock@front-door", "lock.unlock@front-door"]),
            ("\"scope\":null", ["lock.lock@front-door", "lock.unlock@front-door"]),
        ])
    func scopes(_ field: String, _ expected: [String]) async throws {
        try await TestHome.with { home in
            await home.provider.change { $0.reply = Self.reply(field) }
            let grant = try await home.granted()
            #expect(grant.scopes == expected)
            for operation in ["lock.lock", "lock.unlock"] {
                let device = try TestHome.device("front-door", 0)
                if expected.contains("\(operation)@front-door") {
                    _ = try await home.keeper.authorise(operation, on: device)
                } else {
                    let refused = await refusal { _ = try await home.keeper.authorise(operation, on: device) }
                    #expect(refused?.kind == .notAuthorised)
                }
            }
        }
    }

    @Test("C13: a refresh that grants less is believed")
    func narrowed() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            await home.provider.change { $0.reply = Self.reply("\"scope\":\"lock.lock@front-door\"") }
            home.clock.advance(by: .seconds(3601))
            let device = try TestHome.device("front-door", 0)
            let refused = await refusal { _ = try await home.keeper.authorise("lock.unlock", on: device) }
            #expect(refused?.kind == .notAuthorised)
            #expect(try await home.record(grant.id).scopes == ["lock.lock@front-door"])
        }
    }

    @Test(
        "C14: a bearer token is one however it is spelled, or not named at all",
        arguments: [
            "\"token_type\":\"Bearer\"", "\"token_type\":\"BEARER\"", "\"token_type\":\"BearerToken\"",
            "\"token_type\":\"\"", "",
        ])
    func type(_ field: String) async throws {
        try await TestHome.with { home in
            await home.provider.change { $0.reply = Self.reply(field) }
            let grant = try await home.granted()
            #expect(try await home.token(grant.device).tokenType.lowercased() == "bearer")
            let device = try TestHome.device("front-door", 0)
            #expect(try await home.keeper.authorise("lock.lock", on: device).grant == grant.id)
        }
    }

    @Test("C14: a token of a type that nobody can use makes no grant")
    func unusableType() async throws {
        try await TestHome.with { home in
            await home.provider.change { $0.reply = Self.reply("\"token_type\":\"mac\"") }
            let refused = await refusal { _ = try await home.granted() }
            #expect(refused?.kind == .provider)
        }
    }

    @Test(
        "C15: without a new refresh token the old one stays, the same one stays, another one takes its place",
        arguments: ["none", "empty", "null", "same", "new"])
    func refreshToken(_ kind: String) async throws {
        try await TestHome.with(rotation: .none) { home in
            let grant = try await home.granted()
            func held() async throws -> String? {
                try await home.vault.read { try $0.tokens(of: grant.id) }?.refreshToken?.revealText()
            }
            let first = try await held()
            let field = ["none": "", "empty": ",\"refresh_token\":\"\"", "null": ",\"refresh_token\":null"][kind]
            await home.provider.change {
                $0.rotates = kind == "new"
                $0.reply = field.map { "{\"access_token\":\"{at}\",\"expires_in\":3600\($0)}" }
            }
            for generation in 2...3 {
                home.clock.advance(by: .seconds(3601))
                #expect(try await home.token(grant.device).expiresIn == 3600)
                #expect(try await home.record(grant.id).generation == generation)
            }
            let isSame = try await held() == first
            #expect(isSame == (kind != "new"))
        }
    }

    @Test("C17: two programs that refresh the same grant at once leave one generation that its provider honours")
    func twoPrograms() async throws {
        try await TestHome.with(rotation: .grace) { home in
            await home.provider.setGrace(true)
            let grant = try await home.granted()
            home.clock.advance(by: .seconds(3601))
            let other = try await home.afterCrash().keeper
            async let one = Result { () async throws in _ = try await home.token(grant.device) }
            async let two = Result { () async throws in _ = try await home.token(grant.device, from: other) }
            _ = await (one, two)
            let record = try await home.record(grant.id)
            #expect(record.state == .active)
            let token = try #require(try await home.vault.read { try $0.tokens(of: grant.id) }).accessToken
            #expect(await home.provider.accessTokens[token.revealText()] != nil)
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let answer: Mood
        let state: Grant.State
        let verdict: GrantHealth.Verdict
        var testDescription: String { "\(answer)" }
    }

    @Test(
        "C19: a 403 is read for its code; an empty one is about the consumer, a page about the way there",
        arguments: [
            Case(
                answer: .answering(403, "{\"error\":\"invalid_grant\"}"), state: .needsReauth, verdict: .needsApproval),
            Case(answer: .answering(403, "{\"error\":\"invalid_client\"}"), state: .active, verdict: .clientBroken),
            Case(answer: .answering(403, ""), state: .active, verdict: .clientBroken),
            Case(answer: .answering(403, "<html>blocked</html>"), state: .active, verdict: .suspicious),
            Case(
                answer: .answering(401, "{\"error\":\"invalid_grant\"}"), state: .needsReauth, verdict: .needsApproval),
        ])
    func forbidden(_ one: Case) async throws { try await table(one) }

    @Test(
        "C20: an error in a 200 is read as the error that it is, a page as nothing",
        arguments: [
            Case(answer: .answering(200, "{\"status\":503,\"body\":{}}"), state: .active, verdict: .suspicious),
            Case(
                answer: .answering(200, "{\"status\":\"601\",\"error\":\"slow_down\"}"), state: .active,
                verdict: .transient),
            Case(
                answer: .answering(200, "{\"status\":100,\"error\":\"dead\"}"), state: .needsReauth,
                verdict: .needsApproval),
            Case(
                answer: .answering(200, "{\"access_token\":\"x\",\"expires_in\":60,\"status\":7}"), state: .active,
                verdict: .suspicious),
        ])
    func errorIn200(_ one: Case) async throws {
        try await table(one) {
            $0.reply.success = .init(field: "status", value: "0")
            $0.reply.errors = ["dead": .needsApproval]
        }
    }

    @Test(
        "C24: a captive portal that answers everything with its page, or sends elsewhere, gets no grant to end",
        arguments: [
            Case(
                answer: .answering(200, "<html>Welcome</html>", headers: ["Content-Type": "text/html"]), state: .active,
                verdict: .suspicious),
            Case(
                answer: .answering(302, "", headers: ["Location": "http://127.0.0.1:1/login"]), state: .active,
                verdict: .suspicious),
            Case(answer: .answering(511, "<html>log in</html>"), state: .active, verdict: .transient),
        ])
    func portal(_ one: Case) async throws { try await table(one) }

    private func table(_ one: Case, _ change: @Sendable (inout OAuth2Endpoints) -> Void = { _ in }) async throws {
        let profile = TestHome.cloudProfile("http://127.0.0.1:1", .strict, change)
        guard case .oauth2(let changed) = profile.endpoints else { return }
        try await TestHome.with { home in
            let grant = try await home.granted()
            home.cloud(endpoints: { $0.reply = changed.reply })
            home.clock.advance(by: .seconds(3601))
            await home.provider.set("/token", one.answer)
            _ = await refusal { _ = try await home.token(grant.device) }
            #expect(await home.provider.count("/token") == 2)
            #expect(try await home.record(grant.id).state == one.state)
            #expect(try await home.keeper.health(of: grant.id).verdict == one.verdict)
            guard one.state == .active else { return }
            #expect(try await home.vault.read { try $0.tokens(of: grant.id) }?.refreshToken != nil)
        }
    }

    @Test("C31: a 401 from the API brings one refresh and no second one; a 403 brings none, and the grant stays")
    func api() async throws {
        try await TestHome.with { home in
            let grant = try await home.granted()
            let device = try TestHome.device("front-door", 0)
            await home.provider.set("/api", .answering(403, ""))
            let forbidden = await refusal { _ = try await home.keeper.authorise("lock.lock", on: device) }
            #expect(forbidden?.kind == .notAuthorised)
            #expect(await home.provider.count("/token") == 1)
            #expect(try await home.record(grant.id).state == .active)
            await home.provider.set("/api", .answering(401, ""))
            for _ in 0..<3 { _ = await refusal { _ = try await home.keeper.authorise("lock.lock", on: device) } }
            #expect(await home.provider.count("/token") == 2)
            #expect(try await home.record(grant.id).state == .needsReauth)
        }
    }
}
