// Cases P34 to P39, P42, P45, P49 and P54.

import Delegation
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct TokenEndpointTests {
    @Test("P34 a code that comes again with everything right ends what came of it")
    func validReplay() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let code = try await app.code()
            let issued = try await app.token(app.redemption(code))
            let access = try #require(issued.json["access_token"]?.string)
            let refresh = try #require(issued.json["refresh_token"]?.string)
            #expect(try await app.devices(access).status == 200)
            let changed = try await home.changedTables {
                expect(try await app.token(app.redemption(code)), 400, "invalid_grant")
            }
            #expect(changed == ["sp_grant"])
            #expect(try await app.devices(access).status == 401)
            expect(try await app.refresh(refresh), 400, "invalid_grant")
            #expect(try await home.audited("provider.revoke") == ["revoked"])
        }
    }

    @Test("P34 a code that comes again with anything wrong ends nothing")
    func invalidReplay() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let other = try await OAuth2App.register(home, named: "Other")
            let code = try await app.code()
            let issued = try await app.token(app.redemption(code))
            let access = try #require(issued.json["access_token"]?.string)
            try await home.expectNothingChanged {
                let wrong = PKCE().verifier.revealText()
                expect(
                    try await app.token(app.redemption(code).map { $0.0 == "code_verifier" ? ($0.0, wrong) : $0 }),
                    400, "invalid_grant")
                expect(
                    try await app.token(
                        app.redemption(code).map { $0.0 == "redirect_uri" ? ($0.0, "https://evil.example/") : $0 }),
                    400, "invalid_grant")
                expect(try await app.token(app.redemption(code), headers: other.basic), 400, "invalid_grant")
            }
            #expect(try await app.devices(access).status == 200)
        }
    }

    @Test("P34 a code presented twice at once gives tokens once, and the second time ends them")
    func race() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let form = app.redemption(try await app.code())
            async let first = app.token(form)
            async let second = app.token(form)
            let statuses = [try await first.status, try await second.status]
            #expect(statuses.sorted() == [200, 400])
            #expect(try await home.provider.grants().isEmpty)
        }
    }

    @Test("P35 a code that is too old, another client's, or for another redirect URI; P36 a wrong or missing verifier")
    func badCode() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let other = try await OAuth2App.register(home, named: "Other")
            let code = try await app.code()
            let right = app.redemption(code)
            try await home.expectNothingChanged {
                expect(try await app.token(right, headers: other.basic), 400, "invalid_grant")
                for uri in ["http://127.0.0.1:9001/back", "http://127.0.0.1:9000/back/", "http://127.0.0.1/back"] {
                    expect(
                        try await app.token(right.map { $0.0 == "redirect_uri" ? ($0.0, uri) : $0 }), 400,
                        "invalid_grant")
                }
                let wrong = PKCE().verifier.revealText()
                expect(
                    try await app.token(right.map { $0.0 == "code_verifier" ? ($0.0, wrong) : $0 }), 400,
                    "invalid_grant")
                expect(try await app.token(right.filter { $0.0 != "code_verifier" }), 400, "invalid_grant")
                expect(
                    try await app.token(right.map { $0.0 == "code_verifier" ? ($0.0, "short") : $0 }), 400,
                    "invalid_request")
                expect(try await app.token(app.redemption("nonsense")), 400, "invalid_grant")
            }
            // None of them spoiled the code for its owner, who may leave the redirect URI out as OAuth 2.1 does.
            #expect(try await app.token(right.filter { $0.0 != "redirect_uri" }).status == 200)
            let late = try await app.code()
            home.clock.advance(by: 61)
            try await home.expectNothingChanged {
                expect(try await app.token(app.redemption(late)), 400, "invalid_grant")
            }
        }
    }

    @Test("P37 GET, JSON, and anything in the query; P38 two ways to authenticate at once")
    func badRequest() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let code = try await app.code()
            let form = app.redemption(code)
            let query = FormCoding.encode(form.map { Parameter($0.0, $0.1) })
            try await home.expectNothingChanged {
                expect(try await home.send("GET", "/oauth2/token?\(query)", headers: app.basic), 400, "invalid_request")
                expect(
                    try await home.send(
                        "POST", "/oauth2/token", headers: app.basic + [("Content-Type", "application/json")],
                        body: #"{"grant_type":"authorization_code"}"#), 400, "invalid_request")
                expect(
                    try await home.send(
                        "POST", "/oauth2/token?client_id=\(app.id)&client_secret=\(app.secret.revealText())",
                        form: form.map { Parameter($0.0, $0.1) }), 400, "invalid_request")
                expect(
                    try await app.token(form + [("client_id", app.id), ("client_secret", app.secret.revealText())]),
                    400,
                    "invalid_request")
                expect(try await app.token(form + [("code", code)]), 400, "invalid_request")
                expect(try await app.token([("grant_type", "password")]), 400, "unsupported_grant_type")
                expect(try await app.token([("grant_type", "client_credentials")]), 400, "unauthorized_client")
            }
            #expect(try await app.token(form).status == 200)
        }
    }

    @Test("P39 a wrong secret and an unknown client, in the header and in the body; P48 no secret at all")
    func wrongSecret() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let form = app.redemption(try await app.code())
            try await home.expectNothingChanged {
                for (id, secret) in [(app.id, "wrong"), ("nobody", "wrong")] {
                    let basic = BasicCredentials.encode(id: id, secret: Secret(text: secret), as: .rfc).revealText()
                    let answer = try await app.token(form, headers: [("Authorization", basic)])
                    expect(answer, 401, "invalid_client")
                    #expect(answer.header("WWW-Authenticate")?.hasPrefix("Basic ") == true)
                    expect(
                        try await app.token(form + [("client_id", id), ("client_secret", secret)], headers: []), 400,
                        "invalid_client")
                }
                expect(try await app.token(form + [("client_id", app.id)], headers: []), 400, "invalid_client")
                expect(
                    try await app.token(form, headers: [("Authorization", "Bearer x")]), 401, "invalid_client")
            }
            #expect(try await home.audited("provider.token").allSatisfy { $0 == "refused" })
            let post = form + [("client_id", app.id), ("client_secret", app.secret.revealText())]
            #expect(try await app.token(post, headers: []).status == 200)
        }
    }

    @Test("P42 another client's refresh token, and a wider scope; a narrower one gives a narrower token")
    func refresh() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, scopes: ["lock.lock@front-door", "lock.unlock@front-door"])
            let other = try await OAuth2App.register(home, named: "Other")
            let (_, refresh) = try await app.tokens(scope: "lock.lock@front-door")
            try await home.expectNothingChanged {
                expect(try await other.refresh(refresh), 400, "invalid_grant")
                expect(try await app.refresh(refresh, scope: "lock.unlock@front-door"), 400, "invalid_scope")
                expect(
                    try await app.refresh(refresh, scope: "lock.lock@front-door lock.unlock@front-door"), 400,
                    "invalid_scope")
            }
            let (_, wide) = try await app.tokens()
            let narrow = try await app.refresh(wide, scope: "lock.lock@front-door")
            #expect(narrow.json["scope"] == "lock.lock@front-door")
            let devices = try await app.devices(try #require(narrow.json["access_token"]?.string))
            let operations = devices.json["devices"]?.array?.first?["operations"]?.array
            #expect(operations?.compactMap { $0["op"]?.string } == ["lock.lock"])
            #expect(try await app.refresh(wide).json["scope"]?.string?.contains("lock.unlock") == true)
        }
    }

    @Test("P45 a refresh token that was revoked or lay unused for too long")
    func deadRefresh() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (_, idle) = try await app.tokens()
            home.clock.advance(by: 89 * 86400)
            #expect(try await app.refresh(idle).status == 200)
            home.clock.advance(by: 90 * 86400)
            try await home.expectNothingChanged { expect(try await app.refresh(idle), 400, "invalid_grant") }
            let (_, ended) = try await app.tokens()
            #expect(try await app.revoke(ended).status == 200)
            try await home.expectNothingChanged { expect(try await app.refresh(ended), 400, "invalid_grant") }
        }
    }

    @Test("P49 nothing is given once the person or the app is gone", arguments: ["person", "app"])
    func gone(who: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let signed = try await OAuth1App.register(home)
            let (access, refresh) = try await app.tokens()
            let code = try await app.code()
            let requestToken = try await signed.requestToken()
            let verifier = try await signed.approve(requestToken)
            if who == "person" {
                try await home.provider.removePerson("anna")
            } else {
                try await home.provider.removeApp("Lamp")
                try await home.provider.removeApp(signed.consumer.key)
            }
            try await home.expectNothingChanged {
                let error = who == "person" ? "invalid_grant" : "invalid_client"
                for answer in [try await app.token(app.redemption(code)), try await app.refresh(refresh)] {
                    expect(answer, who == "person" ? 400 : 401, error)
                }
                #expect(try await app.devices(access).status == 401)
                #expect(try await signed.exchange(requestToken, verifier: verifier).status == 401)
            }
            #expect(try await home.provider.grants().isEmpty)
        }
    }

    @Test("P54 revocation needs the client, says nothing about foreign tokens, and ends only one's own")
    func revocation() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let other = try await OAuth2App.register(home, named: "Other")
            let (access, refresh) = try await app.tokens()
            try await home.expectNothingChanged {
                let anonymous = try await home.send("POST", "/oauth2/revoke", form: [Parameter("token", refresh)])
                expect(anonymous, 400, "invalid_client")
                #expect(try await other.revoke(refresh).status == 200)
                #expect(try await other.revoke(access).status == 200)
                #expect(try await app.revoke("unknown").status == 200)
            }
            #expect(try await app.devices(access).status == 200)
            #expect(try await app.revoke(access).status == 200)
            #expect(try await app.devices(access).status == 401)
            #expect(try await app.refresh(refresh).status == 200)
        }
    }
}
