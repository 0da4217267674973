// Waiting is bounded and a little random, and tests decide how long it takes.

package import FoundationEssentials

/// The clocks and the chance that notices go by.
package struct Pace: Sendable {
    /// Counts suspend, never jumps.
    package let clock: any Clock<Duration>
    /// The wall clock.
    package let now: @Sendable () -> Date
    /// A number from 0 to 1.
    package let jitter: @Sendable () -> Double

    /// Gathers clocks.
    package init(
        clock: any Clock<Duration> = ContinuousClock(), now: @escaping @Sendable () -> Date = { Date() },
        jitter: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) {
        self.clock = clock
        self.now = now
        self.jitter = jitter
    }

    /// Runs `work`, which must end soon after it is cancelled; `nil` when it took too long.
    func limit<T: Sendable>(
        to patience: Duration, _ work: @Sendable @escaping () async throws -> T
    ) async throws -> T? {
        try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await work() }
            group.addTask { [clock] in
                try await clock.sleep(for: patience)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}

/// The waits after failures in a row: between half and all of a ceiling that grows fourfold.
struct Rest {
    /// The ceiling of the first wait, where longer ones are long.
    private static let first = Duration.seconds(5)
    private let longest: Duration
    private var ceiling: Duration

    init(longest: Duration) {
        self.longest = longest
        ceiling = min(Self.first, longest / 10)
    }

    /// The next wait.
    mutating func next(_ jitter: Double) -> Duration {
        defer { ceiling = min(ceiling * 4, longest) }
        return ceiling * (0.5 + min(max(jitter, 0), 1) / 2)
    }
}
