// A lock that may have opened is never reported as one that did nothing.

import CommandProtocol
import Commanding
import Delegation
import Testing

@Suite struct ProvenOutcomeTests {
    @Test(
        "a signed final word is taken for what it proves",
        arguments: [
            (AcknowledgementStatus.executed, nil, Outcome.executed),
            (.failed, nil, .failed),
            (.rejected, "E_CHAL", .rejected),
            (.rejected, "E_EXPIRED", .rejected),
            (.rejected, "E_TTL", .rejected),
            (.rejected, "E_SCOPE", .rejected),
            // A code of a later protocol still says that the device did not act.
            (.rejected, "E_LATER", .rejected),
            (.accepted, nil, .unknown),
        ] as [(AcknowledgementStatus, String?, Outcome)])
    func proven(status: AcknowledgementStatus, code: String?, outcome: Outcome) {
        #expect(ProvenOutcome.of(status, code: code, uptime: 60_000, sincePublished: .seconds(1)) == outcome)
    }

    @Test("a used counter may have been used by this command, delivered twice")
    func usedCounter() {
        #expect(ProvenOutcome.of(.rejected, code: "E_CTR", uptime: 60_000, sincePublished: .seconds(1)) == .unknown)
    }

    @Test(
        "another session proves that nothing was done only when it was there before the command left",
        arguments: [(60_000, Outcome.rejected), (1001, .rejected), (1000, .unknown), (10, .unknown)]
            as [(Int64, Outcome)])
    func otherSession(uptime: Int64, outcome: Outcome) {
        #expect(ProvenOutcome.of(.rejected, code: "E_SES", uptime: uptime, sincePublished: .seconds(1)) == outcome)
    }
}
