// The wait before the next attempt is bounded and random, so that a home full of clients does not return in step.

/// Exponential backoff with full jitter: each wait is random between nothing and a ceiling that doubles.
package struct Backoff: Sendable {
    /// The ceiling of the first wait.
    package let initial: Duration
    /// The ceiling that is never exceeded.
    package let maximum: Duration
    private let random: @Sendable () -> Double

    /// Chooses the ceilings.
    ///
    /// - Parameters:
    ///   - initial: The ceiling after the first failure.
    ///   - maximum: The largest ceiling.
    ///   - random: A number from 0 to 1, drawn once for each wait.
    package init(
        initial: Duration = .seconds(1), maximum: Duration = .seconds(30),
        random: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) {
        self.initial = initial
        self.maximum = maximum
        self.random = random
    }

    /// The wait after `failures` failures in a row since the last lasting connection, counted from 1.
    package func delay(failures: Int) -> Duration {
        var ceiling = initial
        for _ in 0..<min(max(failures - 1, 0), 32) where ceiling < maximum { ceiling *= 2 }
        return min(ceiling, maximum) * min(max(random(), 0), 1)
    }
}
