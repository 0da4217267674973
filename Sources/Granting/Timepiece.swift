// Time is handed in: what waits uses a clock that counts suspend and never jumps, what is stored is a date.

package import FoundationEssentials
import Sealing

/// The clocks and the chance that the keeper goes by.
package struct Timepiece: Sendable {
    /// The wall clock.
    package let now: @Sendable () -> Date
    /// Time since some moment before; never goes back.
    package let uptime: @Sendable () -> Duration
    package let sleep: @Sendable (Duration) async throws -> Void
    /// A random number from 0 to 1.
    package let jitter: @Sendable () -> Double

    /// Gathers clocks.
    package init(
        clock: some Clock<Duration>, now: @escaping @Sendable () -> Date,
        jitter: @escaping @Sendable () -> Double = { Double(Random.bytes(1)[0]) / 255 }
    ) {
        let start = clock.now
        self.now = now
        self.jitter = jitter
        uptime = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(for: $0) }
    }

    /// The machine's own clocks.
    package static var system: Timepiece { Timepiece(clock: ContinuousClock(), now: { Date() }) }
}

extension Duration {
    /// The span in seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
