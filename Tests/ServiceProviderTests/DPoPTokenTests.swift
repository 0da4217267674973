// Case P50 at the token endpoint: tokens are bound to a key only for who holds it, this once and here.

import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct DPoPTokenTests {
    private static let url = "/oauth2/token"

    private func expect(_ answer: Answer, _ status: Int, _ error: String, _ at: SourceLocation = #_sourceLocation) {
        #expect(answer.status == status, sourceLocation: at)
        #expect(answer.json["error"]?.string == error, sourceLocation: at)
        #expect(answer.header("Cache-Control") == "no-store", sourceLocation: at)
        #expect(answer.json["access_token"] == nil, sourceLocation: at)
    }

    @Test("P50 a proof that is not right gives no tokens and spoils no code", arguments: ProofFault.withoutToken)
    func badProof(fault: ProofFault) async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home)
            let form = app.app.redemption(try await app.app.code())
            let proof = try await app.proof("POST", home.base + Self.url)
            let bad = try fault.spoil(proof)
            try await home.expectNothingChanged {
                let answer = try await app.token(form, proofs: bad)
                expect(answer, 400, fault.isAboutNonce ? "use_dpop_nonce" : "invalid_dpop_proof")
                #expect((answer.header("DPoP-Nonce") != nil) == !bad.isEmpty)
            }
            let issued = try await app.token(form)
            #expect(issued.status == 200)
            #expect(issued.json["token_type"] == "DPoP")
            #expect(issued.header("DPoP-Nonce") == (try await app.nonce()))
        }
    }

    @Test("P50 a proof is good once, and stays used after a restart")
    func replay() async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home)
            let (_, refresh) = try await app.tokens()
            let proof = try await app.proof("POST", home.base + Self.url).text
            #expect(try await app.refresh(refresh, proofs: [proof]).status == 200)
            try await home.expectNothingChanged {
                expect(try await app.refresh(refresh, proofs: [proof]), 400, "invalid_dpop_proof")
            }

            // The nonces of the process before are gone with it, and its proofs with them.
            let used = try await app.proof("POST", home.base + Self.url)
            #expect(try await app.refresh(refresh, proofs: [used.text]).status == 200)
            let after = try await home.restart()
            try await after.expectNothingChanged {
                expect(try await app.refresh(refresh, proofs: [used.text]), 400, "use_dpop_nonce")
                let again = try await used.claim("nonce", .string(app.nonce()))
                expect(try await app.refresh(refresh, proofs: [again.text]), 400, "invalid_dpop_proof")
            }
            #expect(try await app.refresh(refresh).status == 200)
        }
    }

    @Test("P50 a nonce is good for two minutes and is answered with the next one, also on success")
    func nonces() async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home)
            let (_, refresh) = try await app.tokens()
            let nonce = try await app.nonce()
            func proof() async throws -> String {
                try await app.proof("POST", home.base + Self.url).claim("nonce", .string(nonce)).text
            }
            home.clock.advance(by: 60)
            let next = try await app.nonce()
            #expect(next != nonce)
            let good = try await app.refresh(refresh, proofs: [try await proof()])
            #expect(good.status == 200)
            #expect(good.header("DPoP-Nonce") == next)
            home.clock.advance(by: 60)
            #expect(try await app.refresh(refresh, proofs: [try await proof()]).status == 200)
            home.clock.advance(by: 60)
            let late = try await app.refresh(refresh, proofs: [try await proof()])
            expect(late, 400, "use_dpop_nonce")
            let told = try #require(late.header("DPoP-Nonce"))
            let retry = try await app.proof("POST", home.base + Self.url).claim("nonce", .string(told)).text
            #expect(try await app.refresh(refresh, proofs: [retry]).status == 200)
        }
    }

    @Test("P50 the target may have a query, a fragment, and its host and scheme in capitals")
    func target() async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home)
            let (_, refresh) = try await app.tokens()
            for url in [
                home.base + Self.url + "?more=1", home.base + Self.url + "#x",
                "HTTP" + home.base.dropFirst(4) + Self.url,
                home.base + "/oauth2/%74oken",
            ] {
                let proof = try await app.proof("POST", url).text
                #expect(try await app.refresh(refresh, proofs: [proof]).status == 200, "\(url)")
            }
        }
    }

    @Test("every algorithm that the metadata announces is taken")
    func algorithms() async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home)
            let (_, refresh) = try await app.tokens()
            let document = try await home.send("GET", "/.well-known/oauth-authorization-server").json
            let announced = try #require(document["dpop_signing_alg_values_supported"]?.strings)
            let keys: [JWTSigningKey] = [
                .p256(try P256PrivateKey(), keyID: nil), .ed25519(Ed25519PrivateKey(), keyID: nil),
                .rsa(try RSAPrivateKey(bits: 2048), keyID: nil),
            ]
            #expect(Set(keys.map(\.algorithm)) == Set(announced))
            for key in keys {
                let proof = try DPoPProof.make(
                    method: "POST", url: home.base + Self.url, key: key, nonce: try await app.nonce(),
                    now: home.clock.seconds)
                let answer = try await app.refresh(refresh, proofs: [proof])
                #expect(answer.status == 200, "\(key.algorithm)")
                let token = try #require(answer.json["access_token"]?.string)
                let claims = try JSON(parsing: Base64.decode(token.split(separator: ".")[1].utf8, as: .url) ?? [])
                #expect(claims["cnf"]?["jkt"]?.string == key.verificationKey.thumbprint)
            }
        }
    }

    @Test("every answer to a request with a proof carries the next nonce, whatever its status, and no other does")
    func everywhere() async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home)
            let nonce = try await app.nonce()
            for (method, path, status) in [
                ("GET", "/.well-known/oauth-authorization-server", 200), ("POST", "/oauth2/introspect", 400),
                ("POST", "/oauth2/device_authorization", 400), ("POST", "/oauth2/revoke", 400),
                ("GET", "/api/v1/devices", 401), ("GET", "/nothing", 404), ("DELETE", "/oauth2/token", 404),
            ] {
                let proof = try await app.proof(method, home.base + path).text
                let proved = try await home.send(method, path, headers: [("DPoP", proof)])
                #expect(proved.status == status, "\(path)")
                #expect(proved.headers["DPoP-Nonce"] == [nonce], "\(path)")
                #expect(try await home.send(method, path).header("DPoP-Nonce") == nil, "\(path)")
            }
            let foreign = try await home.send("GET", "/", headers: [("DPoP", "x"), ("Host", "evil.example")])
            #expect(foreign.status == 421)
            #expect(foreign.headers["DPoP-Nonce"] == [nonce])
            home.vault.seal()
            let sealed = try await home.send("POST", Self.url, headers: [("DPoP", "x")])
            #expect(sealed.status == 503)
            #expect(sealed.headers["DPoP-Nonce"] == [nonce])
        }
    }

    @Test("a client that may do without proof gets a bearer token without one, and one that may not gets nothing")
    func required() async throws {
        try await TestHome.run { home in
            let free = try await ProvingApp.register(home, named: "Free") { _ in }
            let bearer = try await free.token(free.app.redemption(try await free.app.code()), proofs: [])
            #expect(bearer.status == 200)
            #expect(bearer.json["token_type"] == "Bearer")
            #expect(bearer.header("DPoP-Nonce") == nil)

            let app = try await ProvingApp.register(home)
            let (_, refresh) = try await app.tokens()
            try await home.expectNothingChanged {
                expect(try await app.refresh(refresh, proofs: []), 400, "invalid_dpop_proof")
            }
        }
    }
}
