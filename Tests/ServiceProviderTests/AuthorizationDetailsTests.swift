// What is asked for in detail (RFC 9396) is shown, granted and told again as what it is; what is not known is refused.

import Delegation
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct AuthorizationDetailsTests {
    private static let all = ["lock.lock@front-door", "lock.unlock@front-door", "climate.set@hall"]
    private static let terms = ConsumerTerms.with("authorization_code refresh_token device_code token_exchange")

    private static func detail(_ device: String, _ actions: [String], _ extra: [JSON.Member] = []) -> JSON {
        .object(
            [
                JSON.Member("type", "device"), JSON.Member("identifier", .string(device)),
                JSON.Member("actions", .strings(actions)),
            ] + extra)
    }

    private static func parameter(_ details: JSON...) -> (String, String) {
        ("authorization_details", JSON.array(details).text)
    }

    /// What a token reply says that it allows, as scopes; every detail must be complete.
    private func granted(_ answer: Answer) throws -> [String] {
        #expect(answer.status == 200)
        let details = try AuthorizationDetails(parsing: try #require(answer.json["authorization_details"]).text)
        #expect(details.details.allSatisfy { !$0.locations.isEmpty })
        return details.scopes
    }

    private func code(_ app: OAuth2App, _ extra: [(String, String)]) async throws -> String {
        var browser = Browser(app.home)
        let page = try await browser.open(OAuth2App.path(app.request() + extra))
        let answer = try await browser.decide("approve", on: page, at: "/oauth2/authorize")
        return try #require(answer.redirect.first("code"))
    }

    @Test("details are shown, granted, told in the token reply and again at each refresh, and work")
    func goodPath() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, scopes: Self.all, terms: Self.terms)
            let details = Self.parameter(
                Self.detail("front-door", ["lock.lock"]),
                Self.detail("hall", ["climate.set"], [JSON.Member("locations", [.string(home.resource)])]))
            var browser = Browser(home)
            let page = try await browser.open(OAuth2App.path(app.request() + [details]))
            #expect(page.body.contains("Lock the door") && page.body.contains("hall"))
            #expect(!page.body.contains("Unlock the door"))
            let approved = try await browser.decide("approve", on: page, at: "/oauth2/authorize")
            let issued = try await app.token(app.redemption(try #require(approved.redirect.first("code"))))
            #expect(try granted(issued) == ["lock.lock@front-door", "climate.set@hall"])
            #expect(issued.json["scope"] == "lock.lock@front-door climate.set@hall")
            let first = try #require(issued.json["authorization_details"]?.array?.first)
            #expect(first["type"] == "device")
            #expect(first["identifier"] == "front-door")
            #expect(first["locations"]?.strings == [home.resource])
            let access = try #require(issued.json["access_token"]?.string)
            #expect(try await app.devices(access).json["devices"]?.array?.count == 2)
            let token = try #require(issued.json["refresh_token"]?.string)
            #expect(try granted(await app.refresh(token)).count == 2)
        }
    }

    @Test("details add to a scope, are pushed, and are asked for by a device")
    func otherWays() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, scopes: Self.all, terms: Self.terms)
            let details = Self.parameter(Self.detail("front-door", ["lock.lock"]))
            let both = try await app.token(
                app.redemption(try await code(app, [("scope", "climate.set@hall lock.lock@front-door"), details])))
            #expect(Set(try granted(both)) == ["lock.lock@front-door", "climate.set@hall"])

            let pushed = try await app.post("/oauth2/par", app.request() + [details])
            let name = try #require(pushed.json["request_uri"]?.string)
            var browser = Browser(home)
            let page = try await browser.open(OAuth2App.path([("client_id", app.id), ("request_uri", name)]))
            let approved = try await browser.decide("approve", on: page, at: "/oauth2/authorize")
            let issued = try await app.token(app.redemption(try #require(approved.redirect.first("code"))))
            #expect(try granted(issued) == ["lock.lock@front-door"])

            let television = DeviceApp(app: app)
            let (deviceCode, userCode) = try await television.begin([details])
            let shown = try await browser.open(userCode: userCode)
            #expect(!shown.body.contains("Unlock the door"))
            _ = try await browser.decide("approve", on: shown, at: "/device")
            #expect(try granted(await television.poll(deviceCode)) == ["lock.lock@front-door"])
        }
    }

    @Test("at the token endpoint details make a token narrower, with a code, a device code, a refresh and an exchange")
    func narrower() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, scopes: Self.all, terms: Self.terms)
            let lock = Self.parameter(Self.detail("front-door", ["lock.lock"]))
            let narrow = try await app.token(app.redemption(try await code(app, [])) + [lock])
            #expect(try granted(narrow) == ["lock.lock@front-door"])
            // The grant is what the person allowed.
            let token = try #require(narrow.json["refresh_token"]?.string)
            let full = try await app.refresh(token)
            #expect(try granted(full).count == 3)
            let refreshed = try await app.token([("grant_type", "refresh_token"), ("refresh_token", token), lock])
            #expect(try granted(refreshed) == ["lock.lock@front-door"])
            let exchanged = try await app.token([
                ("grant_type", GrantType.tokenExchange.rawValue),
                ("subject_token", try #require(full.json["access_token"]?.string)),
                ("subject_token_type", TokenExchange.accessTokenType), lock,
            ])
            #expect(try granted(exchanged) == ["lock.lock@front-door"])
            let television = DeviceApp(app: app)
            let (deviceCode, userCode) = try await television.begin()
            var browser = Browser(home)
            let page = try await browser.open(userCode: userCode)
            _ = try await browser.decide("approve", on: page, at: "/device")
            let polled = try await app.token([
                ("grant_type", GrantType.deviceCode.rawValue), ("device_code", deviceCode), lock,
            ])
            #expect(try granted(polled) == ["lock.lock@front-door"])
        }
    }

    @Test("details for more than was allowed are refused with a code and a refresh, and use up nothing")
    func wider() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home, scopes: Self.all, terms: Self.terms)
            let first = try await code(app, [("scope", "lock.lock@front-door")])
            let (_, token) = try await app.tokens(scope: "lock.lock@front-door")
            let elsewhere = [JSON.Member("locations", ["https://elsewhere.example"])]
            try await home.expectNothingChanged {
                for bad in [
                    Self.parameter(Self.detail("front-door", ["lock.unlock"])),
                    Self.parameter(Self.detail("front-door", ["lock.lock", "lock.unlock"])),
                    Self.parameter(Self.detail("front-door", ["lock.lock"]), Self.detail("hall", ["climate.set"])),
                    Self.parameter(Self.detail("cellar", ["lock.lock"])),
                    Self.parameter(Self.detail("front-door", ["lock.lock"], elsewhere)),
                ] {
                    expect(try await app.token(app.redemption(first) + [bad]), 400, "invalid_authorization_details")
                    expect(
                        try await app.token([("grant_type", "refresh_token"), ("refresh_token", token), bad]), 400,
                        "invalid_authorization_details")
                }
            }
            #expect(try await app.token(app.redemption(first)).status == 200)
        }
    }

    @Test(
        "details of an unknown device, action, type or form, for too much, or for elsewhere, are refused everywhere",
        arguments: [
            #"[{"type":"device","identifier":"cellar","actions":["lock.lock"]}]"#,
            #"[{"type":"device","identifier":"hall","actions":["climate.set"]}]"#,
            #"[{"type":"device","identifier":"front-door","actions":["lock.unlock"]}]"#,
            #"[{"type":"device","identifier":"front-door","actions":["lock.fly"]}]"#,
            #"[{"type":"device","identifier":"front-door","actions":["lock.lock","lock.unlock"]}]"#,
            #"[{"type":"payment","identifier":"front-door","actions":["lock.lock"]}]"#,
            #"[{"type":"Device","identifier":"front-door","actions":["lock.lock"]}]"#,
            #"[{"identifier":"front-door","actions":["lock.lock"]}]"#,
            #"[{"type":"device","actions":["lock.lock"]}]"#, #"[{"type":"device","identifier":"front-door"}]"#,
            #"[{"type":"device","identifier":"front-door","actions":[]}]"#,
            #"[{"type":"device","identifier":"front-door","actions":"lock.lock"}]"#,
            #"[{"type":"device","identifier":"front-door","actions":["lock.lock@front-door"]}]"#,
            #"[{"type":"device","identifier":"front-door","actions":["lock.lock"],"privileges":["all"]}]"#,
            #"[{"type":"device","type":"device","identifier":"front-door","actions":["lock.lock"]}]"#,
            #"[{"type":"device","identifier":"front-door","actions":["lock.lock"],"locations":["relative"]}]"#,
            #"[{"type":"device","identifier":"front-door","actions":["lock.lock"],"locations":["https://else.example"]}]"#,
            #"[{"type":"device","identifier":"front-door","actions":["lock.lock"]},{"type":"x"}]"#,
            #"{"type":"device","identifier":"front-door","actions":["lock.lock"]}"#, "[]", "[", "null", "7",
        ])
    func bad(details: String) async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(
                home, terms: .with("authorization_code refresh_token device_code"))
            let bad = [("authorization_details", details)]
            try await home.expectNothingChanged {
                for extra in [bad, bad + [("scope", "lock.lock@front-door")]] {
                    expectRedirect(
                        try await home.send("GET", OAuth2App.path(app.request() + extra)), home,
                        "invalid_authorization_details")
                    expect(
                        try await app.post("/oauth2/par", app.request() + extra), 400, "invalid_authorization_details")
                    expect(
                        try await app.post("/oauth2/device_authorization", extra), 400, "invalid_authorization_details")
                }
            }
        }
    }
}
