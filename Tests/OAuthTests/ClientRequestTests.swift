// Whatever a client posts, it proves itself in one way, and the proof is gone from what is read afterwards.

import OAuth
import Sealing
import StrictJSON
import Testing

@Suite struct ClientRequestTests {
    private static let basic = BasicCredentials.encode(id: "c", secret: Secret(text: "s"), as: .rfc).revealText()
    private static let assertion = make("c")
    private static let type = "client_assertion_type=" + FormCoding.encode(ClientAssertion.type)

    private static func make(_ id: String) -> String {
        let key = JWTSigningKey.ed25519(TestKeys.ed25519, keyID: nil)
        let made = try? ClientAssertion.make(clientID: id, audience: "https://as.example", key: key, now: 1000)
        return made?.revealText() ?? "no assertion"
    }

    private static func parse(
        _ body: String, authorization: String? = nil, method: String = "POST", query: String? = nil,
        contentType: String? = FormCoding.mediaType
    ) throws(OAuth2Refusal) -> ClientRequest {
        try ClientRequest.parse(
            method: method, query: query, contentType: contentType, authorization: authorization,
            body: Array(body.utf8))
    }

    @Test("a client proves itself in one of four ways")
    func ways() throws {
        let header = try Self.parse("token=t", authorization: Self.basic).client
        let body = try Self.parse("token=t&client_id=c&client_secret=s").client
        let signed = try Self.parse("token=t&client_assertion=\(Self.assertion)&\(Self.type)").client
        let nobody = try Self.parse("token=t&client_id=c").client
        guard case .basic = header, case .post("c", let secret) = body, case .assertion(let assertion) = signed,
            case .none("c") = nobody
        else {
            Issue.record("read as another way")
            return
        }
        #expect(secret.revealText() == "s")
        let verified = try assertion.verify(
            keys: [.ed25519(TestKeys.ed25519.publicKey, keyID: nil)], issuer: "https://as.example", now: 1000)
        #expect(!verified.id.isEmpty)
        for client in [header, body, signed, nobody] { #expect(client.claimedIDs == ["c"]) }
        #expect(header.usedHeader)
        for client in [body, signed, nobody] { #expect(!client.usedHeader) }
    }

    @Test("a header that can be read in two ways claims two ids")
    func twoReadings() throws {
        let header = BasicCredentials.encode(id: "a+b", secret: Secret(text: "s"), as: .raw).revealText()
        #expect(try Self.parse("", authorization: header).client.claimedIDs == ["a b", "a+b"])
        let sameID = BasicCredentials.encode(id: "a", secret: Secret(text: "s+t"), as: .raw).revealText()
        #expect(try Self.parse("", authorization: sameID).client.claimedIDs == ["a"])
    }

    @Test("what proves the client and what is empty is not among the parameters")
    func parameters() throws {
        let secret = try Self.parse("a=1&client_id=c&client_secret=s3cret&b=&resource=urn:x&resource=urn:y")
        #expect(
            secret.parameters == [
                Parameter("a", "1"), Parameter("client_id", "c"), Parameter("resource", "urn:x"),
                Parameter("resource", "urn:y"),
            ])
        let signed = try Self.parse("a=1&client_id=c&client_assertion=\(Self.assertion)&\(Self.type)")
        #expect(signed.parameters == [Parameter("a", "1"), Parameter("client_id", "c")])
    }

    @Test("nothing of a request is shown when it is printed")
    func printed() throws {
        let request = try Self.parse("token=t0ken&client_id=c&client_secret=s3cret")
        var dumped = ""
        dump(request, to: &dumped)
        for text in ["\(request)", String(reflecting: request), dumped] {
            #expect(!text.contains("t0ken") && !text.contains("s3cret"), "\(text)")
        }
    }

    @Test(
        "a request with two proofs, half a proof or none is refused",
        arguments: [
            ("client_id=c&client_secret=s", basic, OAuth2Refusal.severalAuthentications),
            ("client_secret=s", basic, .severalAuthentications), ("client_id=d", basic, .severalAuthentications),
            ("client_assertion=\(assertion)&\(type)", basic, .severalAuthentications),
            ("\(type)", basic, .severalAuthentications),
            ("client_assertion=\(assertion)&\(type)&client_secret=s", nil, .severalAuthentications),
            ("client_assertion=\(assertion)&\(type)&client_id=d", nil, .severalAuthentications),
            ("client_assertion=\(assertion)", nil, .missingParameter("client_assertion_type")),
            ("client_assertion=\(assertion)&client_assertion_type=", nil, .missingParameter("client_assertion_type")),
            ("\(type)&client_id=c", nil, .missingParameter("client_assertion")),
            ("client_assertion=\(assertion)&client_assertion_type=urn:x", nil, .invalidClient(usedHeader: false)),
            ("client_assertion=a.b.c&\(type)", nil, .invalidClient(usedHeader: false)),
            (
                "client_assertion=\(assertion)&client_assertion=\(assertion)&\(type)", nil,
                .repeatedParameter("client_assertion")
            ),
            ("client_id=c&client_secret=s&client_secret=s", nil, .repeatedParameter("client_secret")),
            ("client_id=c&client_id=c", nil, .repeatedParameter("client_id")),
            ("client_secret=s", nil, .invalidClient(usedHeader: false)),
            ("client_id=", nil, .invalidClient(usedHeader: false)),
            ("client_id=a%0Ab", nil, .invalidClient(usedHeader: false)),
            ("client_id=" + String(repeating: "c", count: 257), nil, .invalidClient(usedHeader: false)),
            ("", nil, .invalidClient(usedHeader: false)), ("", "Bearer x", .invalidClient(usedHeader: true)),
            ("client_id=c", "Negotiate x", .invalidClient(usedHeader: true)),
        ] as [(String, String?, OAuth2Refusal)])
    func badProof(_ body: String, _ authorization: String?, _ refusal: OAuth2Refusal) {
        #expect(throws: refusal) { try Self.parse(body, authorization: authorization) }
    }

    @Test("only a form in a POST body is read, and only resource and audience may repeat")
    func form() throws {
        let body = "client_id=c&audience=a&audience=b&resource=urn:x&resource=urn:x"
        #expect(
            try Self.parse(body, contentType: "Application/X-WWW-Form-Urlencoded; charset=utf-8").parameters.count == 5)
        #expect(try Self.parse(body, query: "").parameters.count == 5)
        #expect(throws: OAuth2Refusal.notAFormPost) { try Self.parse(body, method: "PUT") }
        #expect(throws: OAuth2Refusal.notAFormPost) { try Self.parse(body, method: "post") }
        #expect(throws: OAuth2Refusal.notAFormPost) { try Self.parse(body, query: "client_secret=s") }
        #expect(throws: OAuth2Refusal.notAFormPost) { try Self.parse(body, contentType: "application/json") }
        #expect(throws: OAuth2Refusal.notAFormPost) { try Self.parse(body, contentType: nil) }
        #expect(throws: OAuth2Refusal.notAFormPost) {
            try Self.parse(body + "&x=" + String(repeating: "x", count: ClientRequest.maximumSize))
        }
        #expect(throws: OAuth2Refusal.malformedRequest) { try Self.parse(body + "&a=%FF") }
        #expect(throws: OAuth2Refusal.repeatedParameter("x")) { try Self.parse(body + "&x=&x=") }
    }
}
