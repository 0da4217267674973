// A good token is described in full, a bad one not at all.

import OAuth
import StrictJSON
import Testing

@Suite struct IntrospectionTests {
    private static func parse(_ text: String) throws -> IntrospectionReply {
        try IntrospectionReply.parse(Array(text.utf8))
    }

    @Test("what our server answers, our client reads")
    func roundTrip() throws {
        let reply = IntrospectionReply(
            active: true, scope: ["a@b", "c@d"], clientID: "hub", username: "anna", tokenType: "DPoP", expiresAt: 2000,
            issuedAt: 1000, subject: "7", audience: ["https://hub.example"], issuer: "https://hub.example",
            tokenID: "jti", confirmation: "jkt")
        #expect(
            reply.json.text
                == #"{"active":true,"scope":"a@b c@d","client_id":"hub","username":"anna","token_type":"DPoP","#
                + #""exp":2000,"iat":1000,"sub":"7","aud":"https://hub.example","iss":"https://hub.example","#
                + #""jti":"jti","cnf":{"jkt":"jkt"}}"#)
        #expect(try Self.parse(reply.json.text) == reply)
        let two = IntrospectionReply(active: true, audience: ["a", "b"])
        #expect(two.json.text == #"{"active":true,"aud":["a","b"]}"#)
        #expect(try Self.parse(two.json.text) == two)
    }

    @Test("of a token that is not good nothing is said")
    func inactive() throws {
        #expect(IntrospectionReply.inactive.json.text == #"{"active":false}"#)
        #expect(IntrospectionReply(active: false, clientID: "hub", subject: "7").json.text == #"{"active":false}"#)
        #expect(try Self.parse(#"{"active":false,"sub":"7","exp":"x"}"#) == .inactive)
    }

    @Test(
        "a moment may be a fraction or text",
        arguments: [
            ("2000", 2000), ("2000.9", 2000), ("\"2000\"", 2000), ("-1", 0), ("1e300", 253_402_300_799),
        ])
    func moments(_ written: String, _ seconds: Int) throws {
        let reply = try Self.parse(#"{"active":true,"exp":\#(written),"iat":\#(written),"scope":null}"#)
        #expect(reply.expiresAt == seconds)
        #expect(reply.issuedAt == seconds)
        #expect(reply.scope == nil)
    }

    @Test(
        "an answer that cannot be understood is none",
        arguments: [
            ("<html>", OAuthError.malformedEncoding("JSON")), ("[]", .missing("active")), ("{}", .missing("active")),
            (#"{"active":"true"}"#, .malformed("active")), (#"{"active":1}"#, .malformed("active")),
            (#"{"active":true,"exp":"soon"}"#, .malformed("exp")), (#"{"active":true,"iat":[]}"#, .malformed("iat")),
            (#"{"active":true,"sub":7}"#, .malformed("sub")), (#"{"active":true,"aud":[7]}"#, .malformed("aud")),
            (#"{"active":true,"scope":["a"]}"#, .malformed("scope")),
            (#"{"active":true,"cnf":{"x5t#S256":"x"}}"#, .malformed("cnf")),
            (#"{"active":true,"cnf":"x"}"#, .malformed("cnf")),
            (#"{"active":false,"active":true}"#, .malformedEncoding("JSON")),
        ])
    func refused(_ text: String, _ error: OAuthError) {
        #expect(throws: error) { try Self.parse(text) }
    }
}
