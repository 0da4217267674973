// Cases P32 and P42: a token for one device opens that device and nothing else, and no request along the way makes it more.

import Delegation
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct ResourceIndicatorTests {
    private static let all = ["lock.lock@front-door", "climate.set@hall"]
    private static let api = "/api/v1/devices"
    private static let terms = ConsumerTerms.with(
        "authorization_code refresh_token device_code token_exchange client_credentials")

    private func register(_ home: TestHome) async throws -> OAuth2App {
        try await OAuth2App.register(home, scopes: Self.all, terms: Self.terms)
    }

    /// A code for some resources.
    private func code(_ app: OAuth2App, _ resources: [String]) async throws -> String {
        var browser = Browser(app.home)
        let page = try await browser.open(OAuth2App.path(app.request() + resources.map { ("resource", $0) }))
        let answer = try await browser.decide("approve", on: page, at: "/oauth2/authorize")
        return try #require(answer.redirect.first("code"))
    }

    private func refresh(_ app: OAuth2App, _ token: String, _ resources: [String]) async throws -> Answer {
        try await app.token(
            [("grant_type", "refresh_token"), ("refresh_token", token)] + resources.map { ("resource", $0) })
    }

    /// Checks that a token opens one device only.
    private func expectOnly(_ device: String, _ other: String, _ app: OAuth2App, _ answer: Answer) async throws {
        #expect(answer.status == 200)
        #expect(answer.json["scope"]?.string?.split(separator: " ").allSatisfy { $0.hasSuffix("@" + device) } == true)
        let token = try #require(answer.json["access_token"]?.string)
        #expect(try await app.devices(token, path: "\(Self.api)/\(device)").status == 200)
        for path in ["", "/", "/\(other)", "/\(device)x", "?x=/\(device)", "/\(other)?x=/\(device)"] {
            let refused = try await app.devices(token, path: Self.api + path)
            #expect(refused.status == 401)
            #expect(refused.headers["WWW-Authenticate"].contains { $0.contains("invalid_token") })
        }
        for path in [
            "/\(device)/../\(other)", "/\(device)%2F..%2F\(other)", "/\(device)/\(other)", "/\(other)/\(device)",
            "/../devices/\(other)",
        ] {
            let astray = try await app.devices(token, path: Self.api + path)
            #expect([401, 404].contains(astray.status))
            #expect(!astray.body.contains(other))
        }
        let shown = try await app.post("/oauth2/introspect", [("token", token)])
        #expect(shown.json["aud"]?.string == "\(app.home.resource)\(Self.api)/\(device)")
    }

    @Test("a code for one device gives tokens for that device only, by every way that begins or goes on with it")
    func oneDevice() async throws {
        try await TestHome.run { home in
            let app = try await register(home)
            let door = home.resource + Self.api + "/front-door"
            let issued = try await app.token(app.redemption(try await code(app, [door])))
            try await expectOnly("front-door", "hall", app, issued)
            let token = try #require(issued.json["refresh_token"]?.string)
            try await expectOnly("front-door", "hall", app, try await refresh(app, token, []))
            try await expectOnly("front-door", "hall", app, try await refresh(app, token, [door]))

            let television = DeviceApp(app: app)
            let (deviceCode, userCode) = try await television.begin([("resource", door)])
            var browser = Browser(home)
            let page = try await browser.open(userCode: userCode)
            #expect(page.body.contains("front-door") && !page.body.contains("hall"))
            _ = try await browser.decide("approve", on: page, at: "/device")
            try await expectOnly("front-door", "hall", app, try await television.poll(deviceCode))
        }
    }

    @Test("the consent page shows what lies within the resources, and nothing else is granted")
    func consent() async throws {
        try await TestHome.run { home in
            let app = try await register(home)
            var browser = Browser(home)
            let path = OAuth2App.path(app.request() + [("resource", home.resource + Self.api + "/hall")])
            let page = try await browser.open(path)
            #expect(page.body.contains("hall") && !page.body.contains("front-door"))
            let answer = try await browser.decide("approve", on: page, at: "/oauth2/authorize")
            let issued = try await app.token(app.redemption(try #require(answer.redirect.first("code"))))
            #expect(issued.json["scope"] == "climate.set@hall")
            #expect(try await home.provider.grants().map { $0.scopes.map(\.operation) } == [["climate.set"]])
        }
    }

    @Test("a grant for everything gives tokens for one device or another, and for everything again")
    func narrower() async throws {
        try await TestHome.run { home in
            let app = try await register(home)
            let door = home.resource + Self.api + "/front-door"
            let hall = home.resource + Self.api + "/hall"
            let first = try await app.token(
                app.redemption(try await code(app, [home.resource])) + [("resource", door)])
            try await expectOnly("front-door", "hall", app, first)
            let token = try #require(first.json["refresh_token"]?.string)
            try await expectOnly("hall", "front-door", app, try await refresh(app, token, [hall]))
            for resources in [[], [home.resource], [door, hall]] {
                let both = try await refresh(app, token, resources)
                #expect(both.json["scope"]?.string?.split(separator: " ").count == 2)
                let access = try #require(both.json["access_token"]?.string)
                for name in ["front-door", "hall"] {
                    #expect(try await app.devices(access, path: "\(Self.api)/\(name)").status == 200)
                }
            }
        }
    }

    @Test("P42 a token of one device's grant is not had for another device or for all, by refresh or code")
    func wider() async throws {
        try await TestHome.run { home in
            let app = try await register(home)
            let door = home.resource + Self.api + "/front-door"
            let hall = home.resource + Self.api + "/hall"
            let first = try await code(app, [door])
            let television = DeviceApp(app: app)
            let (deviceCode, userCode) = try await television.begin([("resource", door)])
            var browser = Browser(home)
            let page = try await browser.open(userCode: userCode)
            _ = try await browser.decide("approve", on: page, at: "/device")
            let poll = [("grant_type", GrantType.deviceCode.rawValue), ("device_code", deviceCode)]
            try await home.expectNothingChanged {
                for resources in [[hall], [home.resource], [door, hall], [door, home.resource]] {
                    let extra = resources.map { ("resource", $0) }
                    expect(try await app.token(app.redemption(first) + extra), 400, "invalid_target")
                    expect(try await app.token(poll + extra), 400, "invalid_target")
                }
            }
            #expect(try await app.token(poll).status == 200)
            let issued = try await app.token(app.redemption(first))
            let token = try #require(issued.json["refresh_token"]?.string)
            try await home.expectNothingChanged {
                for resources in [[hall], [home.resource], [door, hall], [door, home.resource]] {
                    expect(try await refresh(app, token, resources), 400, "invalid_target")
                }
                expect(try await app.refresh(token, scope: "climate.set@hall"), 400, "invalid_scope")
            }
            #expect(try await refresh(app, token, [door]).status == 200)
        }
    }

    @Test(
        "P32 a resource that is relative, has a fragment, or is none of this home's",
        arguments: [
            "relative", "/api/v1/devices/front-door", "{api}#x", "{api}/api/v1/devices/front-door#x",
            "https://elsewhere.example", "{api}/", "{api}/api/v1/devices/", "{api}/api/v1/devices/cellar",
            "{api}.evil.example/api/v1/devices/front-door", "{api}/api/v1/devices/front-door/", "urn:device:front-door",
            "{api}/api/v1/devices/front-door?x=y", "{api}/api/v1/devices/hall/../front-door", "ftp://127.0.0.1/",
        ])
    func bad(resource: String) async throws {
        try await TestHome.run { home in
            let app = try await register(home)
            let text = resource.hasPrefix("{api}") ? home.resource + resource.dropFirst(5) : resource
            let bad = [("resource", text)]
            let first = try await app.code()
            let (deviceCode, userCode) = try await DeviceApp(app: app).begin()
            var browser = Browser(home)
            let page = try await browser.open(userCode: userCode)
            _ = try await browser.decide("approve", on: page, at: "/device")
            let (access, token) = try await app.tokens()
            try await home.expectNothingChanged {
                expectRedirect(
                    try await home.send("GET", OAuth2App.path(app.request() + bad)), home, "invalid_target")
                expect(try await app.post("/oauth2/par", app.request() + bad), 400, "invalid_target")
                expect(try await app.post("/oauth2/device_authorization", bad), 400, "invalid_target")
                expect(try await app.token(app.redemption(first) + bad), 400, "invalid_target")
                expect(try await refresh(app, token, [text]), 400, "invalid_target")
                expect(try await refresh(app, token, [home.resource, text]), 400, "invalid_target")
                expect(
                    try await app.token(
                        [("grant_type", GrantType.deviceCode.rawValue), ("device_code", deviceCode)] + bad), 400,
                    "invalid_target")
                expect(try await app.token([("grant_type", "client_credentials")] + bad), 400, "invalid_target")
                expect(
                    try await app.token(
                        [
                            ("grant_type", GrantType.tokenExchange.rawValue), ("subject_token", access),
                            ("subject_token_type", TokenExchange.accessTokenType),
                        ] + bad), 400, "invalid_target")
            }
            #expect(try await app.token(app.redemption(first)).status == 200)
        }
    }

    @Test("P32 a resource that exists but of which the app may ask for nothing")
    func nothing() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let hall = ("resource", home.resource + Self.api + "/hall")
            let first = try await app.code()
            let (_, token) = try await app.tokens()
            try await home.expectNothingChanged {
                expectRedirect(
                    try await home.send("GET", OAuth2App.path(app.request() + [hall])), home, "invalid_target")
                expect(try await app.token(app.redemption(first) + [hall]), 400, "invalid_target")
                expect(try await refresh(app, token, [hall.1]), 400, "invalid_target")
            }
        }
    }
}
