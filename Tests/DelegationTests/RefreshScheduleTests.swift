// A refresh comes in time whatever chance says, and failures never make it come ever more often or never.

import Delegation
import Testing

@Suite struct RefreshScheduleTests {
    static let jitters = [0, 0.1, 0.25, 0.5, 0.75, 0.999, 1]

    @Test(
        "a refresh is due before the end, and a minute before it where the lifetime allows",
        arguments: [0, 1, 8, 20, 59, 60, 61, 120, 239, 240, 241, 300, 599, 600, 3600, 86_400, 2_592_000, 1e12])
    func inTime(_ lifetime: Double) {
        for jitter in Self.jitters {
            let delay = RefreshSchedule.delay(lifetime: lifetime, jitter: jitter)
            #expect(delay >= 0)
            #expect(delay <= lifetime * 0.9)
            if lifetime > 240 { #expect(delay <= lifetime - 60) } else { #expect(delay <= lifetime * 0.875) }
            // Not so early that a token is refreshed over and over.
            #expect(delay >= lifetime * 0.69)
        }
    }

    @Test("chance spreads the refreshes of a long lifetime over a fifth of it, around 80 %")
    func spread() {
        let early = RefreshSchedule.delay(lifetime: 10_000, jitter: 0)
        let middle = RefreshSchedule.delay(lifetime: 10_000, jitter: 0.5)
        let late = RefreshSchedule.delay(lifetime: 10_000, jitter: 1)
        #expect(abs(early - 7000) < 0.001)
        #expect(abs(middle - 8000) < 0.001)
        #expect(abs(late - 9000) < 0.001)
    }

    @Test("more chance is never earlier, and chance beyond its bounds is at them", arguments: [20, 240, 600, 86_400])
    func monotone(_ lifetime: Double) {
        let delays = Self.jitters.map { RefreshSchedule.delay(lifetime: lifetime, jitter: $0) }
        #expect(delays == delays.sorted())
        #expect(RefreshSchedule.delay(lifetime: lifetime, jitter: -7) == delays.first)
        #expect(RefreshSchedule.delay(lifetime: lifetime, jitter: 7) == delays.last)
    }

    @Test("a token that is dead already is refreshed at once", arguments: [0, -1, -1e9])
    func dead(_ lifetime: Double) { #expect(RefreshSchedule.delay(lifetime: lifetime, jitter: 1) == 0) }

    @Test("the wait doubles with every failure up to ten minutes")
    func backoff() {
        let waits = (1...12).map { RefreshSchedule.backoff(failures: $0, retryAfter: nil, jitter: 0) }
        #expect(waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600])
        for failures in [Int.min, -1, 0, 1] {
            #expect(RefreshSchedule.backoff(failures: failures, retryAfter: nil, jitter: 0) == 2)
        }
        #expect(RefreshSchedule.backoff(failures: .max, retryAfter: nil, jitter: 0) == 600)
    }

    @Test("chance adds up to half", arguments: [1, 5, 10, 100])
    func backoffJitter(_ failures: Int) {
        let base = RefreshSchedule.backoff(failures: failures, retryAfter: nil, jitter: 0)
        for jitter in Self.jitters + [-1, 2] {
            let wait = RefreshSchedule.backoff(failures: failures, retryAfter: nil, jitter: jitter)
            #expect(wait >= base)
            #expect(wait <= base * 1.5)
        }
        #expect(RefreshSchedule.backoff(failures: failures, retryAfter: nil, jitter: 1) == base * 1.5)
    }

    @Test("a Retry-After wins when it is longer, never when it is shorter")
    func retryAfter() {
        #expect(RefreshSchedule.backoff(failures: 1, retryAfter: 120, jitter: 0) == 120)
        #expect(RefreshSchedule.backoff(failures: 12, retryAfter: 3600, jitter: 1) == 3600)
        #expect(RefreshSchedule.backoff(failures: 5, retryAfter: 1, jitter: 0) == 32)
        #expect(RefreshSchedule.backoff(failures: 5, retryAfter: -5, jitter: 0) == 32)
        #expect(RefreshSchedule.backoff(failures: 5, retryAfter: .nan, jitter: 0) == 32)
    }
}
