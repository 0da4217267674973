// The answers are those of RFC 2617 §3.5, RFC 7616 §3.9.1, and of Python's requests 2.34 to the same challenges.

import OAuth
import Sealing
import Testing

@Suite struct DigestTests {
    private static let rfc2617 =
        #"Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", "#
        + #"opaque="5ccc069c403ebaf9f0171e9517f40e41""#
    private static let rfc7616 =
        #"realm="http-auth@example.org", qop="auth, auth-int", "#
        + #"nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
    private static let vendor =
        #"Digest realm="oauth2_client@api.example.com", nonce="7b6e45de18ac4ee452ee0a0de91dbb10""#
    private static let hub = DigestCredentials(clientID: "hub-client", secret: Secret(text: "s3:cr+et é"))

    private static func answer(
        _ challenge: String, _ credentials: DigestCredentials = hub, method: String = "POST",
        url: String = "https://api.example.com/oauth2/token", coversQuery: Bool = true, count: UInt32 = 1,
        clientNonce: String = "0a4f113b"
    ) throws -> String {
        try credentials.authorization(
            for: .parse(challenge), request: .init(method: method, url: url, coversQuery: coversQuery), count: count,
            clientNonce: clientNonce
        ).revealText()
    }

    private static func response(_ header: String) -> String? {
        header.split(separator: "response=\"").dropFirst().first.map { String($0.prefix { $0 != "\"" }) }
    }

    @Test("the example of RFC 2617 is answered as there")
    func rfc2617() throws {
        let header = try Self.answer(
            Self.rfc2617, DigestCredentials(clientID: "Mufasa", secret: Secret(text: "Circle Of Life")), method: "GET",
            url: "http://www.nowhere.org/dir/index.html")
        #expect(
            header == #"Digest username="Mufasa", realm="testrealm@host.com", "#
                + #"nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", "#
                + #"response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41", "#
                + #"qop=auth, nc=00000001, cnonce="0a4f113b""#)
    }

