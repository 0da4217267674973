// Third-party apps that do everything right, so that a test changes the one thing it is about.

import Delegation
import FoundationEssentials
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

/// An app that speaks OAuth 1.0a.
struct OAuth1App: Sendable {
    static let callback = "https://app.example/back?from=keyholder"

    let home: TestHome
    let consumer: ConsumerCredentials
    var method = SignatureMethod.hmacSHA256

    static func register(
        _ home: TestHome, named name: String = "Bell", scopes: [String] = ["lock.lock@front-door"],
        method: SignatureMethod? = nil
    ) async throws -> OAuth1App {
        var terms = ConsumerTerms()
        terms.signatureMethod = method?.rawValue
        let (app, secret) = try await home.provider.addApp(
            named: name, over: .oauth1, redirectURIs: [callback, "oob"], scopes: scopes, terms: terms)
        return OAuth1App(
            home: home, consumer: ConsumerCredentials(key: app.key, secret: try #require(secret)),
            method: method ?? .hmacSHA256)
    }

    /// Registers an app that signs with an RSA key.
    static func register(
        _ home: TestHome, named name: String = "Bell", key: RSAPrivateKey, method: SignatureMethod
    ) async throws -> OAuth1App {
        var terms = ConsumerTerms()
        terms.signatureMethod = method.rawValue
        terms.keys = JWKSet(keys: [.rsa(key.publicKey, keyID: nil)]).json
        let (app, secret) = try await home.provider.addApp(
            named: name, over: .oauth1, redirectURIs: [callback], scopes: ["lock.lock@front-door"], terms: terms)
        #expect(secret == nil)
        return OAuth1App(home: home, consumer: ConsumerCredentials(key: app.key, privateKey: key), method: method)
    }

    /// The header of a request, with what a test wants to change.
    func header(
        _ method: String, _ path: String, token: TokenCredentials? = nil, callback: String? = nil,
        verifier: String? = nil, form: [Parameter] = [], origin: String? = nil, timestamp: Int? = nil,
        nonce: String? = nil, signatureMethod: SignatureMethod? = nil
    ) throws -> String {
        try OAuth1Signer.authorizationHeader(
            for: OAuth1Request(
                method: method, url: (origin ?? home.origin(of: path)) + path,
                contentType: form.isEmpty ? nil : FormCoding.mediaType, body: Array(FormCoding.encode(form).utf8)),
            consumer: consumer, token: token, method: signatureMethod ?? self.method, callback: callback,
            verifier: verifier,
            realm: "anything", timestamp: timestamp ?? home.clock.seconds, nonce: nonce ?? Random.alphanumerics(24))
    }

    func send(_ method: String, _ path: String, header: String, form: [Parameter] = []) async throws -> Answer {
        try await home.send(
            method, path, headers: [("Authorization", header)], form: form.isEmpty ? nil : form)
    }

    /// The first leg.
    func requestToken(callback: String = callback, scope: String? = nil) async throws -> TokenCredentials {
        let form = scope.map { [Parameter("scope", $0)] } ?? []
        let answer = try await send(
            "POST", "/oauth1/request_token",
            header: header("POST", "/oauth1/request_token", callback: callback, form: form), form: form)
        try #require(answer.status == 200)
        return try TemporaryCredentialsReply.parse(Array(answer.body.utf8)).credentials
    }

    /// The second leg with a browser; the verifier of the redirect.
    func approve(_ token: TokenCredentials) async throws -> String {
        var browser = Browser(home)
        let page = try await browser.open("/oauth1/authorize?oauth_token=\(token.token)")
        let answer = try await browser.decide("approve", on: page, at: "/oauth1/authorize")
        try #require(answer.status == 303)
        return try #require(answer.redirect.first("oauth_verifier"))
    }

    /// The third leg.
    func exchange(_ token: TokenCredentials, verifier: String) async throws -> Answer {
        try await send(
            "POST", "/oauth1/access_token",
            header: header("POST", "/oauth1/access_token", token: token, verifier: verifier))
    }

    /// All three legs.
    func accessToken() async throws -> TokenCredentials {
        let token = try await requestToken()
        let answer = try await exchange(token, verifier: try await approve(token))
        return try TokenCredentialsReply.parse(Array(answer.body.utf8)).credentials
    }

    /// Asks the app API for the devices.
    func devices(_ token: TokenCredentials) async throws -> Answer {
        try await send("GET", "/api/v1/devices", header: header("GET", "/api/v1/devices", token: token))
    }
}

/// An app that speaks OAuth 2.
struct OAuth2App: Sendable {
    static let redirectURI = "http://127.0.0.1:9000/back"

    let home: TestHome
    let id: String
    /// Empty for an app that has none.
    let secret: Secret
    /// What it signs assertions with, if that is how it proves itself.
    var key: JWTSigningKey?
    let pkce = PKCE()

