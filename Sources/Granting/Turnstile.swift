// One at a time, in the order of arrival. Who waits is a refresh that nobody can cancel, so nobody leaves the queue.

/// Lets one task through at a time; lives inside an actor.
struct Turnstile {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Takes the turn if it is free.
    mutating func take() -> Bool {
        guard !isTaken else { return false }
        isTaken = true
        return true
    }

    mutating func queue(_ continuation: CheckedContinuation<Void, Never>) { waiting.append(continuation) }

    /// Hands the turn to the next one.
    mutating func leave() {
        guard waiting.isEmpty else {
            waiting.removeFirst().resume()
            return
        }
        isTaken = false
    }
}
