// One good proof, and the same proof with one thing wrong, each properly signed by the key it carries.

import OAuth
import Sealing
import StrictJSON
import Testing

@Suite struct DPoPProofTests {
    private static let url = "https://hub.local/v1/devices?x=1#y"
    private static let now = 1_700_000_000
    private static let token = Secret(text: "an.access.token")
    private static let key = JWTSigningKey.p256(TestKeys.p256, keyID: "k")

    private static func good(nonce: String? = nil, proofID: String = "jti") throws -> ForgedToken {
        try ForgedToken(
            DPoPProof.make(
                method: "GET", url: url, key: key, accessToken: token, nonce: nonce, now: now, proofID: proofID))
    }

    private static func signed(_ forged: ForgedToken) throws -> String { try forged.signed(TestKeys.p256.sign) }

    @discardableResult
    private static func verify(
        _ proof: String, method: String = "GET", url: String = "https://hub.local/v1/devices", token: Secret? = token,
        now: Int = now
    ) throws(DPoPFault) -> DPoPProof {
        try .verify([proof], method: method, url: url, accessToken: token, now: now)
    }

    private static func expect(_ fault: DPoPFault, _ forged: ForgedToken, _ comment: Comment? = nil) throws {
        let proof = try signed(forged)
        #expect(throws: fault, comment) { try verify(proof) }
    }

    @Test(
        "a proof of any supported key says which key it was",
        arguments: [
            key, .rsa(TestKeys.rsa, keyID: nil), .ed25519(TestKeys.ed25519, keyID: nil),
        ])
    func good(_ key: JWTSigningKey) throws {
        let text = try DPoPProof.make(
            method: "GET", url: Self.url, key: key, accessToken: Self.token, nonce: "n", now: Self.now, proofID: "jti")
        let proof = try Self.verify(text)
        #expect(proof.thumbprint == key.verificationKey.thumbprint)
        #expect(proof.proofID == "jti")
        #expect(proof.nonce == "n")
        #expect(proof.issuedAt == Self.now)
        let parts = try ForgedToken(text)
        #expect(JSON.object(parts.header)["kid"] == nil)
        #expect(JSON.object(parts.claims)["htu"] == "https://hub.local/v1/devices")
        let jwk = try #require(JSON.object(parts.header)["jwk"])
        #expect(try DPoP.thumbprint(jwk) == proof.thumbprint)
    }

    @Test("the published proofs of RFC 9449 are valid at their time and place")
    func published() throws {
        for vector in VectorFiles.entries("dpop", in: VectorFiles.oauth2) {
            let text = try #require(vector["proof_4.1"]?.string)
            let proof = try DPoPProof.verify(
                [text], method: "POST", url: "https://server.example.com/token", now: 1_562_262_616)
            #expect(proof.thumbprint == vector["jkt"]?.string)
            #expect(proof.proofID == "-BwC3ESc6acc2lTc")
            #expect(proof.nonce == nil)
            #expect(throws: DPoPFault.age(301)) {
                try DPoPProof.verify(
                    [text], method: "POST", url: "https://server.example.com/token", now: 1_562_262_917)
            }
            // Section 7.1, at a resource.
            let header = try #require(text.split(separator: ".").first)
            let used = """
                \(header).eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9\
                yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlp\
                S0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA
                """
            let token = Secret(text: try #require(vector["access_token"]?.string))
            let atResource = try DPoPProof.verify(
                [used], method: "GET", url: "https://resource.example.org/protectedresource", accessToken: token,
                now: 1_562_262_618)
            #expect(atResource.thumbprint == vector["jkt"]?.string)
        }
    }

