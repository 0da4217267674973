// Counters of one device must reach the broker in the order they were taken, so whoever takes one passes here alone and
// in turn.

/// Lets one task at a time through, first come, first served. Belongs to one actor.
struct Turnstile {
    private var isTaken = false
    private var waiting: [AsyncStream<Never>.Continuation] = []

    /// Enters at once when free.
    ///
    /// - Returns: `nil` when inside; otherwise what to wait on until it is one's turn.
    mutating func enter() -> AsyncStream<Never>? {
        if !isTaken {
            isTaken = true
            return nil
        }
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        waiting.append(continuation)
        return stream
    }

    /// Leaves, and hands over to the next.
    mutating func leave() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().finish() }
    }
}
