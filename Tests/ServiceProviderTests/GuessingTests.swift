// Guessing costs the guesser time, and neither the owner's app nor the log.

import Delegation
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct GuessingTests {
    private func refusals(_ home: TestHome) async throws -> [Int64?] {
        try await home.vault.read { try $0.auditEntries(after: 0, limit: 1000) }
            .filter { $0.action == "provider.token" && $0.outcome == "refused" }
            .map { $0.detail["suppressed"]?.integer }
    }

    @Test(
        "guessing an OAuth 2 client's secret is slowed down, leaves few rows that count the rest, and bars the app never",
        arguments: ["/oauth2/token", "/oauth2/revoke"])
    func oauth2(path: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (_, refresh) = try await app.tokens()
            func guess() async throws -> Answer {
                let header = BasicCredentials.encode(id: app.id, secret: Secret(text: "wrong"), as: .rfc)
                return try await home.send(
                    "POST", path, headers: [("Authorization", header.revealText())],
                    form: [
                        Parameter("grant_type", "refresh_token"), Parameter("refresh_token", "x"),
                        Parameter("token", "x"),
                    ])
            }
            try await home.expectNothingChanged {
                for _ in 0..<10 {
                    let answer = try await guess()
                    #expect(answer.status == 401)
                }
                home.clock.advance(by: 20)
                for _ in 0..<15 {
                    let answer = try await guess()
                    #expect(answer.status == 429)
                    #expect(answer.header("Retry-After") == "40")
                }
            }
            #expect(try await refusals(home) == [nil, nil, nil, 6])
            #expect(try await app.refresh(refresh).status == 200)
            let other = try await OAuth2App.register(home, named: "Other")
            #expect(try await other.refresh(refresh).status == 400)

            home.clock.advance(by: 41)
            #expect(try await guess().status == 401)
            #expect(try await refusals(home) == [nil, nil, nil, 6, nil, 15])
        }
    }

    @Test("guessing an OAuth 1.0a consumer's secret leaves few rows that count the rest, and bars the app never")
    func oauth1() async throws {
        try await TestHome.run { home in
            let app = try await OAuth1App.register(home)
            let thief = OAuth1App(
                home: home, consumer: ConsumerCredentials(key: app.consumer.key, secret: Secret(text: "wrong")))
            try await home.expectNothingChanged {
                for _ in 0..<25 {
                    let header = try thief.header("POST", "/oauth1/request_token", callback: OAuth1App.callback)
                    let answer = try await thief.send("POST", "/oauth1/request_token", header: header)
                    #expect(answer.status == 401)
                    #expect(answer.form.first("oauth_problem") == "signature_invalid")
                }
            }
            #expect(try await refusals(home) == [nil, nil, nil, 6])
            _ = try await app.accessToken()
        }
    }

    @Test("guesses in the name of nobody leave nothing in the audit log")
    func strangers() async throws {
        try await TestHome.run { home in
            let before = try await home.vault.read { try $0.auditEntries(after: 0, limit: 1000) }.count
            for _ in 0..<12 {
                let answer = try await home.send(
                    "POST", "/oauth2/token",
                    form: [
                        Parameter("grant_type", "refresh_token"), Parameter("refresh_token", "x"),
                        Parameter("client_id", "nobody"), Parameter("client_secret", "x"),
                    ])
                #expect(answer.json["error"] == "invalid_client")
            }
            #expect(try await home.vault.read { try $0.auditEntries(after: 0, limit: 1000) }.count == before)
        }
    }
}
