// A new key takes over at once, and an old one is there for as long as a token that it signed may be about.

import Delegation
import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct KeyRotationTests {
    private func published(_ home: TestHome) async throws -> [JWTVerificationKey] {
        let answer = try await home.send("GET", "/oauth2/jwks")
        #expect(answer.header("Content-Type") == "application/jwk-set+json")
        return try JWKSet(parsing: Array(answer.body.utf8)).keys
    }

    private func header(_ token: String) throws -> JSON {
        try JSON(parsing: Base64.decode(token.split(separator: ".")[0].utf8, as: .url) ?? [])
    }

    @Test("the published keys are public, for signatures only, and named by their thumbprint")
    func keySet() async throws {
        try await TestHome.run { home in
            let document = try await home.send("GET", "/oauth2/jwks").json
            #expect(document.members?.map(\.name) == ["keys"])
            let key = try #require(document["keys"]?.array?.first)
            #expect(document["keys"]?.array?.count == 1)
            #expect(Set(key.members?.map(\.name) ?? []) == ["kty", "n", "e", "use", "alg", "kid"])
            #expect(key["use"] == "sig")
            #expect(key["alg"] == "RS256")
            #expect(try await published(home).first?.thumbprint == key["kid"]?.string)
            #expect(try await published(home).first?.thumbprint == key["kid"]?.string)
        }
    }

    @Test("old tokens verify until they expire, new ones have the new key, and the retired key disappears")
    func rotation() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (old, refresh) = try await app.tokens()
            let first = try #require(try await published(home).first?.keyID)
            #expect(try header(old)["kid"]?.string == first)
            let second = try await home.provider.rotateTokenKey(by: .user("test"))
            #expect(second != first)
            #expect(try await home.audited("key.rotate") == ["rotated"])
            #expect(try await published(home).map(\.keyID) == [second, first])
            #expect(try await home.provider.tokenKeys().map(\.id) == [second, first])
            #expect(try await home.provider.tokenKeys().map { $0.retiredAt == nil } == [true, false])

            let new = try #require(try await app.refresh(refresh).json["access_token"]?.string)
            #expect(try header(new)["kid"]?.string == second)
            let keys = try await published(home)
            for token in [old, new] {
                #expect(try await app.devices(token).status == 200)
                // As a resource of somebody else would: with the published keys and nothing more.
                let claims = try AccessTokenClaims.verify(
                    token, keys: keys, issuer: home.base, audience: home.base, now: home.clock.seconds)
                #expect(claims.clientID == app.id)
            }

            home.clock.advance(by: 19)
            #expect(try await app.devices(old).status == 200)
            home.clock.advance(by: 2)
            #expect(try await app.devices(old).status == 401)
            #expect(try await published(home).map(\.keyID) == [second, first])
            home.clock.advance(by: 60)
            #expect(try await published(home).map(\.keyID) == [second])
            #expect(try await home.provider.tokenKeys().map(\.id) == [second])
        }
    }

    @Test("a token that a retired key signs after all is refused, and one that names no key or another too")
    func forgery() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (token, refresh) = try await app.tokens()
            let old = try await home.vault.read { try #require(try $0.keys(for: .accessToken).first) }
            let oldKey = JWTSigningKey.rsa(try RSAPrivateKey(der: old.secret), keyID: old.id)
            let claims = try AccessTokenClaims.verify(
                token, keys: [oldKey.verificationKey], issuer: home.base, audience: home.base, now: home.clock.seconds)
            let second = try await home.provider.rotateTokenKey(by: .user("test"))
            home.clock.advance(by: 81)
            let fresh = try #require(try await app.refresh(refresh).json["access_token"]?.string)
            #expect(try await app.devices(fresh).status == 200)
            let tokenID = try #require(
                try JSON(parsing: Base64.decode(fresh.split(separator: ".")[1].utf8, as: .url) ?? [])["jti"]?.string)
            let forged = AccessTokenClaims(
                issuer: claims.issuer, subject: claims.subject, audience: claims.audience, clientID: claims.clientID,
                issuedAt: home.clock.seconds, expiresAt: home.clock.seconds + 20, tokenID: tokenID, scope: claims.scope)
            try await home.expectNothingChanged {
                let der = old.secret
                for keyID in [old.id, second, nil, "other"] {
                    let text = try forged.sign(with: .rsa(try RSAPrivateKey(der: der), keyID: keyID))
                    #expect(try await app.devices(text).status == 401, "\(keyID ?? "none")")
                }
            }
        }
    }

    @Test("a rotation survives a restart, twice in a row it keeps both old keys, and signatures go on")
    func restart() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let (one, refresh) = try await app.tokens()
            _ = try await home.provider.rotateTokenKey(by: .user("test"))
            let two = try #require(try await app.refresh(refresh).json["access_token"]?.string)
            let newest = try await home.provider.rotateTokenKey(by: .user("test"))
            let after = try await home.restart()
            let three = try #require(try await app.refresh(refresh).json["access_token"]?.string)
            #expect(try header(three)["kid"]?.string == newest)
            #expect(Set(try [one, two, three].map { try header($0)["kid"]?.string }).count == 3)
            for token in [one, two, three] { #expect(try await app.devices(token).status == 200) }
            #expect(try await published(after).count == 3)
            #expect(try await published(after).first?.keyID == newest)
        }
    }
}
