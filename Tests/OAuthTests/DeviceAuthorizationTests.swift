// A device polls with what it was told, however carelessly; a person types the code however they like.

import OAuth
import Sealing
import Testing

@Suite struct DeviceAuthorizationTests {
    private static func parse(
        _ text: String, _ options: DeviceAuthorizationReply.Options = .init()
    ) throws -> DeviceAuthorizationReply {
        try DeviceAuthorizationReply.parse(Array(text.utf8), options: options)
    }

    private static func reply(_ more: String) -> String {
        #"{"device_code":"d","user_code":"WDJB-MJHT","verification_uri":"https://a.example/device"\#(more)}"#
    }

    @Test("what our server answers, our client reads")
    func roundTrip() throws {
        let reply = DeviceAuthorizationReply(
            deviceCode: Secret(text: "d3vice"), userCode: "WDJB-MJHT", verificationURI: "https://a.example/device",
            verificationURIComplete: "https://a.example/device?user_code=WDJB-MJHT", expiresIn: 600, interval: 7)
        let text = reply.body().revealText()
        #expect(
            text == #"{"device_code":"d3vice","user_code":"WDJB-MJHT","verification_uri":"https://a.example/device","#
                + #""verification_uri_complete":"https://a.example/device?user_code=WDJB-MJHT","#
                + #""expires_in":600,"interval":7}"#)
        let read = try Self.parse(text)
        #expect(read.deviceCode.matches(reply.deviceCode))
        #expect(read.userCode == reply.userCode)
        #expect(read.verificationURI == reply.verificationURI)
        #expect(read.verificationURIComplete == reply.verificationURIComplete)
        #expect(read.expiresIn == 600)
        #expect(read.interval == 7)
        #expect(!"\(read)".contains("d3vice"))
    }

    @Test(
        "numbers are read as servers write them, within bounds",
        arguments: [
            (#","expires_in":300,"interval":5"#, 300, 5), (#","expires_in":"300","interval":"5""#, 300, 5),
            (#","expires_in":299.5,"interval":5.9"#, 299, 5), ("", 300, 5), (#","expires_in":null"#, 300, 5),
            (#","expires_in":-1,"interval":0"#, 1, 1), (#","expires_in":1e300,"interval":1e300"#, 86400, 3600),
        ])
    func numbers(_ more: String, _ expiresIn: Int, _ interval: Int) throws {
        let reply = try Self.parse(Self.reply(more))
        #expect(reply.expiresIn == expiresIn)
        #expect(reply.interval == interval)
    }

    @Test("an older name of the page will do, and a complete address in the open is left out")
    func addresses() throws {
        let old = try Self.parse(
            "\u{FEFF}" + #"{"device_code":"d","user_code":"u","verification_url":"https://a.example/device"}"#)
        #expect(old.verificationURI == "https://a.example/device")
        for bad in [#""http://a.example/""#, #""javascript:alert(1)""#, "7", "null"] {
            #expect(try Self.parse(Self.reply(#","verification_uri_complete":\#(bad)"#)).verificationURIComplete == nil)
        }
    }

    @Test("a provider may have names of its own, and minutes")
    func otherNames() throws {
        var options = DeviceAuthorizationReply.Options()
        options.deviceCodeField = "code"
        options.userCodeField = "ecobeePin"
        options.expiryUnit = 60
        options.verificationURI = "https://a.example/pin"
        let reply = try Self.parse(
            #"{"ecobeePin":"bv29","code":"c","scope":"x","expires_in":9,"interval":30}"#, options)
        #expect(reply.deviceCode.revealText() == "c")
        #expect(reply.userCode == "bv29")
        #expect(reply.verificationURI == "https://a.example/pin")
        #expect(reply.expiresIn == 540)
        #expect(reply.interval == 30)
    }

    @Test(
        "a reply without codes or with a page in the open is refused",
        arguments: [
            ("<html>", OAuthError.malformedEncoding("JSON")), ("{}", .missing("device_code")),
            (#"{"error":"invalid_client"}"#, .unsuccessful), (#"{"device_code":"d"}"#, .missing("user_code")),
            (#"{"device_code":7,"user_code":"u"}"#, .malformed("device_code")),
            (#"{"device_code":"","user_code":"u"}"#, .malformed("device_code")),
            (#"{"device_code":"d\n","user_code":"u"}"#, .malformed("device_code")),
            (#"{"device_code":"d","user_code":"\u001b[2J"}"#, .malformed("user_code")),
            (#"{"device_code":"d","user_code":"u"}"#, .missing("verification_uri")),
            (
                #"{"device_code":"d","user_code":"u","verification_uri":"http://a.example/"}"#,
                .insecureEndpoint("verification_uri")
            ),
            (
                #"{"device_code":"d","user_code":"u","verification_uri":7}"#, .insecureEndpoint("verification_uri")
            ),
        ])
    func refused(_ text: String, _ error: OAuthError) {
        #expect(throws: error) { try Self.parse(text) }
    }
}

@Suite struct UserCodeTests {
    @Test("a new code is two groups of four letters without vowels, and its own normal form")
    func random() {
        var seen: Set<Character> = []
        for _ in 0..<200 {
            let code = UserCode.random()
            #expect(code.count == 9 && Array(code)[4] == "-", "\(code)")
            #expect(UserCode.normalised(code) == code)
            seen.formUnion(code)
        }
        #expect(seen == Set("BCDFGHJKLMNPQRSTVWXZ-"))
    }

    @Test(
        "a code is understood however it is typed",
        arguments: [
            "WDJB-MJHT", "wdjbmjht", " wdjb mjht ", "W-D-J-B-M-J-H-T", "wdjb–mjht", "wdjb\u{A0}—mjht", "WdJb\tMjHt\n",
        ])
    func normalised(_ typed: String) {
        #expect(UserCode.normalised(typed) == "WDJB-MJHT")
    }

    @Test(
        "what cannot be a code is none",
        arguments: [
            "", "-", "WDJB-MJH", "WDJB-MJHTT", "WDJB-MJHA", "WDJB-MJH1", "WDJB_MJHT", "ＷDJB-MJHT", "WDJB-MJHT\u{0}",
            "WDJB-MJH\u{212A}", String(repeating: " ", count: 60) + "WDJBMJHT",
        ])
    func noCode(_ typed: String) {
        #expect(UserCode.normalised(typed) == nil)
    }
}
