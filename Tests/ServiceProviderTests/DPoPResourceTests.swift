// Cases P50 and P51 at the app API: a bound token is worth nothing without the key it is bound to.

import NIOHTTP1
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Testing
import Vault

@Suite(.timeLimit(.minutes(5))) struct DPoPResourceTests {
    private static let api = "/api/v1/devices"

    private func expect(_ answer: Answer, _ error: String, _ at: SourceLocation = #_sourceLocation) {
        #expect(answer.status == 401, sourceLocation: at)
        #expect(answer.header("Content-Type") == "application/problem+json", sourceLocation: at)
        let challenges = answer.headers["WWW-Authenticate"]
        #expect(
            challenges.contains { $0.hasPrefix("DPoP ") && $0.contains("error=\"\(error)\"") }, "\(challenges)",
            sourceLocation: at)
    }

    @Test("P50 a proof that is not right opens nothing", arguments: ProofFault.allCases)
    func badProof(fault: ProofFault) async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home)
            let (access, _) = try await app.tokens()
            let bad = try fault.spoil(try await app.proof("GET", home.base + Self.api, token: access))
            try await home.expectNothingChanged {
                let answer = try await app.devices(access, proofs: bad)
                expect(answer, fault.isAboutNonce ? "use_dpop_nonce" : "invalid_dpop_proof")
                #expect(!answer.body.contains("front-door"))
                #expect((answer.header("DPoP-Nonce") != nil) == !bad.isEmpty)
            }
            let good = try await app.devices(access)
            #expect(good.status == 200)
            #expect(good.header("DPoP-Nonce") == (try await app.nonce()))
        }
    }

    @Test("P50 a proof is good once, and stays used after a restart of the home")
    func replay() async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home)
            let (access, _) = try await app.tokens()
            let proof = try await app.proof("GET", home.base + Self.api, token: access)
            #expect(try await app.devices(access, proofs: [proof.text]).status == 200)
            expect(try await app.devices(access, proofs: [proof.text]), "invalid_dpop_proof")
            let after = try await home.restart()
            try await after.expectNothingChanged {
                expect(try await app.devices(access, proofs: [proof.text]), "use_dpop_nonce")
                let again = try await proof.claim("nonce", .string(app.nonce())).text
                expect(try await app.devices(access, proofs: [again]), "invalid_dpop_proof")
            }
            #expect(try await app.devices(access).status == 200)
        }
    }

    @Test("P50 a proof by another key, a proof without the header of a token, and a proof that has expired in between")
    func otherKey() async throws {
        try await TestHome.run(accessTokenLifetime: .seconds(3600)) { home in
            let app = try await ProvingApp.register(home)
            let (access, _) = try await app.tokens()
            let thief = try app.withOtherKey()
            expect(try await thief.devices(access), "invalid_token")
            let proof = try await app.proof("GET", home.base + Self.api, token: access).text
            let alone = try await home.send("GET", Self.api, headers: [("DPoP", proof)])
            #expect(alone.status == 401)
            home.clock.advance(by: 301)
            let late = try await app.devices(access, proofs: [proof])
            #expect(late.status == 401)
            #expect(try await app.devices(access).status == 200)
        }
    }

    @Test("P50 the query of the request is not part of the target, and a proof for one device is none for another")
    func target() async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home, scopes: ["lock.lock@front-door", "climate.set@hall"])
            let (access, _) = try await app.tokens()
            let plain = try await app.proof("GET", home.base + Self.api, token: access).text
            #expect(try await app.devices(access, path: Self.api + "?page=1", proofs: [plain]).status == 200)
            let query = try await app.proof("GET", home.base + Self.api + "?page=2", token: access).text
            #expect(try await app.devices(access, proofs: [query]).status == 200)
            let one = try await app.proof("GET", home.base + Self.api + "/front-door", token: access).text
            expect(try await app.devices(access, path: Self.api + "/hall", proofs: [one]), "invalid_dpop_proof")
            #expect(try await app.devices(access, path: Self.api + "/front-door", proofs: [one]).status == 200)
        }
    }

    @Test("P51 a bound token is no bearer token, with or without a proof, and a bearer token is no bound one")
    func schemes() async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home) { _ in }
            let (bound, _) = try await app.tokens()
            let plain = try await app.token(app.app.redemption(try await app.app.code()), proofs: [])
            let bearer = try #require(plain.json["access_token"]?.string)
            try await home.expectNothingChanged {
                let downgraded = try await app.app.devices(bound)
                expect(downgraded, "invalid_token")
                #expect(downgraded.headers["WWW-Authenticate"].contains { $0.hasPrefix("Bearer ") })
                expect(try await app.devices(bound, scheme: "Bearer"), "invalid_token")
                expect(try await app.devices(bearer), "invalid_token")
                expect(try await app.devices(bearer, proofs: []), "invalid_token")
            }
            #expect(try await app.devices(bound).status == 200)
            #expect(try await app.devices(bound, scheme: "dpop").status == 200)
            #expect(try await app.app.devices(bearer).status == 200)
            #expect(try await app.devices(bearer, scheme: "bearer").status == 200)
        }
    }

    @Test("a client's own token is bound the same way")
    func clientToken() async throws {
        try await TestHome.run { home in
            let app = try await ProvingApp.register(home) { terms in
                terms.grantTypes = ["client_credentials"]
                terms.requiresDPoP = true
            }
            let answer = try await app.token([("grant_type", "client_credentials")])
            #expect(answer.json["token_type"] == "DPoP")
            let own = try #require(answer.json["access_token"]?.string)
            try await home.expectNothingChanged {
                expect(try await app.devices(own, path: "/api/v1/app", proofs: []), "invalid_dpop_proof")
                expect(try await app.devices(own, path: "/api/v1/app", scheme: "Bearer"), "invalid_token")
                expect(try await app.withOtherKey().devices(own, path: "/api/v1/app"), "invalid_token")
            }
            let shown = try await app.devices(own, path: "/api/v1/app")
            #expect(shown.status == 200)
            #expect(shown.json["client_id"]?.string == app.app.id)
            // Good, but for nothing in the home.
            #expect(try await app.devices(own).status == 403)
        }
    }
}