    @Test(
        "the examples of RFC 7616 are answered as there, the first algorithm offered winning",
        arguments: [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"), ("md5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ])
    func rfc7616(_ algorithm: String, _ expected: String) throws {
        let mufasa = DigestCredentials(clientID: "Mufasa", secret: Secret(text: "Circle of Life"))
        for challenge in [
            "Digest \(Self.rfc7616), algorithm=\(algorithm)", "DIGEST algorithm=\"\(algorithm)\",\(Self.rfc7616)",
            "Basic realm=\"a, b\", Digest \(Self.rfc7616), algorithm=\(algorithm), Digest \(Self.rfc7616), algorithm=SHA-256",
            "Negotiate a/b+c==, Digest \(Self.rfc7616), algorithm=SHA-512-256,"
                + " Digest \(Self.rfc7616), algorithm=\(algorithm), Bearer",
        ] {
            let header = try Self.answer(
                challenge, mufasa, method: "GET", url: "http://www.example.org/dir/index.html",
                clientNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
            #expect(Self.response(header) == expected, "\(challenge)")
            #expect(header.contains("algorithm=\(algorithm.uppercased()), opaque=\"FQhe"))
        }
    }

    @Test("without qop the answer is the one of RFC 2069, as requests gives it")
    func withoutQuality() throws {
        let header = try Self.answer(Self.vendor)
        #expect(
            header == #"Digest username="hub-client", realm="oauth2_client@api.example.com", "#
                + #"nonce="7b6e45de18ac4ee452ee0a0de91dbb10", uri="/oauth2/token", "#
                + #"response="0df96cf88d880e3cc13d535db458f5f3""#)
        let mufasa = DigestCredentials(clientID: "Mufasa", secret: Secret(text: "Circle Of Life"))
        let old = Self.rfc2617.split(separator: #"qop="auth,auth-int", "#).joined()
        #expect(
            Self.response(try Self.answer(old, mufasa, method: "GET", url: "http://h/dir/index.html"))
                == "670fd8c2df070c60b045671b8b24ff02")
        #expect(
            Self.response(try Self.answer(#"Digest realm="home", nonce="n", algorithm=SHA-256"#, url: "http://h/t"))
                == "946297af29add1256faf2d9f78e35f71e6c0b4fde7f84a1485449ff0e1f2b368")
    }

    @Test("the query is covered unless the vendor hashes the path alone")
    func query() throws {
        let url = "https://api.example.com/oauth2/token?code=c%20d&grant_type=authorization_code"
        let whole = try Self.answer(Self.vendor, url: url)
        #expect(Self.response(whole) == "6106e484aca0875fb8da4bd13817e5d9")
        #expect(whole.contains(#"uri="/oauth2/token?code=c%20d&grant_type=authorization_code""#))
        #expect(try Self.answer(Self.vendor, url: url, coversQuery: false) == Self.answer(Self.vendor))
    }

    @Test("a URL without path stands for the root")
    func root() throws {
        let header = try Self.answer(
            #"Digest realm="home, sweet", nonce="n=/+", algorithm=SHA-256, qop=auth, opaque="o""#,
            url: "https://api.example.com")
        #expect(
            Self.response(header) == "70d4e3e21902493950302d7d97709d69192af496fedc71fcf85e625857dc6749")
        #expect(header.contains(#"uri="/""#))
    }

    @Test("each answer to the same nonce has its own number, and its own client nonce")
    func count() throws {
        let late = try Self.answer(Self.rfc2617, count: 0x1F)
        #expect(late.contains("nc=0000001f,"))
        #expect(try Self.answer(Self.rfc2617, count: .max).contains("nc=ffffffff,"))
        #expect(try Self.response(late) != Self.response(Self.answer(Self.rfc2617)))
        let challenge = try DigestChallenge.parse(Self.rfc2617)
        let request = DigestCredentials.Request(method: "GET", url: "http://h/")
        let two = try (0..<2).map { _ in try Self.hub.authorization(for: challenge, request: request).revealText() }
        #expect(two[0] != two[1])
    }

    @Test("a challenge says whether only its nonce was too old")
    func stale() throws {
        #expect(try DigestChallenge.parse(Self.vendor + ", stale=TRUE").isStale)
        #expect(try !DigestChallenge.parse(Self.vendor + #", stale="false""#).isStale)
        #expect(try !DigestChallenge.parse(Self.vendor).isStale)
    }

    @Test("what is not known is passed over: domain, charset, userhash")
    func unknownParameters() throws {
        let challenge = try DigestChallenge.parse(
            Self.vendor + #", domain="/a /b", charset=UTF-8, userhash=true, x-1="\"\\é", qop="""#)
        #expect(challenge == (try DigestChallenge.parse(Self.vendor)))
        #expect(!challenge.usesQuality && !challenge.namesAlgorithm && challenge.algorithm == .md5)
    }

    @Test(
        "a hostile or hopeless challenge is refused, and says why",
        arguments: [
            ("", OAuthError.missing("Digest challenge")), (#"Basic realm="a""#, .missing("Digest challenge")),
            ("Digest", .missing("realm")), (#"Digest realm="a""#, .missing("nonce")),
            (#"Digest realm="a", nonce="""#, .missing("nonce")), (#"Digest nonce="n""#, .missing("realm")),
            (#"Digest realm="a", nonce="n", nonce="m""#, .repeated("nonce")),
            (#"Digest realm="a", nonce="n", NONCE="m""#, .repeated("nonce")),
            (#"Digest realm="a\"b", nonce="n""#, .malformed("realm")),
            (#"Digest realm="a\\b", nonce="n""#, .malformed("realm")),
            (#"Digest realm="é", nonce="n""#, .malformed("realm")),
            (#"Digest realm="a", nonce="n\"""#, .malformed("nonce")),
            ("Digest realm=\"a\", nonce=\"n\tm\"", .malformed("nonce")),
            (#"Digest realm="a", nonce="n", opaque="\"""#, .malformed("opaque")),
            (#"Digest realm="a", nonce="n", algorithm=SHA-512-256"#, .unsupported("algorithm")),
            (#"Digest realm="a", nonce="n", algorithm=MD5-sess"#, .unsupported("algorithm")),
            (#"Digest realm="a", nonce="n", qop="auth-int""#, .unsupported("qop")),
            (#"Digest realm="a", nonce="n", qop="auth-int", Digest realm="b""#, .unsupported("qop")),
            (#"Digest realm="a", nonce="n", qop="authx""#, .unsupported("qop")),
            (#"Digest realm="a", nonce="n"#, .malformedEncoding("WWW-Authenticate header")),
            ("Digest realm=\"a\r\nX: y\", nonce=\"n\"", .malformedEncoding("WWW-Authenticate header")),
            ("Digest realm=\"a\"\r\n, nonce=\"n\"", .malformedEncoding("WWW-Authenticate header")),
            ("Digest realm=\"a\\\n\", nonce=\"n\"", .malformedEncoding("WWW-Authenticate header")),
            (#"Digest realm="a" nonce="n""#, .malformedEncoding("WWW-Authenticate header")),
            (#"Digest realm=, nonce="n""#, .missing("realm")),
            (#"Digest nonce="n", realm="#, .malformedEncoding("WWW-Authenticate header")),
            (#"realm="a", nonce="n""#, .malformedEncoding("WWW-Authenticate header")),
            (#"Digest "a""#, .malformedEncoding("WWW-Authenticate header")),
        ])
    func refused(_ challenge: String, _ error: OAuthError) {
        #expect(throws: error) { try DigestChallenge.parse(challenge) }
        #expect(!error.description.contains("SHA-512"))
    }

    @Test("a challenge of 100 KB is not even read")
    func large() {
        let challenge = Self.vendor + #", opaque=""# + String(repeating: "x", count: 100_000) + #"""#
        #expect(throws: OAuthError.tooLarge("WWW-Authenticate header", limit: 8192)) {
            try DigestChallenge.parse(challenge)
        }
    }

    @Test("what cannot stand between quotes is not written there")
    func unwritable() {
        for id in ["", "a\"b", "a\\b", "a\r\nb", "é"] {
            #expect(throws: OAuthError.malformed("client_id"), "\(id)") {
                try Self.answer(Self.vendor, DigestCredentials(clientID: id, secret: Secret(text: "s")))
            }
        }
        for url in ["/token", "https://h/a\"b", "https://h/a\\b", "https://h/é"] {
            #expect(throws: OAuthError.self, "\(url)") { try Self.answer(Self.vendor, url: url) }
        }
        #expect(throws: OAuthError.malformed("cnonce")) { try Self.answer(Self.rfc2617, clientNonce: "\"") }
    }

    @Test("the secret never shows")
    func secrecy() throws {
        var text = ""
        dump(Self.hub, to: &text)
        #expect(!text.contains("s3:cr"))
        #expect(try !Self.answer(Self.vendor).contains("s3:cr"))
    }
}
