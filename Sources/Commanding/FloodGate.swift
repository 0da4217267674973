// A flood of foreign messages must not fill the disk: the first of each minute are written down, the rest are counted.

/// Decides whether one more event of a kind is worth a line of its own.
struct FloodGate {
    private let limit: Int
    private var windowStart: Duration = .zero
    private var passed = 0
    private var suppressed = 0

    init(limit: Int) { self.limit = limit }

    /// Whether to write the event down; if so, how many were left out since the last one that was.
    mutating func admit(at now: Duration) -> (isAdmitted: Bool, suppressedBefore: Int) {
        if now - windowStart >= .seconds(60) {
            windowStart = now
            passed = 0
        }
        guard passed < limit else {
            suppressed += 1
            return (false, 0)
        }
        passed += 1
        defer { suppressed = 0 }
        return (true, suppressed)
    }
}
