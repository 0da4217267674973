// Exit codes and JSON are what INTERFACE says, because scripts rely on them.

import Delegation
import FoundationEssentials
import StrictJSON
import Testing

@Suite struct ReportTests {
    @Test("every kind of refusal has the exit code that the interface says")
    func exitCodes() {
        let codes: [Refusal.Kind: Int32] = [
            .failure: 1, .conflict: 1, .usage: 2, .notAuthorised: 3, .rejected: 4, .unknownOutcome: 5, .unreachable: 6,
            .sealed: 7, .notFound: 8, .provider: 9,
        ]
        for kind in Refusal.Kind.allCases { #expect(kind.exitCode == codes[kind], "\(kind)") }
    }

    @Test("every outcome has the exit code of what happened")
    func outcomes() {
        let codes: [Outcome: Int32] = [.executed: 0, .failed: 1, .refused: 3, .rejected: 4, .unknown: 5]
        for outcome in Outcome.allCases { #expect(outcome.exitCode == codes[outcome], "\(outcome)") }
        #expect(Set(Outcome.allCases.map(\.rawValue)) == ["executed", "failed", "rejected", "refused", "unknown"])
    }

    @Test("every kind of refusal is an error to HTTP clients")
    func statuses() {
        for kind in Refusal.Kind.allCases { #expect((400...599).contains(kind.httpStatus), "\(kind)") }
        #expect(Refusal.Kind.notFound.httpStatus == 404)
        #expect(Refusal.Kind.notAuthorised.httpStatus == 403)
        #expect(Refusal.Kind.conflict.httpStatus == 409)
    }

    @Test("a refusal describes itself by its message")
    func refusal() {
        #expect(Refusal(.usage, "no such thing", hint: "look again").description == "no such thing")
    }

    @Test("a report without receipt leaves out what there is not")
    func shortReport() throws {
        let report = CommandReport(
            command: "c1", device: try DeviceName(checking: "front-door"), operation: "lock.unlock", outcome: .unknown,
            code: nil, receipt: nil)
        #expect(report.json.text == #"{"command":"c1","device":"front-door","op":"lock.unlock","outcome":"unknown"}"#)
    }

    @Test("a report with a receipt says what the device signed, and shows the signed bytes")
    func fullReport() throws {
        let receipt = Receipt(
            command: "c1", commandHash: "h", device: "d1", outcome: .rejected, code: "stale",
            result: ["lock": "locked"],
            uptime: 12_345, keyID: "k", verifiedAt: Date(timeIntervalSince1970: 1_790_000_000.9), signed: "a.b.c")
        let report = CommandReport(
            command: "c1", device: try DeviceName(checking: "front-door"), operation: "lock.unlock", outcome: .rejected,
            code: "stale", receipt: receipt)
        let expected = [
            #"{"command":"c1","device":"front-door","op":"lock.unlock","outcome":"rejected","code":"stale","#,
            #""result":{"lock":"locked"},"receipt":{"cmd":"h","device":"d1","kid":"k","up":12345,"#,
            #""verified_at":"2026-09-21T14:13:20Z","jws":"a.b.c"}}"#,
        ]
        #expect(report.json.text == expected.joined())
    }

    @Test("requesters are written with what they are")
    func requesters() {
        #expect(Requester.user("anna").description == "user:anna")
        #expect(Requester.person("anna").description == "person:anna")
        #expect(Requester.app("x").description == "app:x")
        #expect(Requester.device("x").description == "device:x")
        #expect(Requester.agent.description == "agent")
        #expect(Requester(description: "user:anna") == .user("anna"))
    }
}
