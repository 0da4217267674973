// Thumbprints are those of RFC 7638 §3.1 and RFC 8037, appendix A.3.

import Sealing
import Testing

@Suite struct JWKThumbprintTests {
    @Test("the RSA key of RFC 7638 has its published thumbprint")
    func rsa() throws {
        let modulus = """
            0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWK
            RXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMic
            AtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3
            XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw
            """.filter { $0 != "\n" }
        let key = try RSAPublicKey(
            modulus: #require(Base64.decode(modulus, as: .url)), exponent: #require(Base64.decode("AQAB", as: .url)))
        let thumbprint = JWKThumbprint.rsa(modulus: key.modulus, exponent: key.exponent)
        #expect(Base64.encode(thumbprint, as: .url) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
    }

    @Test("the Ed25519 key of RFC 8037 has its published thumbprint, whose start is the key id")
    func ed25519() throws {
        let raw = try #require(Base64.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", as: .url))
        let key = try Ed25519PublicKey(rawBytes: raw)
        #expect(Base64.encode(key.thumbprint, as: .url) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        #expect(key.keyID == "kPrK_qmxVWY")
    }

    @Test("the same bytes as X25519 and elliptic-curve keys have thumbprints of their own")
    func otherTypes() {
        let raw = [UInt8](repeating: 7, count: 32)
        let text = Base64.encode(raw, as: .url)
        #expect(
            JWKThumbprint.x25519(raw)
                == HashFunction.sha256.digest(#"{"crv":"X25519","kty":"OKP","x":"\#(text)"}"#.utf8))
        #expect(
            JWKThumbprint.ec(curve: "P-256", x: text, y: text)
                == HashFunction.sha256.digest(#"{"crv":"P-256","kty":"EC","x":"\#(text)","y":"\#(text)"}"#.utf8))
        #expect(JWKThumbprint.x25519(raw) != JWKThumbprint.ed25519(raw))
    }
}
