// A code, a pushed request and a public client's refresh token are worth nothing to who has not the key.

import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct BoundCodeTests {
    private func expect(_ answer: Answer, _ status: Int, _ error: String, _ at: SourceLocation = #_sourceLocation) {
        #expect(answer.status == status, sourceLocation: at)
        #expect(answer.json["error"]?.string == error, sourceLocation: at)
        #expect(answer.json["access_token"] == nil, sourceLocation: at)
        #expect(answer.json["request_uri"] == nil, sourceLocation: at)
    }

    /// Approves at a path; the code of the redirect.
    private func code(_ path: String, _ home: TestHome) async throws -> String {
        var browser = Browser(home)
        let page = try await browser.open(path)
        return try #require(
            try await browser.decide("approve", on: page, at: "/oauth2/authorize").redirect.first("code"))
    }

    private func push(_ app: ProvingApp, _ form: [(String, String)], proofs: [String]) async throws -> Answer {
        try await app.home.send(
            "POST", "/oauth2/par", headers: app.app.basic + proofs.map { ("DPoP", $0) },
            form: form.map { Parameter($0.0, $0.1) })
    }

    private func path(_ app: ProvingApp, pushed: Answer) throws -> String {
        OAuth2App.path([("client_id", app.app.id), ("request_uri", try #require(pushed.json["request_uri"]?.string))])
    }

    @Test("a code that was asked for with dpop_jkt is redeemed by that key only")
    func dpopJKT() async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home) { _ in }
            let thief = try app.withOtherKey()
            let request = app.app.request() + [("dpop_jkt", app.thumbprint)]
            let form = app.app.redemption(try await code(OAuth2App.path(request), home))
            try await home.expectNothingChanged(except: ["sp_proof"]) {
                expect(try await thief.token(form), 400, "invalid_grant")
                expect(try await app.token(form, proofs: []), 400, "invalid_grant")
            }
            #expect(try await app.token(form).status == 200)
        }
    }

    @Test(
        "a dpop_jkt that is no thumbprint, or comes twice, is refused",
        arguments: [
            ["short"], [String(repeating: "=", count: 43)], [String(repeating: "a", count: 44)],
            [String(repeating: "A", count: 43), String(repeating: "A", count: 43)],
        ])
    func badJKT(texts: [String]) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            try await home.expectNothingChanged {
                let answer = try await home.send(
                    "GET", OAuth2App.path(app.request() + texts.map { ("dpop_jkt", $0) }))
                #expect(answer.status == 303)
                #expect(answer.redirect.first("error") == "invalid_request")
                #expect(answer.redirect.first("state") == "s-1")
            }
        }
    }

    @Test("a pushed request binds its code to the key that it proves, and takes no dpop_jkt of another")
    func pushed() async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home) { $0.requiresPushedRequests = true }
            let thief = try app.withOtherKey()
            let url = home.base + "/oauth2/par"
            let proof = try await app.proof("POST", url).text
            let answer = try await push(app, app.app.request(), proofs: [proof])
            #expect(answer.status == 201)
            #expect(answer.header("DPoP-Nonce") == (try await app.nonce()))
            expect(try await push(app, app.app.request(), proofs: [proof]), 400, "invalid_dpop_proof")
            let form = app.app.redemption(try await code(try path(app, pushed: answer), home))
            try await home.expectNothingChanged(except: ["sp_proof"]) {
                expect(try await thief.token(form), 400, "invalid_grant")
                expect(try await app.token(form, proofs: []), 400, "invalid_grant")
            }
            #expect(try await app.token(form).status == 200)

            let foreign = try await app.proof("POST", url).text
            let mismatch = app.app.request() + [("dpop_jkt", thief.thumbprint)]
            expect(try await push(app, mismatch, proofs: [foreign]), 400, "invalid_dpop_proof")
            let agreeing = app.app.request() + [("dpop_jkt", app.thumbprint)]
            let twice = try await app.proof("POST", url).text
            #expect(try await push(app, agreeing, proofs: [twice]).status == 201)
        }
    }

    @Test("P50 a pushed request with a proof that is not right is refused", arguments: ProofFault.withoutToken)
    func badPushedProof(fault: ProofFault) async throws {
        guard fault != .absent else { return }
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home)
            let bad = try fault.spoil(try await app.proof("POST", home.base + "/oauth2/par"))
            try await home.expectNothingChanged {
                expect(
                    try await push(app, app.app.request(), proofs: bad), 400,
                    fault.isAboutNonce ? "use_dpop_nonce" : "invalid_dpop_proof")
            }
        }
    }

    @Test("a public client's refresh token is good with its key only, a confidential client's with any")
    func refreshToken() async throws {
        try await TestHome.run { home in
            let open = try await ProvingApp.register(home) { $0.authentication = .none }
            let (_, refresh) = try await open.tokens()
            let thief = try open.withOtherKey()
            try await home.expectNothingChanged(except: ["sp_proof"]) {
                expect(try await thief.refresh(refresh), 400, "invalid_grant")
                expect(try await open.refresh(refresh, proofs: []), 400, "invalid_grant")
            }
            let answer = try await open.refresh(refresh)
            #expect(answer.status == 200)
            let next = try #require(answer.json["refresh_token"]?.string)
            #expect(next != refresh)
            expect(try await thief.refresh(next), 400, "invalid_grant")
            #expect(try await open.refresh(next).status == 200)

            let confidential = try await ProvingApp.register(home, named: "Other")
            let (_, own) = try await confidential.tokens()
            let renewed = try await confidential.withOtherKey().refresh(own)
            #expect(renewed.status == 200)
        }
    }

    @Test("a thief with a public client's bound refresh token cannot end its grant by presenting it")
    func noDenialOfService() async throws {
        try await TestHome.run { home in
            let open = try await ProvingApp.register(home) { $0.authentication = .none }
            let (_, first) = try await open.tokens()
            let second = try #require(try await open.refresh(first).json["refresh_token"]?.string)
            home.clock.advance(by: 31)
            let thief = try open.withOtherKey()
            try await home.expectNothingChanged(except: ["sp_proof"]) {
                expect(try await thief.refresh(first), 400, "invalid_grant")
                expect(try await open.refresh(first, proofs: []), 400, "invalid_grant")
            }
            #expect(try await open.refresh(second).status == 200)
        }
    }

    @Test("a token exchange of a bound token needs its key, and the new token is bound to it")
    func exchange() async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home) { terms in
                terms.grantTypes = ["authorization_code", "refresh_token", "token_exchange"]
            }
            let (access, _) = try await app.tokens()
            let form = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("subject_token", access),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ]
            try await home.expectNothingChanged(except: ["sp_proof"]) {
                expect(try await app.token(form, proofs: []), 400, "invalid_request")
                expect(try await app.withOtherKey().token(form), 400, "invalid_request")
            }
            let answer = try await app.token(form)
            #expect(answer.status == 200)
            #expect(answer.json["token_type"] == "DPoP")
            let token = try #require(answer.json["access_token"]?.string)
            #expect(try await app.devices(token).status == 200)
            #expect(try await app.app.devices(token).status == 401)
        }
    }
}
