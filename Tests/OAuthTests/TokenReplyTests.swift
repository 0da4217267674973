// Vendors are careless in many ways; a good token survives all of them, a bad one none.

import OAuth
import Sealing
import StrictJSON
import Testing

@Suite struct TokenReplyTests {
    private static func parse(_ text: String, _ options: TokenReplyOptions = TokenReplyOptions()) throws -> TokenReply {
        try TokenReply.parse(Array(text.utf8), options: options)
    }

    @Test(
        "a lifetime is a whole number of seconds that makes sense",
        arguments: [
            ("3600", 3600), ("\"1799\"", 1799), ("\" 1799 \"", 1799), ("3599.5", 3599), ("\"3599.5\"", 3599), ("0", 1),
            ("-5", 1), ("\"-5\"", 1), ("9007199254740992", 315_360_000), ("99999999999999999999999", 315_360_000),
            ("1e300", 315_360_000), ("\"inf\"", 315_360_000), ("2592001", 2_592_001), ("315360001", 315_360_000),
            ("0.2", 1),
        ])
    func lifetime(_ written: String, _ seconds: Int) throws {
        let reply = try Self.parse(#"{"access_token":"a","expires_in":\#(written)}"#)
        #expect(reply.expiresIn == seconds)
        #expect(!reply.expiryIsAssumed)
    }

    @Test(
        "a lifetime that is no number is the profile's",
        arguments: [
            "", #","expires_in":null"#, #","expires_in":"soon""#, #","expires_in":"nan""#, #","expires_in":[1]"#,
        ])
    func assumedLifetime(_ member: String) throws {
        var options = TokenReplyOptions()
        options.defaultLifetime = 7200
        let reply = try Self.parse(#"{"access_token":"a"\#(member)}"#, options)
        #expect(reply.expiresIn == 7200)
        #expect(reply.expiryIsAssumed)
    }

    @Test("the lifetime may have another name and unit")
    func otherExpiry() throws {
        var options = TokenReplyOptions()
        options.expiryField = "expire_time"
        #expect(try Self.parse(#"{"access_token":"a","expire_time":7200,"expires_in":1}"#, options).expiresIn == 7200)
        #expect(try Self.parse(#"{"access_token":"a","expires_in":10}"#, options).expiresIn == 10)
        options.expiryUnit = 60
        #expect(try Self.parse(#"{"access_token":"a","expire_time":9}"#, options).expiresIn == 540)
    }

    @Test(
        "a refresh token may say how long it lives, and zero says nothing",
        arguments: [
            ("", nil), (#","refresh_token_expires_in":15552000"#, 15_552_000), (#","refresh_expires_in":"1800""#, 1800),
            (#","refresh_expires_in":1800.9"#, 1800), (#","refresh_expires_in":0"#, nil),
            (#","refresh_expires_in":-5"#, nil), (#","refresh_expires_in":"never""#, nil),
            (#","refresh_expires_in":null"#, nil), (#","refresh_token_expires_in":1e300"#, 1_000_000_000),
            (#","refresh_token_expires_in":0,"refresh_expires_in":7"#, 7),
            (#","refresh_token_expires_in":9,"refresh_expires_in":7"#, 9),
        ] as [(String, Int?)])
    func refreshLifetime(_ member: String, _ seconds: Int?) throws {
        #expect(try Self.parse(#"{"access_token":"a"\#(member)}"#).refreshExpiresIn == seconds)
    }

    @Test("the refresh token's lifetime may have another name")
    func otherRefreshExpiry() throws {
        var options = TokenReplyOptions()
        options.refreshExpiryFields = ["rt_ttl"]
        let text = #"{"access_token":"a","rt_ttl":60,"refresh_expires_in":7}"#
        #expect(try Self.parse(text, options).refreshExpiresIn == 60)
    }

    @Test("only a token exchange may issue what is no access token")
    func exchange() throws {
        let text =
            #"{"access_token":"a","issued_token_type":"urn:ietf:params:oauth:token-type:jwt","token_type":"N_A"}"#
        #expect(try Self.parse(text).tokenType == .other("N_A"))
        var options = TokenReplyOptions()
        options.isTokenExchange = true
        let reply = try Self.parse(text, options)
        #expect(reply.tokenType == .notApplicable)
        #expect(reply.issuedTokenType == TokenExchange.jwtType)
        #expect(try Self.parse(#"{"access_token":"a"}"#, options).issuedTokenType == nil)
        let again = TokenReply(
            accessToken: reply.accessToken, tokenType: .notApplicable, expiresIn: 60, refreshExpiresIn: 90,
            issuedTokenType: reply.issuedTokenType)
        let read = try Self.parse(again.body().revealText(), options)
        #expect(read.tokenType == .notApplicable && read.issuedTokenType == TokenExchange.jwtType)
        #expect(read.refreshExpiresIn == 90)
    }

    @Test(
        "a scope may be text or list, with spaces or commas",
        arguments: [
            (#""a b""#, ["a", "b"]), (#""a,b""#, ["a", "b"]), (#"["a","b"]"#, ["a", "b"]), (#"["a b"]"#, ["a", "b"]),
            (#""""#, []), ("[]", []), (#"["a",1]"#, ["a"]),
        ])
    func scope(_ written: String, _ scope: [String]) throws {
        #expect(try Self.parse(#"{"access_token":"a","scope":\#(written)}"#).scope == scope)
    }

    @Test("no scope means the one asked for", arguments: ["", #","scope":null"#, #","scope":7"#])
    func noScope(_ member: String) throws {
        #expect(try Self.parse(#"{"access_token":"a"\#(member)}"#).scope == nil)
    }

    @Test(
        "a token type is read in any case, and missing means bearer",
        arguments: [
            ("", TokenReply.TokenType.bearer), (#","token_type":"bearer""#, .bearer),
            (#","token_type":"BEARER""#, .bearer), (#","token_type":"BearerToken""#, .bearer),
            (#","token_type":"dpop""#, .dpop), (#","token_type":"mac\n""#, .other("mac")),
        ])
    func tokenType(_ member: String, _ type: TokenReply.TokenType) throws {
        #expect(try Self.parse(#"{"access_token":"a"\#(member)}"#).tokenType == type)
    }

    @Test("a refresh token comes along or does not")
    func refreshToken() throws {
        #expect(try Self.parse(#"{"access_token":"a","refresh_token":"r"}"#).refreshToken?.revealText() == "r")
        for none in ["", #","refresh_token":"""#, #","refresh_token":null"#] {
            #expect(try Self.parse(#"{"access_token":"a"\#(none)}"#).refreshToken == nil)
        }
    }

    @Test(
        "a token that could not stand in a header is refused",
        arguments: [#""a b""#, #""a\r\nb""#, #""é""#, #""a\u0000""#, "7", "[\"a\"]"])
    func badToken(_ written: String) {
        #expect(throws: OAuthError.malformed("access_token")) { try Self.parse(#"{"access_token":\#(written)}"#) }
        #expect(throws: OAuthError.malformed("refresh_token")) {
            try Self.parse(#"{"access_token":"a","refresh_token":\#(written)}"#)
        }
    }

    @Test(
        "what is no token reply is refused",
        arguments: [
            "", "<html>", "[]", "{}", #"{"access_token":""}"#, #"{"access_token":"a","access_token":"b"}"#,
            #"{"access_token":"a"} x"#, #"{"error":"invalid_grant"}"#,
        ])
    func noReply(_ text: String) {
        #expect(throws: OAuthError.self) { try Self.parse(text) }
    }

    @Test("a byte order mark before the reply does no harm")
    func byteOrderMark() throws {
        #expect(try Self.parse("\u{FEFF}{\"access_token\":\"a\"}").accessToken.revealText() == "a")
    }

    @Test("tokens may lie deeper, behind a test of success")
    func nested() throws {
        var options = TokenReplyOptions()
        options.tokenPath = ["body"]
        options.successTest = .init(field: "status", value: 0)
        #expect(try Self.parse(#"{"status":0,"body":{"access_token":"a"}}"#, options).accessToken.revealText() == "a")
        #expect(throws: OAuthError.unsuccessful) { try Self.parse(#"{"status":401,"body":{}}"#, options) }
        #expect(throws: OAuthError.missing("body")) { try Self.parse(#"{"status":0}"#, options) }
        options.tokenPath = ["result", "oauth"]
        options.successTest = .init(field: "success", value: true)
        let deep = #"{"success":true,"result":{"oauth":{"access_token":"b","expires_in":9}}}"#
        #expect(try Self.parse(deep, options).expiresIn == 9)
    }

    @Test("a test of success takes a number or a truth value for the text that spells it, and nothing else")
    func successTest() {
        let zero = TokenReplyOptions.SuccessTest(field: "status", value: 0)
        let yes = TokenReplyOptions.SuccessTest(field: "status", value: true)
        let word = TokenReplyOptions.SuccessTest(field: "status", value: "ok")
        for (written, expected) in [
            ("0", [true, false, false]), (#""0""#, [true, false, false]), ("0.0", [true, false, false]),
            ("true", [false, true, false]), (#""true""#, [false, true, false]), (#""ok""#, [false, false, true]),
            ("1", [false, false, false]), ("false", [false, false, false]), ("null", [false, false, false]),
            ("[0]", [false, false, false]), ("{}", [false, false, false]), (#""OK""#, [false, false, false]),
        ] {
            guard let json = try? JSON(parsing: #"{"status":\#(written)}"#) else {
                Issue.record("no JSON: \(written)")
                continue
            }
            #expect([zero, yes, word].map { $0.passes(json) } == expected, "\(written)")
        }
        #expect(!zero.passes([:]) && !zero.passes([0]))
    }

    @Test("what our server answers, our client reads")
    func roundTrip() throws {
        let reply = TokenReply(
            accessToken: Secret(text: "at"), expiresIn: 600, refreshToken: Secret(text: "rt"), scope: ["a", "b"])
        let text = reply.body(extra: [JSON.Member("id", "7")]).revealText()
        #expect(
            text == #"{"access_token":"at","token_type":"Bearer","expires_in":600,"refresh_token":"rt","#
                + #""scope":"a b","id":"7"}"#)
        let read = try Self.parse(text)
        #expect(read.accessToken.matches(reply.accessToken))
        #expect(read.refreshToken?.revealText() == "rt")
        #expect(read.scope == ["a", "b"])
        #expect(!"\(read)".contains("at\""))
    }

    @Test("a token bound to a key is called so on both sides")
    func boundToken() throws {
        let reply = TokenReply(accessToken: Secret(text: "at"), tokenType: .dpop, expiresIn: 600)
        let text = reply.body().revealText()
        #expect(text == #"{"access_token":"at","token_type":"DPoP","expires_in":600}"#)
        #expect(try Self.parse(text).tokenType == .dpop)
    }

    @Test(
        "an error code is found where the profile says, a number as its digits",
        arguments: [
            (#"{"error":{"code":190,"message":"m"}}"#, ["error", "code"], "190", "m"),
            (#"{"error":{"code":26.0}}"#, ["error", "code"], "26", nil), (#"{"status":"401"}"#, ["status"], "401", nil),
            (#"{"status":401,"msg":"m"}"#, ["status"], "401", "m"), (#"{"status":-7}"#, ["status"], "-7", nil),
            (#"{"errors":[{"code":89,"message":"m"}]}"#, ["errors", "0", "code"], "89", "m"),
            (#"{"fault":{"faultstring":"m","detail":{"errorcode":"e"}}}"#, ["fault", "detail", "errorcode"], "e", "m"),
            (#"{"error_codes":[7,9],"error_description":"d","message":"m"}"#, ["error_codes", "1"], "9", "d"),
            (#"{"errors":[]}"#, ["errors", "0", "code"], nil, nil), (#"{"errors":[1]}"#, ["errors", "-1"], nil, nil),
            (#"{"errors":[1]}"#, ["errors", "code"], nil, nil),
            (#"{"error":{"code":1.5}}"#, ["error", "code"], nil, nil),
            (#"{"error":{"code":1e300}}"#, ["error", "code"], nil, nil), (#"{"error":{}}"#, ["error"], nil, nil),
            (#"{"error":true}"#, ["error"], nil, nil), ("7", [], "7", nil),
        ] as [(String, [String], String?, String?)])
    func errorPaths(_ text: String, _ path: [String], _ code: String?, _ description: String?) {
        let error = TokenError.parse(Array(text.utf8), paths: [["nowhere", "at", "all"], path])
        #expect(error?.code == code)
        #expect(error?.description == description)
    }

    @Test("an error's text is cleaned before anybody sees it")
    func errorText() {
        let long = String(repeating: "x", count: 500)
        let body = #"{"error":"invalid_grant","error_description":"a\u001b[31m\r\n\u202eb\#(long)"}"#
        let error = TokenError.parse(Array(body.utf8))
        #expect(error?.code == "invalid_grant")
        #expect(error?.description?.hasPrefix("a[31mbxx") == true)
        #expect(error?.description?.count == 200)
        #expect(TokenError.parse(Array("<html>".utf8)) == nil)
        #expect(TokenError.parse(Array(#"{"error":7}"#.utf8))?.code == "7")
        #expect(
            TokenError.parse(TokenError.body(.invalidGrant))
                == TokenError(
                    code: "invalid_grant", description: OAuth2Refusal.invalidGrant.description))
    }
}
