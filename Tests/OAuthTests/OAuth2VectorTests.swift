// The digests and encodings of OAuth 2 come out as the RFCs print them.

import OAuth
import Sealing
import StrictJSON
import Testing

@Suite struct OAuth2VectorTests {
    private static func entries(_ table: String) -> [JSON] { VectorFiles.entries(table, in: VectorFiles.oauth2) }

    @Test("every published vector is there to be tested")
    func vectorsAreFound() {
        for table in ["pkce", "form_encoding", "basic", "dpop", "jwk_thumbprint"] {
            #expect(!Self.entries(table).isEmpty, "\(table)")
        }
    }

    @Test("a PKCE challenge is what the vector says", arguments: entries("pkce"))
    func pkce(_ vector: JSON) throws {
        let verifier = Secret(text: try #require(vector["code_verifier"]?.string))
        let challenge = try #require(vector["code_challenge_S256"]?.string)
        #expect(try PKCE(verifier: verifier).challenge == challenge)
        #expect(PKCE.matches(verifier: verifier, challenge: challenge))
        #expect(!PKCE.matches(verifier: verifier, challenge: String(challenge.reversed())))
    }

    @Test("form encoding is what the vector says", arguments: entries("form_encoding"))
    func formEncoding(_ vector: JSON) throws {
        let value = try #require(vector["value"]?.string)
        let encoded = try #require(vector["encoded"]?.string)
        #expect(FormCoding.encode(value) == encoded)
        #expect(try FormCoding.parse("a=" + encoded) == [Parameter("a", value)])
    }

    @Test("Basic credentials are what the vector says, both ways, and are read again", arguments: entries("basic"))
    func basic(_ vector: JSON) throws {
        let id = try #require(vector["client_id"]?.string)
        let secret = Secret(text: try #require(vector["client_secret"]?.string))
        let both = vector["header"]?.string
        let headers = [
            (BasicCredentials.Encoding.rfc, try #require(vector["rfc6749_header"]?.string ?? both)),
            (.raw, try #require(vector["raw_header"]?.string ?? both)),
        ]
        for (encoding, header) in headers {
            #expect(BasicCredentials.encode(id: id, secret: secret, as: encoding).revealText() == header)
        }
        let encoded = try #require(try BasicCredentials.parse(headers[0].1)).interpretations
        #expect(encoded.first?.clientID == id)
        #expect(encoded.first?.secret.matches(secret) == true)
        // Written raw, a colon in the id cannot be told from the one that ends it.
        guard !id.contains(":") else { return }
        let raw = try #require(try BasicCredentials.parse(headers[1].1)).interpretations
        #expect(raw.contains { $0.clientID == id && $0.secret.matches(secret) })
    }

    @Test("an access token's hash and a key's thumbprint are what the vector says", arguments: entries("dpop"))
    func dpop(_ vector: JSON) throws {
        let token = Secret(text: try #require(vector["access_token"]?.string))
        let jwk = try #require(vector["jwk"])
        #expect(DPoP.accessTokenHash(token) == vector["ath"]?.string)
        #expect(try DPoP.thumbprint(jwk) == vector["jkt"]?.string)
    }

    @Test("a thumbprint is what the vector says", arguments: entries("jwk_thumbprint"))
    func thumbprint(_ vector: JSON) throws {
        #expect(try DPoP.thumbprint(vector) == vector["thumbprint"]?.string)
        let set = try JWKSet(parsing: JSON.object([JSON.Member("keys", .array([vector]))]).bytes)
        #expect(set.keys.first?.thumbprint == vector["thumbprint"]?.string)
    }

    @Test("a private key has no thumbprint here")
    func privateKey() {
        #expect(throws: OAuthError.malformed("jwk")) {
            try DPoP.thumbprint(["kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"])
        }
        #expect(throws: OAuthError.malformed("jwk")) { try DPoP.thumbprint(["kty": "oct", "k": "AA"]) }
        #expect(throws: OAuthError.malformed("jwk")) {
            try DPoP.thumbprint(["kty": "EC", "crv": "P-256", "x": "A\",\"z\":\"A", "y": "AA"])
        }
    }
}

@Suite struct PKCETests {
    @Test("a new verifier is well-formed, and no two are the same")
    func fresh() {
        let first = PKCE()
        let second = PKCE()
        #expect(PKCE.isValidVerifier(first.verifier))
        #expect(PKCE.isValidChallenge(first.challenge))
        #expect(first.challenge != second.challenge)
        #expect(PKCE.matches(verifier: first.verifier, challenge: first.challenge))
        #expect(!PKCE.matches(verifier: first.verifier, challenge: second.challenge))
    }

    @Test(
        "a malformed verifier is refused",
        arguments: [
            "", String(repeating: "a", count: 42), String(repeating: "a", count: 129),
            String(repeating: "a", count: 42) + "+", String(repeating: "a", count: 42) + "é",
        ])
    func badVerifier(_ text: String) {
        #expect(throws: OAuthError.malformed("code_verifier")) { try PKCE(verifier: Secret(text: text)) }
    }

    @Test(
        "a malformed challenge is refused",
        arguments: [
            "", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN",
        ])
    func badChallenge(_ text: String) {
        #expect(!PKCE.isValidChallenge(text))
    }
}
