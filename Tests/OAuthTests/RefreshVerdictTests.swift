// The table by which a grant lives or dies.

import OAuth
import StrictJSON
import Testing

@Suite struct RefreshVerdictTests {
    /// The verdict's case without its payload, as a word.
    private static func word(_ verdict: RefreshVerdict) -> String {
        switch verdict {
        case .refreshed: "refreshed"
        case .needsApproval: "needsApproval"
        case .probablyRevoked: "probablyRevoked"
        case .clientBroken: "clientBroken"
        case .configuration: "configuration"
        case .transient: "transient"
        case .ambiguous: "ambiguous"
        case .suspicious: "suspicious"
        }
    }

    private static func classify(
        _ status: Int, _ body: String, retryAfter: String? = nil,
        options: RefreshVerdict.Options = RefreshVerdict.Options()
    ) -> RefreshVerdict {
        .classify(
            .reply(status: status, contentType: "text/html", retryAfter: retryAfter, body: Array(body.utf8)),
            options: options, now: 784_111_777)
    }

    @Test(
        "a reply is classified by status and code",
        arguments: [
            (200, #"{"access_token":"a"}"#, "refreshed"), (201, #"{"access_token":"a"}"#, "refreshed"),
            (400, #"{"error":"invalid_grant"}"#, "needsApproval"),
            (401, #"{"error":"invalid_grant"}"#, "needsApproval"),
            (403, #"{"error":"invalid_grant"}"#, "needsApproval"),
            (200, #"{"error":"invalid_grant"}"#, "needsApproval"),
            (400, "", "probablyRevoked"), (400, "<html>", "probablyRevoked"), (401, "", "probablyRevoked"),
            (400, #"{"error":"strange"}"#, "probablyRevoked"), (403, #"{"error":"invalid_code"}"#, "probablyRevoked"),
            (400, #"{"error":"invalid_client"}"#, "clientBroken"),
            (401, #"{"error":"invalid_client"}"#, "clientBroken"),
            (403, "", "clientBroken"), (403, "<html>blocked</html>", "suspicious"),
            (400, #"{"error":"unauthorized_client"}"#, "configuration"),
            (400, #"{"error":"unsupported_grant_type"}"#, "configuration"),
            (400, #"{"error":"invalid_scope"}"#, "configuration"),
            (400, #"{"error":"invalid_request"}"#, "configuration"),
            (400, #"{"error":"invalid_target"}"#, "configuration"),
            (400, #"{"error":"use_dpop_nonce"}"#, "configuration"),
            (400, #"{"error":"slow_down"}"#, "transient"), (400, #"{"error":"temporarily_unavailable"}"#, "transient"),
            (400, #"{"error":"server_error"}"#, "transient"), (429, "", "transient"), (408, "", "transient"),
            (425, "", "transient"), (500, "", "transient"), (502, "<html>", "transient"), (503, "", "transient"),
            (504, "", "transient"), (500, #"{"error":"invalid_grant"}"#, "transient"),
            (429, #"{"error":"invalid_grant"}"#, "transient"),
            (200, "<html>Please log in</html>", "suspicious"), (200, "", "suspicious"), (204, "", "suspicious"),
            (200, "{}", "suspicious"), (200, #"{"error":"strange"}"#, "suspicious"),
            (200, #"{"access_token":"a b"}"#, "suspicious"), (200, "[1]", "suspicious"),
            (200, #"{"access_token":"a","access_token":"a"}"#, "suspicious"),
            (301, "", "suspicious"), (302, "", "suspicious"), (307, #"{"access_token":"a"}"#, "suspicious"),
            (404, "", "suspicious"), (418, "", "suspicious"), (0, "", "suspicious"), (-1, "", "suspicious"),
        ])
    func table(_ status: Int, _ body: String, _ expected: String) {
        #expect(Self.word(Self.classify(status, body)) == expected)
    }

    @Test("a reply too large to be one is suspicious, whatever it says")
    func large() {
        let body = #"{"access_token":"a","x":""# + String(repeating: "x", count: 1 << 20) + #""}"#
        #expect(Self.word(Self.classify(200, body)) == "suspicious")
    }

    @Test("what never left is tried again, what may have arrived is ambiguous")
    func transport() {
        #expect(Self.word(.classify(.notSent(reason: "dns"), now: 0)) == "transient")
        #expect(Self.word(.classify(.ambiguous(reason: "reset"), now: 0)) == "ambiguous")
    }

    @Test(
        "a wait is what the provider asks for, within reason",
        arguments: [
            (nil, nil), ("120", 120), (" 7 ", 7), ("0", 1), ("99999", 3600), ("99999999999999999999", 3600),
            ("-5", nil),
            ("1e3", nil), ("soon", nil), ("", nil), ("Sun, 06 Nov 1994 08:49:47 GMT", 10),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 1), ("Sat, 05 Nov 1994 08:49:37 GMT", 1),
            ("Wed, 06 Nov 2094 08:49:37 GMT", 3600), ("Sun, 06 Nov 1994 25:49:37 GMT", nil),
        ] as [(String?, Int?)])
    func retryAfter(_ header: String?, _ seconds: Int?) {
        for status in [429, 503] {
            guard case .transient(let wait) = Self.classify(status, "", retryAfter: header) else {
                Issue.record("not transient")
                return
            }
            #expect(wait == seconds)
        }
    }

    @Test("a profile says what its provider's codes mean, and where they stand")
    func profile() {
        var options = RefreshVerdict.Options()
        options.errorMap = [
            "invalid_auth_code": .needsApproval, "oauth.v2.authorization_code_invalid": .needsApproval,
            "invalid_request": .needsApproval, "401": .needsApproval, "293": .clientBroken,
        ]
        options.errorPaths = [["error"], ["fault", "detail", "errorcode"], ["status"]]
        options.reply.successTest = .init(field: "status", value: 0)
        options.reply.tokenPath = ["body"]
        let cases = [
            (400, #"{"error":"invalid_auth_code"}"#, "needsApproval"),
            (400, #"{"error":"invalid_request"}"#, "needsApproval"),
            (401, #"{"fault":{"detail":{"errorcode":"oauth.v2.authorization_code_invalid"}}}"#, "needsApproval"),
            (200, #"{"status":0,"body":{"access_token":"a"}}"#, "refreshed"),
            (200, #"{"status":401,"body":{}}"#, "needsApproval"), (200, #"{"status":293}"#, "clientBroken"),
            (200, #"{"status":601}"#, "suspicious"), (503, #"{"status":401}"#, "needsApproval"),
        ]
        for (status, body, expected) in cases {
            #expect(Self.word(Self.classify(status, body, options: options)) == expected, "\(status) \(body)")
        }
    }

    @Test("a profile says what a refusal without code means")
    func withoutCode() {
        var options = RefreshVerdict.Options()
        options.withoutCode = .needsApproval
        #expect(Self.word(Self.classify(401, "", options: options)) == "needsApproval")
    }

    @Test("a proof of possession that stays refused is told in words")
    func proofs() {
        for (code, words) in [("use_dpop_nonce", "another DPoP nonce"), ("invalid_dpop_proof", "machine's clock")] {
            guard case .configuration(let reason) = Self.classify(400, #"{"error":"\#(code)"}"#) else {
                Issue.record("another verdict for \(code)")
                return
            }
            #expect(reason.hasPrefix("\(code) (status 400): ") && reason.contains(words))
        }
    }

    @Test("a reply that is not quite UTF-8 costs no token, unless the token itself is broken")
    func wrongCharset() {
        func classify(_ status: Int, _ body: [UInt8]) -> String {
            Self.word(.classify(.reply(status: status, contentType: nil, retryAfter: nil, body: body), now: 0))
        }
        let latin1 = Array(#"{"error":"invalid_grant","error_description":"expir"#.utf8) + [0xE9] + Array(#""}"#.utf8)
        #expect(classify(400, latin1) == "needsApproval")
        let name = Array(#"{"access_token":"a","name":"Ren"#.utf8) + [0xE9] + Array(#""}"#.utf8)
        #expect(classify(200, name) == "refreshed")
        let token = Array(#"{"access_token":"a"#.utf8) + [0xE9] + Array(#""}"#.utf8)
        #expect(classify(200, token) == "suspicious")
    }

    @Test("a reason never carries what the provider sent raw")
    func reasons() {
        guard case .probablyRevoked(let reason) = Self.classify(400, #"{"error":"a\u001b[31m\r\nb"}"#) else {
            Issue.record("another verdict")
            return
        }
        #expect(reason == "a[31mb (status 400)")
    }
}

@Suite struct HTTPDateTests {
    @Test(
        "an HTTP date is read to the second",
        arguments: [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799), ("Thu, 01 Mar 2001 00:00:00 GMT", 983_404_800),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
        ])
    func dates(_ text: String, _ seconds: Int) {
        #expect(HTTPDate.parse(text) == seconds)
    }

    @Test(
        "what is no date is none",
        arguments: [
            "", "784111777", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT", "Tue, 29 Feb 1900 00:00:00 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
        ])
    func none(_ text: String) {
        #expect(HTTPDate.parse(text) == nil)
    }
}