    /// Registers an app; the terms say how it proves itself, and `key` is the private half of what they hold.
    static func register(
        _ home: TestHome, named name: String = "Lamp", scopes: [String] = ["lock.lock@front-door"],
        terms: ConsumerTerms = ConsumerTerms(), key: JWTSigningKey? = nil
    ) async throws -> OAuth2App {
        let (app, secret) = try await home.provider.addApp(
            named: name, over: .oauth2, redirectURIs: [redirectURI], scopes: scopes, terms: terms)
        #expect((secret != nil) == (terms.authentication == .secret))
        return OAuth2App(home: home, id: app.key, secret: secret ?? Secret(text: ""), key: key)
    }

    /// The parameters of an authorisation request.
    func request(scope: String? = nil, redirectURI: String = redirectURI) -> [(String, String)] {
        [
            ("response_type", "code"), ("client_id", id), ("redirect_uri", redirectURI), ("state", "s-1"),
            ("code_challenge", pkce.challenge), ("code_challenge_method", "S256"),
        ] + (scope.map { [("scope", $0)] } ?? [])
    }

    static func path(_ parameters: [(String, String)]) -> String {
        "/oauth2/authorize?" + FormCoding.encode(parameters.map { Parameter($0.0, $0.1) })
    }

    /// Approves with a browser; the code of the redirect.
    func code(scope: String? = nil, redirectURI: String = redirectURI) async throws -> String {
        var browser = Browser(home)
        let page = try await browser.open(Self.path(request(scope: scope, redirectURI: redirectURI)))
        let answer = try await browser.decide("approve", on: page, at: "/oauth2/authorize")
        try #require(answer.status == 303)
        return try #require(answer.redirect.first("code"))
    }

    var basic: [(String, String)] {
        [("Authorization", BasicCredentials.encode(id: id, secret: secret, as: .rfc).revealText())]
    }

    /// What proves the app in the form, for one that has no secret.
    func proof() throws -> [(String, String)] {
        guard let key else { return [("client_id", id)] }
        let assertion = try ClientAssertion.make(
            clientID: id, audience: home.issuer, key: key, now: home.clock.seconds)
        return [("client_assertion_type", ClientAssertion.type), ("client_assertion", assertion.revealText())]
    }

    /// Sends a form to an endpoint for apps; `headers` are what proves the app, if not what its terms say.
    func post(_ path: String, _ form: [(String, String)], headers: [(String, String)]? = nil) async throws -> Answer {
        let usesHeader = headers != nil || secret.count > 0
        let proof = usesHeader ? [] : try self.proof()
        return try await home.send(
            "POST", path, headers: headers ?? (usesHeader ? basic : []),
            form: (form + proof).map { Parameter($0.0, $0.1) })
    }

    func token(_ form: [(String, String)], headers: [(String, String)]? = nil) async throws -> Answer {
        try await post("/oauth2/token", form, headers: headers)
    }

    /// What a good code is redeemed with.
    func redemption(_ code: String) -> [(String, String)] {
        [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", Self.redirectURI),
            ("code_verifier", pkce.verifier.revealText()),
        ]
    }

    /// The whole flow.
    func tokens(scope: String? = nil) async throws -> (access: String, refresh: String) {
        let answer = try await token(redemption(try await code(scope: scope)))
        try #require(answer.status == 200)
        return (
            try #require(answer.json["access_token"]?.string), try #require(answer.json["refresh_token"]?.string)
        )
    }

    func refresh(_ token: String, scope: String? = nil) async throws -> Answer {
        try await self.token(
            [("grant_type", "refresh_token"), ("refresh_token", token)] + (scope.map { [("scope", $0)] } ?? []))
    }

    func revoke(_ token: String) async throws -> Answer { try await post("/oauth2/revoke", [("token", token)]) }

    /// Asks the app API for the devices.
    func devices(_ token: String, path: String = "/api/v1/devices") async throws -> Answer {
        try await home.send("GET", path, headers: [("Authorization", "Bearer \(token)")])
    }
}

extension ConsumerTerms {
    /// Terms with some grant types, and with what else is changed.
    static func with(
        _ grantTypes: String = "authorization_code refresh_token", _ change: (inout Self) -> Void = { _ in }
    )
        -> ConsumerTerms
    {
        var terms = ConsumerTerms()
        terms.grantTypes = grantTypes.split(separator: " ").map(String.init)
        change(&terms)
        return terms
    }

    /// The terms of an app that cannot prove itself.
    static func open(_ grantTypes: String = "authorization_code refresh_token") -> ConsumerTerms {
        with(grantTypes) { $0.authentication = .none }
    }

    /// The terms of an app that signs assertions.
    static func signing(
        _ key: JWTVerificationKey, _ grantTypes: String = "authorization_code refresh_token client_credentials"
    ) -> ConsumerTerms {
        with(grantTypes) {
            $0.authentication = .privateKeyJWT
            $0.keys = JWKSet(keys: [key]).json
        }
    }
}
