// Time is handed in: what waits uses the clock that counts from boot through suspend and never jumps, what is shown to
// people is a date.

package import FoundationEssentials
import Sealing

#if canImport(Glibc)
    import Glibc
#endif

/// The clocks and the chance that the keeper goes by.
package struct Timepiece: Sendable {
    /// The wall clock.
    package let now: @Sendable () -> Date
    /// Time since the machine's boot; never goes back, and goes on while the machine is suspended.
    package let uptime: @Sendable () -> Duration
    package let sleep: @Sendable (Duration) async throws -> Void
    /// A random number from 0 to 1.
    package let jitter: @Sendable () -> Double

    /// Gathers clocks; `boot` is the instant from which `clock` counts.
    package init<C: Clock>(
        clock: C, since boot: C.Instant, now: @escaping @Sendable () -> Date,
        jitter: @escaping @Sendable () -> Double = { Double(Random.bytes(1)[0]) / 255 }
    ) where C.Duration == Duration {
        self.init(
            now: now, uptime: { boot.duration(to: clock.now) }, sleep: { try await clock.sleep(for: $0) },
            jitter: jitter)
    }

    private init(
        now: @escaping @Sendable () -> Date, uptime: @escaping @Sendable () -> Duration,
        sleep: @escaping @Sendable (Duration) async throws -> Void, jitter: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.uptime = uptime
        self.sleep = sleep
        self.jitter = jitter
    }

    /// The machine's own clocks.
    package static var system: Timepiece {
        Timepiece(
            now: { Date() }, uptime: sinceBoot, sleep: { try await ContinuousClock().sleep(for: $0) },
            jitter: { Double(Random.bytes(1)[0]) / 255 })
    }

    // Read from the kernel itself, because an instant of `ContinuousClock` does not tell its origin.
    private static let sinceBoot: @Sendable () -> Duration = {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }
}

extension Duration {
    /// The span in seconds.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
