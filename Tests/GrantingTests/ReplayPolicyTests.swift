// When a refresh token may be sent again is a table: what its provider does with replaced tokens, and how much is lost.

import Delegation
import Testing

@testable import Granting

@Suite struct ReplayPolicyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let rotation: OAuth2Endpoints.Rotation
        let sent: Int
        let elapsed: Double?
        let remaining: Double?
        let next: ReplayPolicy.Step
        var testDescription: String {
            "\(rotation.rawValue), sent \(sent), after \(elapsed ?? -1) s, token lives \(remaining ?? -1) s"
        }
    }

    @Test(
        "a token whose answer was lost is sent again as its provider's rotation allows",
        arguments: [
            // Nothing is replaced, so nothing can be lost.
            Case(rotation: .none, sent: 1, elapsed: 1, remaining: 600, next: .now),
            Case(rotation: .none, sent: 2, elapsed: 1, remaining: 600, next: .after(7)),
            // Within the grace a replaced token still works: at once, and three times at most.
            Case(rotation: .grace, sent: 1, elapsed: 10, remaining: 600, next: .now),
            Case(rotation: .grace, sent: 2, elapsed: 10, remaining: 600, next: .after(7)),
            Case(rotation: .grace, sent: 3, elapsed: 57, remaining: 600, next: .after(2)),
            Case(rotation: .grace, sent: 4, elapsed: 20, remaining: 600, next: .after(570)),
            // After it, or when no clock tells, it is as with a strict provider.
            Case(rotation: .grace, sent: 1, elapsed: 60, remaining: 600, next: .after(570)),
            Case(rotation: .grace, sent: 1, elapsed: nil, remaining: 600, next: .after(570)),
            Case(rotation: .unknown, sent: 1, elapsed: 1, remaining: 600, next: .now),
            Case(rotation: .unknown, sent: 2, elapsed: 1, remaining: 600, next: .after(570)),
            // Asked while the access token still lives, and not before its last moments.
            Case(rotation: .strict, sent: 1, elapsed: 1, remaining: 600, next: .after(570)),
            Case(rotation: .strict, sent: 1, elapsed: 1, remaining: 80, next: .after(70)),
            Case(rotation: .strict, sent: 2, elapsed: 1, remaining: 8, next: .after(7)),
            // Nothing is left to be lost.
            Case(rotation: .strict, sent: 1, elapsed: 1, remaining: 0, next: .after(7)),
            Case(rotation: .strict, sent: 9, elapsed: 1, remaining: nil, next: .after(7)),
        ])
    func table(_ one: Case) {
        let policy = ReplayPolicy(rotation: one.rotation, grace: 60)
        #expect(
            policy.next(sent: one.sent, elapsed: one.elapsed, remaining: one.remaining, backoff: 7) == one.next)
    }
}
