// A client that proves possession of a key does everything right, so that a test spoils the one thing it is about.

import Delegation
import FoundationEssentials
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

/// An OAuth 2 client with a key of its own for DPoP (RFC 9449).
struct ProvingApp: Sendable {
    let app: OAuth2App
    let key: P256PrivateKey
    let isPublic: Bool

    var home: TestHome { app.home }

    /// Registers a client; its secret stays unused where the terms give it none.
    static func register(
        _ home: TestHome, named name: String = "Fob", scopes: [String] = ["lock.lock@front-door"],
        _ change: (inout ConsumerTerms) -> Void = { $0.requiresDPoP = true }
    ) async throws -> ProvingApp {
        var terms = ConsumerTerms()
        change(&terms)
        let (made, secret) = try await home.provider.addApp(
            named: name, over: .oauth2, redirectURIs: [OAuth2App.redirectURI], scopes: scopes, terms: terms)
        return ProvingApp(
            app: OAuth2App(home: home, id: made.key, secret: secret ?? Secret(text: "")), key: try P256PrivateKey(),
            isPublic: terms.authentication == .none)
    }

    /// The same client with another key.
    func withOtherKey() throws -> ProvingApp { ProvingApp(app: app, key: try P256PrivateKey(), isPublic: isPublic) }

    /// `jkt`.
    var thumbprint: String { JWTVerificationKey.p256(key.publicKey, keyID: nil).thumbprint }

    /// The nonce that the home gives out at the moment.
    func nonce() async throws -> String {
        let answer = try await home.send("GET", "/oauth2/jwks", headers: [("DPoP", "x")])
        return try #require(answer.header("DPoP-Nonce"))
    }

    /// A proof for a request, with the nonce of the moment.
    func proof(_ method: String, _ url: String, token: String? = nil) async throws -> LooseProof {
        LooseProof(key: key, method: method, url: url, token: token, nonce: try await nonce(), now: home.clock.seconds)
    }

    /// The tokens that are out for a code, a refresh token, or whatever else a form has.
    func token(_ form: [(String, String)], proofs: [String]? = nil) async throws -> Answer {
        let right = try await proof("POST", home.issuer + "/oauth2/token").text
        return try await app.token(
            form + (isPublic ? [("client_id", app.id)] : []),
            headers: (isPublic ? [] : app.basic) + (proofs ?? [right]).map { ("DPoP", $0) })
    }

    /// The whole flow, to tokens that are bound to the key.
    func tokens() async throws -> (access: String, refresh: String) {
        let answer = try await token(app.redemption(try await app.code()))
        try #require(answer.status == 200)
        try #require(answer.json["token_type"] == "DPoP")
        return (
            try #require(answer.json["access_token"]?.string), try #require(answer.json["refresh_token"]?.string)
        )
    }

    func refresh(_ token: String, proofs: [String]? = nil) async throws -> Answer {
        try await self.token([("grant_type", "refresh_token"), ("refresh_token", token)], proofs: proofs)
    }

    /// Asks the app API.
    func devices(
        _ token: String, path: String = "/api/v1/devices", scheme: String = "DPoP", proofs: [String]? = nil
    ) async throws -> Answer {
        let right = try await proof("GET", home.resource + path, token: token).text
        return try await home.send(
            "GET", path, headers: [("Authorization", "\(scheme) \(token)")] + (proofs ?? [right]).map { ("DPoP", $0) })
    }
}

/// A DPoP proof in parts.
struct LooseProof: Sendable {
    private let parts: LooseToken
    private let key: P256PrivateKey

    private init(_ parts: LooseToken, _ key: P256PrivateKey) {
        self.parts = parts
        self.key = key
    }

    init(key: P256PrivateKey, method: String, url: String, token: String?, nonce: String, now: Int) {
        self.key = key
        let header = [
            JSON.Member("typ", "dpop+jwt"), JSON.Member("alg", "ES256"), JSON.Member("jwk", Self.jwk(key.publicKey)),
        ]
        var claims = [
            JSON.Member("jti", .string(Random.alphanumerics(24))), JSON.Member("htm", .string(method)),
            JSON.Member("htu", .string(url)), JSON.Member("iat", .integer(Int64(now))),
            JSON.Member("nonce", .string(nonce)),
        ]
        if let token {
            let hash = Base64.encode(HashFunction.sha256.digest(Array(token.utf8)), as: .url)
            claims.append(JSON.Member("ath", .string(hash)))
        }
        parts = LooseToken(header: header, claims: claims)
    }

    static func jwk(_ key: P256PublicKey) -> JSON {
        [
            "kty": "EC", "crv": "P-256", "x": .string(Base64.encode(key.x, as: .url)),
            "y": .string(Base64.encode(key.y, as: .url)),
        ]
    }

    /// With a member of the header set or, with `nil`, left out.
    func header(_ name: String, _ value: JSON?) -> LooseProof { LooseProof(parts.header(name, value), key) }

    /// With a claim set or, with `nil`, left out.
    func claim(_ name: String, _ value: JSON?) -> LooseProof { LooseProof(parts.claim(name, value), key) }

    /// A member of the header.
    func header(_ name: String) -> JSON? { parts.header(name) }

    /// A claim's value.
    func claim(_ name: String) -> JSON? { parts.claim(name) }

    /// Signed by its key.
    var text: String { get throws { try text { try key.sign($0) } } }

    /// Signed in some other way.
    func text(_ sign: ([UInt8]) throws -> [UInt8]) rethrows -> String { try parts.signed(sign) }
}
