// Case P52: a token opens what it is for, for as long as it is good, and only where it is presented once and in the header.

import Delegation
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct AudienceTests {
    private static let api = "/api/v1/devices"
    private static let both = ["lock.lock@front-door", "climate.set@hall"]

    private func expect(
        _ answer: Answer, _ status: Int, _ error: String, _ at: SourceLocation = #_sourceLocation
    ) {
        #expect(answer.status == status, sourceLocation: at)
        #expect(answer.header("Content-Type") == "application/problem+json", sourceLocation: at)
        let challenges = answer.headers["WWW-Authenticate"]
        #expect(
            challenges.contains { $0.hasPrefix("Bearer ") && $0.contains("error=\"\(error)\"") }, "\(challenges)",
            sourceLocation: at)
        #expect(!answer.body.contains("operations"), sourceLocation: at)
    }

    /// A token for what a resource names, of a code for everything.
    private func token(_ app: OAuth2App, for resource: String) async throws -> Answer {
        try await app.token(app.redemption(try await app.code()) + [("resource", resource)])
    }

    @Test("P52 a token for one device opens neither another device, nor the list, nor the app's own page")
    func oneDevice() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, scopes: Self.both)
            let issued = try await token(app, for: home.base + Self.api + "/front-door")
            #expect(issued.status == 200)
            #expect(issued.json["scope"] == "lock.lock@front-door")
            let access = try #require(issued.json["access_token"]?.string)
            let claims = try JSON(parsing: Base64.decode(access.split(separator: ".")[1].utf8, as: .url) ?? [])
            #expect(claims["aud"]?.string == home.base + Self.api + "/front-door")
            #expect(try await app.devices(access, path: Self.api + "/front-door").status == 200)
            try await home.expectNothingChanged {
                for path in ["/hall", "", "/front-door2", "/", "?x=/front-door"] {
                    expect(try await app.devices(access, path: Self.api + path), 401, "invalid_token")
                }
                expect(try await app.devices(access, path: "/api/v1/app"), 401, "invalid_token")
            }
            let id = try #require(
                try await app.devices(access, path: Self.api + "/front-door").json["id"]?.string)
            // The token names the device by name; its id is another address.
            expect(try await app.devices(access, path: Self.api + "/\(id)"), 401, "invalid_token")
        }
    }

    @Test("P52 a token by a device's id, and one for two devices, open those, and the whole API's opens all")
    func otherAudiences() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, scopes: Self.both)
            let hall = try await home.vault.read { try $0.requiredDevice(named: try DeviceName(checking: "hall")) }
            let byID = try #require(
                try await token(app, for: home.base + Self.api + "/\(hall.id)").json["access_token"]?.string)
            #expect(try await app.devices(byID, path: Self.api + "/\(hall.id)").status == 200)
            expect(try await app.devices(byID, path: Self.api + "/front-door"), 401, "invalid_token")

            let two = try await app.token(
                app.redemption(try await app.code())
                    + ["/front-door", "/hall"].map { ("resource", home.base + Self.api + $0) })
            let access = try #require(two.json["access_token"]?.string)
            #expect(try await app.devices(access, path: Self.api + "/front-door").status == 200)
            #expect(try await app.devices(access, path: Self.api + "/hall").status == 200)
            expect(try await app.devices(access), 401, "invalid_token")

            let whole = try #require(try await token(app, for: home.base).json["access_token"]?.string)
            #expect(try await app.devices(whole).json["devices"]?.array?.count == 2)
            #expect(try await app.devices(whole, path: Self.api + "/hall").status == 200)
        }
    }

    @Test(
        "P32, P52 a resource that is none of this home's gives no token and spoils no code",
        arguments: [
            "https://elsewhere.example/", "/api/v1/devices/hall", "BASE/api/v1/devices/cellar", "BASE/", "BASE#x",
            "BASE/api/v1/devices/hall#x", "BASE/api/v1/devices/hall?x=1", "BASE/api/v1/devices", "BASE/oauth2/token",
            "BASE.evil.example",
        ])
    func unknownResource(text: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, scopes: Self.both)
            let form = app.redemption(try await app.code())
            let resource = text.hasPrefix("BASE") ? home.base + text.dropFirst(4) : text
            try await home.expectNothingChanged {
                let answer = try await app.token(form + [("resource", resource)])
                #expect(answer.status == 400)
                #expect(answer.json["error"] == "invalid_target")
                #expect(answer.json["access_token"] == nil)
            }
            #expect(try await app.token(form).status == 200)
        }
    }

    @Test("P42, P52 a refresh or an exchange does not reach beyond the resources that were allowed")
    func widening() async throws {
        try await TestHome.run { home in
            var terms = ConsumerTerms()
            terms.grantTypes = ["authorization_code", "refresh_token", "token_exchange"]
            let (made, secret) = try await home.provider.addApp(
                named: "Lamp", over: .oauth2, redirectURIs: [OAuth2App.redirectURI], scopes: Self.both, terms: terms)
            let app = OAuth2App(home: home, id: made.key, secret: try #require(secret))
            var browser = Browser(home)
            let door = home.base + Self.api + "/front-door"
            let page = try await browser.open(OAuth2App.path(app.request() + [("resource", door)]))
            #expect(!page.body.contains("hall"))
            let code = try await browser.decide("approve", on: page, at: "/oauth2/authorize").redirect.first("code")
            let form = app.redemption(try #require(code))
            try await home.expectNothingChanged {
                for wider in [home.base, home.base + Self.api + "/hall"] {
                    let answer = try await app.token(form + [("resource", wider)])
                    #expect(answer.status == 400)
                    #expect(answer.json["error"] == "invalid_target")
                }
            }
            let issued = try await app.token(form)
            let access = try #require(issued.json["access_token"]?.string)
            let refresh = try #require(issued.json["refresh_token"]?.string)
            #expect(issued.json["scope"] == "lock.lock@front-door")
            try await home.expectNothingChanged {
                for wider in [home.base, home.base + Self.api + "/hall"] {
                    let refreshed = try await app.token(
                        [("grant_type", "refresh_token"), ("refresh_token", refresh), ("resource", wider)])
                    #expect(refreshed.status == 400)
                    #expect(refreshed.json["error"] == "invalid_target")
                    let exchanged = try await app.token([
                        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("subject_token", access),
                        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"), ("resource", wider),
                    ])
                    #expect(exchanged.status == 400)
                    #expect(exchanged.json["error"] == "invalid_target")
                }
            }
            #expect(try await app.devices(access, path: Self.api + "/front-door").status == 200)
        }
    }

    @Test("P52 what the scope does not cover is forbidden with 403, and says so")
    func insufficientScope() async throws {
        try await TestHome.run { home in
            var terms = ConsumerTerms()
            terms.grantTypes = ["client_credentials"]
            let app = try await OAuth2App.register(home, terms: terms)
            let own = try await app.token([("grant_type", "client_credentials")]).json["access_token"]?.string
            try await home.expectNothingChanged {
                expect(try await app.devices(try #require(own)), 403, "insufficient_scope")
            }
        }
    }

    @Test("P52 an expired token is refused from the second it expires in")
    func expired() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (access, _) = try await app.tokens()
            home.clock.advance(by: 19)
            #expect(try await app.devices(access).status == 200)
            home.clock.advance(by: 1)
            try await home.expectNothingChanged {
                expect(try await app.devices(access), 401, "invalid_token")
            }
        }
    }

    @Test("P52 a token in the query or in a form is none, also beside one in the header; two headers are refused")
    func places() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (access, _) = try await app.tokens()
            let (second, _) = try await app.tokens()
            try await home.expectNothingChanged {
                let query = try await home.send("GET", Self.api + "?access_token=\(access)")
                #expect(query.status == 401)
                #expect(query.headers["WWW-Authenticate"].allSatisfy { !$0.contains("error=") })
                let form = try await home.send(
                    "GET", Self.api, form: [Parameter("access_token", access)])
                #expect(form.status == 401)
                for other in [access, second] {
                    let two = try await home.send(
                        "GET", Self.api,
                        headers: [("Authorization", "Bearer \(access)"), ("Authorization", "Bearer \(other)")])
                    expect(two, 400, "invalid_request")
                }
                for joined in [
                    "Bearer \(access), Bearer \(second)", "Bearer \(access) \(second)", "Bearer \(access),x",
                ] {
                    let answer = try await home.send("GET", Self.api, headers: [("Authorization", joined)])
                    expect(answer, 401, "invalid_token")
                }
            }
            for scheme in ["bearer", "BEARER", "bEaReR"] {
                let answer = try await home.send("GET", Self.api, headers: [("Authorization", "\(scheme) \(access)")])
                #expect(answer.status == 200, "\(scheme)")
            }
        }
    }
}