    @Test("no proof and two proofs are none, even twice the same")
    func count() throws {
        let proof = try Self.signed(Self.good())
        for proofs in [[], [proof, proof], [proof, "x"], [proof, proof, proof]] {
            #expect(throws: DPoPFault.count(proofs.count)) {
                try DPoPProof.verify(
                    proofs, method: "GET", url: Self.url, accessToken: Self.token, now: Self.now)
            }
        }
        #expect(throws: DPoPFault.jwt(.malformed)) { try Self.verify("\(proof), \(proof)") }
        #expect(throws: DPoPFault.jwt(.malformed)) { try Self.verify("") }
        #expect(throws: DPoPFault.jwt(.tooLarge)) { try Self.verify(String(repeating: "a", count: 8193)) }
    }

    @Test("a token of another type is no proof", arguments: ["JWT", "at+jwt", "dpop", "", nil] as [JSON?])
    func type(_ type: JSON?) throws {
        try Self.expect(.jwt(.wrongType), Self.good().header("typ", type))
    }

    @Test(
        "an algorithm that is not the key's is refused",
        arguments: ["none", "HS256", "RS256", "PS256", "EdDSA", "ES384", "es256", "", 7, nil] as [JSON?])
    func algorithm(_ algorithm: JSON?) throws {
        try Self.expect(.jwt(.wrongAlgorithm), Self.good().header("alg", algorithm))
    }

    @Test("without signature, with a wrong one, or one keyed with the public key, it is no proof")
    func signature() throws {
        let good = try Self.good()
        #expect(throws: DPoPFault.jwt(.wrongAlgorithm)) {
            try Self.verify(good.header("alg", "none").signed { _ in [] })
        }
        #expect(throws: DPoPFault.jwt(.badSignature)) { try Self.verify(good.signed { _ in [] }) }
        #expect(throws: DPoPFault.jwt(.badSignature)) { try Self.verify(good.signed(TestKeys.otherP256.sign)) }
        let keyed = good.header("alg", "HS256").signed {
            HMAC.code($0, key: Secret(TestKeys.p256.publicKey.x + TestKeys.p256.publicKey.y), hash: .sha256)
        }
        #expect(throws: DPoPFault.jwt(.wrongAlgorithm)) { try Self.verify(keyed) }
    }

    @Test("a key that is private, secret, missing, damaged, weak or unknown is refused")
    func keys() throws {
        let good = try Self.good()
        let jwk = try #require(JSON.object(good.header)["jwk"]?.members)
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            try Self.expect(.key, good.header("jwk", .object(jwk + [JSON.Member(name, "AA")])), "\(name)")
        }
        let x = try #require(JSON.object(jwk)["x"])
        for bad in [
            nil, .null, "x", [], [:], .array([.object(jwk)]), ["kty": "oct", "k": "AAAA"], ["kty": "oct"],
            .object(jwk.filter { $0.name != "y" }), .object(jwk.filter { $0.name != "kty" }),
            ["kty": "EC", "crv": "P-256", "x": x, "y": x], ["kty": "EC", "crv": "P-384", "x": x, "y": x],
            .object(jwk + [JSON.Member("use", "enc")]), .object(jwk + [JSON.Member("alg", "RS256")]),
        ] as [JSON?] {
            try Self.expect(.key, good.header("jwk", bad), "\(String(describing: bad))")
        }
        let weak: JSON = [
            "kty": "RSA", "e": "AQAB",
            "n": .string(Base64.encode([0xFF] + [UInt8](repeating: 1, count: 254), as: .url)),
        ]
        try Self.expect(.jwt(.badSignature), good.header("jwk", weak).header("alg", "RS256"))
        let other: JSON = .object(JWTSigningKey.p256(TestKeys.otherP256, keyID: nil).verificationKey.jwk.members ?? [])
        try Self.expect(.jwt(.badSignature), good.header("jwk", other))
    }

    @Test("what a header may demand is refused", arguments: ["crit", "jku", "x5u", "b64", "zip", "x5c"])
    func headers(_ name: String) throws {
        try Self.expect(.jwt(.headerNotAllowed(name)), Self.good().header(name, ["x"]))
    }

    @Test(
        "a required claim that is missing or of another kind is refused",
        arguments: ["jti", "htm", "htu", "iat", "ath"])
    func claims(_ name: String) throws {
        for bad in [nil, .null, "", true, [], [:], .decimal(1e300), -1] as [JSON?] {
            try Self.expect(.claim(name), Self.good().claim(name, bad), "\(String(describing: bad))")
        }
    }

    @Test("a proof's id has 1 to 256 bytes")
    func proofID() throws {
        let longest = String(repeating: "j", count: 256)
        #expect(try Self.verify(Self.signed(Self.good(proofID: longest))).proofID == longest)
        try Self.expect(.claim("jti"), Self.good(proofID: longest + "j"))
    }

    @Test("another method is refused, and so is the same one in other case", arguments: ["POST", "get", "GET ", "Get"])
    func method(_ method: String) throws {
        try Self.expect(.claim("htm"), Self.good().claim("htm", .string(method)))
    }

    @Test(
        "a target that means the same is the same",
        arguments: [
            "https://hub.local/v1/devices", "https://hub.local/v1/devices?", "https://hub.local/v1/devices?other=2",
            "https://hub.local/v1/devices#f", "HTTPS://HUB.Local/v1/devices", "https://hub.local:443/v1/devices",
            "https://hub.local:/v1/devices", "https://hub.local/v1/%64evices", "https://hub.local/%76%31/devices",
        ])
    func sameTarget(_ target: String) throws {
        let proof = try Self.signed(Self.good().claim("htu", .string(target)))
        #expect(throws: Never.self) { try Self.verify(proof) }
    }

    @Test(
        "another target is refused",
        arguments: [
            "http://hub.local/v1/devices", "https://hub.local:8443/v1/devices", "https://hub.local:80/v1/devices",
            "https://hub.local/v1/devices/", "https://hub.local/v1/Devices", "https://hub.local/v1",
            "https://hub.local",
            "https://evil.example/v1/devices", "https://hub.local.evil.example/v1/devices", "/v1/devices",
            "https://user@hub.local/v1/devices", "https://hub.local/v1%2Fdevices", "https://hub.local/v1/devices%",
            "https://hub.local/v1/devices%zz", "https://hub.local//v1/devices", "hub.local/v1/devices", "x", " ",
            "https://hub.local/v1/devices ", "https:///v1/devices", "https://hub.local/v1/dévices",
        ])
    func otherTarget(_ target: String) throws {
        try Self.expect(.claim("htu"), Self.good().claim("htu", .string(target)))
    }

    @Test("escapes of reserved characters stay escapes, in either case, and an empty path is a slash")
    func escapes() throws {
        for (target, url, isSame) in [
            ("https://hub.local/a%2fb", "https://hub.local/a%2Fb", true),
            ("https://hub.local/%7ehome/%41", "https://hub.local/~home/A", true),
            ("https://hub.local", "https://hub.local/", true),
            ("https://hub.local?x", "https://hub.local/", true),
            ("https://hub.local/a%2fb", "https://hub.local/a/b", false),
            ("https://hub.local/a%25b", "https://hub.local/a%b", false),
            ("https://hub.local/%257e", "https://hub.local/~", false),
            ("http://[::1]:80/a", "http://[::1]/a", true),
        ] {
            let proof = try Self.signed(Self.good().claim("htu", .string(target)))
            #expect(((try? Self.verify(proof, url: url)) != nil) == isSame, "\(target) \(url)")
        }
    }

    @Test("a proof is good for five minutes either way, and must be remembered that long")
    func age() throws {
        let proof = try Self.signed(Self.good())
        for offset in [-300, 0, 300] {
            #expect(throws: Never.self) { try Self.verify(proof, now: Self.now + offset) }
        }
        for offset in [-3600, -301, 301, 3600] {
            #expect(throws: DPoPFault.age(offset)) { try Self.verify(proof, now: Self.now + offset) }
        }
        let expiry = try Self.verify(proof).expiresAt
        #expect(throws: Never.self) { try Self.verify(proof, now: expiry - 1) }
        #expect(throws: DPoPFault.age(expiry - Self.now)) { try Self.verify(proof, now: expiry) }
    }

    @Test("the access token's hash must be that of the token that came along")
    func accessToken() throws {
        let hash = HashFunction.sha256.digest("an.access.token".utf8)
        for bad in [Hex.encode(hash), Base64.encode(hash, as: .standard), Base64.encode(hash, as: .url) + "="] {
            try Self.expect(.claim("ath"), Self.good().claim("ath", .string(bad)), "\(bad)")
        }
        let proof = try Self.signed(Self.good())
        #expect(throws: DPoPFault.claim("ath")) { try Self.verify(proof, token: Secret(text: "another")) }
        let without = try Self.signed(Self.good().claim("ath", nil))
        #expect(throws: DPoPFault.claim("ath")) { try Self.verify(without) }
        #expect(throws: Never.self) { try Self.verify(without, token: nil) }
        #expect(throws: Never.self) { try Self.verify(proof, token: nil) }
    }

    @Test("a replay and another key are told by what is handed out")
    func handedOut() throws {
        let proof = try Self.signed(Self.good())
        #expect(try Self.verify(proof) == Self.verify(proof))
        let other = try DPoPProof.make(
            method: "GET", url: Self.url, key: .p256(TestKeys.otherP256, keyID: nil), accessToken: Self.token,
            now: Self.now)
        #expect(try Self.verify(other).thumbprint != Self.verify(proof).thumbprint)
        let fresh = try DPoPProof.make(
            method: "GET", url: Self.url, key: Self.key, accessToken: Self.token, now: Self.now)
        let again = try DPoPProof.make(
            method: "GET", url: Self.url, key: Self.key, accessToken: Self.token, now: Self.now)
        #expect(try Self.verify(fresh).proofID != Self.verify(again).proofID)
    }

    @Test("a nonce is handed out unless it is no text", arguments: [7, .null, [], true] as [JSON])
    func nonce(_ bad: JSON) throws {
        #expect(try Self.verify(Self.signed(Self.good())).nonce == nil)
        #expect(try Self.verify(Self.signed(Self.good(nonce: ""))).nonce == "")
        try Self.expect(.claim("nonce"), Self.good().claim("nonce", bad))
    }

    @Test("a fault shows nothing of the proof")
    func descriptions() {
        #expect(DPoPFault.count(2).description == "2 DPoP proofs instead of one")
        #expect(DPoPFault.jwt(.badSignature).description == "DPoP proof: token signature is wrong")
        #expect(DPoPFault.claim("htu").description == #"DPoP proof: claim "htu" is missing or wrong"#)
        #expect(DPoPFault.age(301).description == "DPoP proof was made 301 seconds ago")
        #expect(DPoPFault.key.description == "DPoP proof carries no public key that can be used")
    }
}
