// A device with a provider that says all that providers say; time is handed in.

import OAuth
import Sealing
import StrictJSON
import Testing

@Suite struct DevicePollingTests {
    private static let tokens = #"{"access_token":"a","expires_in":600,"refresh_token":"r"}"#

    private static func reply(_ status: Int, _ body: String, retryAfter: String? = nil) -> RefreshOutcome {
        .reply(status: status, contentType: "application/json", retryAfter: retryAfter, body: Array(body.utf8))
    }

    private static func error(_ code: String, status: Int = 400) -> RefreshOutcome {
        reply(status, #"{"error":"\#(code)"}"#)
    }

    /// A step as a word, so that a table can name it.
    private static func word(_ step: DevicePolling.Step) -> String {
        switch step {
        case .wait(let seconds): "wait \(seconds)"
        case .finish(let reply): "finish \(reply.accessToken.revealText())"
        case .stop(.denied): "denied"
        case .stop(.expired): "expired"
        case .stop(.refused(let code)): "refused \(code)"
        case .stop(.suspicious(let reason)): "suspicious: \(reason)"
        }
    }

    private static func words(
        _ outcomes: [RefreshOutcome], interval: Int = 5, lifetime: Int = 600,
        options: DevicePolling.Options = DevicePolling.Options()
    ) -> [String] {
        var polling = DevicePolling(interval: interval, lifetime: lifetime, options: options)
        return outcomes.map { word(polling.received($0, elapsed: .seconds(10), now: 784_111_777)) }
    }

    @Test("a device waits, and is given its tokens")
    func approval() {
        let pending = Self.error("authorization_pending")
        #expect(Self.words([pending, pending, Self.reply(200, Self.tokens)]) == ["wait 5", "wait 5", "finish a"])
    }

    @Test("each slow_down adds five seconds for good, and a provider may ask for more")
    func slowDown() {
        let (pending, slowDown) = (Self.error("authorization_pending"), Self.error("slow_down"))
        #expect(
            Self.words([slowDown, pending, slowDown, pending]) == ["wait 10", "wait 10", "wait 15", "wait 15"])
        let more = Self.reply(200, #"{"error":"slow_down","interval":30}"#)
        let less = Self.reply(200, #"{"error":"slow_down","interval":"1"}"#)
        #expect(Self.words([more, less, pending]) == ["wait 30", "wait 35", "wait 35"])
        var polling = DevicePolling(interval: 3599, lifetime: 86400)
        for _ in 0..<3 { _ = polling.received(slowDown, elapsed: .seconds(1), now: 0) }
        #expect(polling.interval == 3600)
    }

    @Test(
        "a clear word counts whatever status it comes with",
        arguments: [
            (400, "authorization_pending", "wait 5"), (428, "authorization_pending", "wait 5"),
            (200, "authorization_pending", "wait 5"), (403, "slow_down", "wait 10"), (429, "slow_down", "wait 10"),
            (400, "access_denied", "denied"), (403, "access_denied", "denied"), (200, "access_denied", "denied"),
            (400, "expired_token", "expired"), (400, "invalid_grant", "refused invalid_grant"),
            (401, "invalid_client", "refused invalid_client"),
            (400, "unsupported_grant_type", "refused unsupported_grant_type"),
            (400, #"strange\u001b[31m\n"#, "refused strange[31m"),
            (400, "server_error", "wait 10"), (400, "temporarily_unavailable", "wait 10"),
            (500, "strange", "wait 10"), (429, "strange", "wait 10"),
        ])
    func codes(_ status: Int, _ code: String, _ expected: String) {
        #expect(Self.words([Self.error(code, status: status)]) == [expected])
    }

    @Test("once it has stopped it stays so: expired is expired, though the provider then says invalid_grant")
    func lastWord() {
        #expect(
            Self.words([Self.error("expired_token"), Self.error("invalid_grant"), .notSent(reason: "")])
                == ["expired", "expired", "expired"])
        #expect(Self.words([Self.error("access_denied"), Self.error("expired_token")]) == ["denied", "denied"])
    }

    @Test("when the word \"expired\" was lost on the way, a code refused after its time is expired all the same")
    func lostWord() {
        var polling = DevicePolling(interval: 5, lifetime: 60)
        #expect(Self.word(polling.received(.ambiguous(reason: "reset"), elapsed: .seconds(58), now: 0)) == "wait 5")
        #expect(Self.word(polling.received(Self.error("invalid_grant"), elapsed: .seconds(63), now: 0)) == "expired")
    }

    @Test("a code ends with its time, but tokens that come late are tokens")
    func lifetime() {
        let pending = Self.error("authorization_pending")
        for outcome in [pending, .notSent(reason: ""), Self.reply(503, ""), Self.reply(200, "<html>")] {
            var polling = DevicePolling(interval: 5, lifetime: 60)
            #expect(Self.word(polling.received(outcome, elapsed: .seconds(59), now: 0)) == "wait 5")
            #expect(Self.word(polling.received(outcome, elapsed: .seconds(60), now: 0)) == "expired")
        }
        var polling = DevicePolling(interval: 5, lifetime: 60)
        let late = polling.received(Self.reply(200, Self.tokens), elapsed: .seconds(64), now: 0)
        #expect(Self.word(late) == "finish a")
    }

    @Test("an unreachable provider is asked half as often each time, and never given up")
    func backOff() {
        let outages: [RefreshOutcome] = [
            .notSent(reason: "dns"), .ambiguous(reason: "timeout"), Self.reply(502, "<html>"), Self.reply(408, ""),
            .notSent(reason: "dns"), .notSent(reason: "dns"),
        ]
        let waits = ["wait 10", "wait 20", "wait 40", "wait 60", "wait 60", "wait 60"]
        #expect(Self.words(outages) == waits)
        let pending = Self.error("authorization_pending")
        #expect(
            Self.words([outages[0], outages[0], pending, outages[0]]) == ["wait 10", "wait 20", "wait 5", "wait 10"])
        #expect(Self.words(Array(repeating: outages[0], count: 100)).last == "wait 60")
        #expect(Self.words([outages[0]], interval: 90) == ["wait 90"])
        #expect(Self.words(outages, lifetime: 40)[2] == "wait 30")
    }

    @Test(
        "a provider may say how long to wait; what is longer than the code lives is its end",
        arguments: [
            (429, "30", "wait 30"), (503, "30", "wait 30"), (503, "1", "wait 5"), (503, "soon", "wait 10"),
            (503, "Sun, 06 Nov 1994 08:50:37 GMT", "wait 60"), (429, "590", "wait 590"), (429, "591", "expired"),
            (400, "30", "wait 30"),
        ])
    func retryAfter(_ status: Int, _ header: String, _ expected: String) {
        let body = status == 400 ? #"{"error":"authorization_pending"}"# : ""
        #expect(Self.words([Self.reply(status, body, retryAfter: header)]) == [expected])
    }

    @Test("five answers in a row that are none are enough, whatever they look like")
    func suspicious() {
        let portal = Self.reply(200, "<html>Please log in</html>")
        #expect(
            Self.words(Array(repeating: portal, count: 6))
                == Array(repeating: "wait 5", count: 4)
                + Array(repeating: "suspicious: success without tokens", count: 2))
        let odd = [Self.reply(302, ""), Self.reply(404, ""), Self.reply(400, ""), Self.reply(200, "{}")]
        #expect(
            Self.words(odd + [Self.reply(200, #"{"error":"strange"}"#)])
                == Array(repeating: "wait 5", count: 4) + ["suspicious: strange in a success"])
        let large = Self.reply(200, #"{"access_token":"a","x":""# + String(repeating: "x", count: 1 << 20) + #""}"#)
        #expect(Self.words(Array(repeating: large, count: 5)).last == "suspicious: reply larger than 1048576 bytes")
        let pending = Self.error("authorization_pending")
        let interrupted = Array(repeating: portal, count: 4) + [pending] + Array(repeating: portal, count: 4)
        #expect(Self.words(interrupted).allSatisfy { $0 == "wait 5" })
    }

    @Test("a profile names a provider's own codes, and where they and the tokens stand")
    func profile() {
        var options = DevicePolling.Options()
        options.errorMap = ["1001": .authorizationPending, "not_yet": .slowDown, "no": .accessDenied]
        options.errorPaths = [["fault", "code"], ["error"]]
        options.reply.tokenPath = ["result"]
        #expect(
            Self.words(
                [
                    Self.reply(200, #"{"fault":{"code":1001}}"#), Self.error("not_yet", status: 500),
                    Self.error("authorization_pending"), Self.reply(200, #"{"result":\#(Self.tokens)}"#),
                ], options: options) == ["wait 5", "wait 10", "wait 10", "finish a"])
        #expect(Self.words([Self.error("no")], options: options) == ["denied"])
    }

    @Test(
        "what the provider said at the start is kept within reason",
        arguments: [(0, 1), (-7, 1), (Int.min, 1), (5, 5), (Int.max, 3600)])
    func bounds(_ interval: Int, _ expected: Int) {
        #expect(DevicePolling(interval: interval, lifetime: .max).interval == expected)
        let reply = DeviceAuthorizationReply(
            deviceCode: Secret(text: "d"), userCode: "u", verificationURI: "https://a.example/", expiresIn: interval,
            interval: interval)
        var polling = DevicePolling(reply)
        #expect(polling.interval == expected)
        let step = polling.received(Self.error("authorization_pending"), elapsed: .seconds(Int64.max / 2), now: 0)
        #expect(Self.word(step) == "expired")
        var early = DevicePolling(interval: 5, lifetime: 600)
        let before = early.received(Self.error("authorization_pending"), elapsed: .seconds(Int64.min), now: 0)
        #expect(Self.word(before) == "wait 5")
    }
}
