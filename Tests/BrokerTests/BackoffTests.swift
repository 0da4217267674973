// The waits between attempts.

import Broker
import Testing

@Suite struct BackoffTests {
    @Test(
        "the ceiling doubles from one second and stays at thirty",
        arguments: [(1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (7, 30), (1000, 30), (Int.max, 30), (0, 1)])
    func ceiling(failures: Int, seconds: Int) {
        #expect(Backoff { 1 }.delay(failures: failures) == .seconds(seconds))
    }

    @Test(
        "the wait is the drawn share of the ceiling, whatever is drawn",
        arguments: [(0.0, 0), (0.5, 1), (7.0, 2), (-3.0, 0)])
    func jitter(drawn: Double, seconds: Int) {
        #expect(Backoff { drawn }.delay(failures: 2) == .seconds(seconds))
    }
}
