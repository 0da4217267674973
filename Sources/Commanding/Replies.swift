// Whoever waits for an answer gets it, or nothing when the time is over or the task ends; nobody waits for ever.

/// Answers to questions that are under way, by what identifies the question. Belongs to one actor.
struct Replies<Key: Hashable & Sendable, Value: Sendable> {
    private var waiting: [Key: AsyncStream<Value>.Continuation] = [:]

    /// Starts to listen for answers; call it before asking.
    mutating func listen(_ key: Key) -> AsyncStream<Value> {
        let (stream, continuation) = AsyncStream<Value>.makeStream(bufferingPolicy: .bufferingNewest(8))
        waiting[key] = continuation
        return stream
    }

    /// Hands an answer to whoever listens.
    ///
    /// - Returns: Whether anybody did.
    func deliver(_ value: Value, to key: Key) -> Bool {
        guard let continuation = waiting[key] else { return false }
        continuation.yield(value)
        return true
    }

    /// Stops listening.
    mutating func close(_ key: Key) { waiting.removeValue(forKey: key)?.finish() }

    var keys: [Key] { Array(waiting.keys) }
}

/// The first element that `pick` turns into something, or `nil` after `patience`.
func first<Element: Sendable, R: Sendable>(
    in stream: AsyncStream<Element>, within patience: Duration, clock: any Clock<Duration>,
    _ pick: @escaping @Sendable (Element) -> R?
) async -> R? {
    await withTaskGroup(of: R?.self) { group in
        group.addTask {
            for await element in stream {
                if let picked = pick(element) { return picked }
            }
            return nil
        }
        group.addTask {
            // Cancelled as soon as the answer is there.
            try? await clock.sleep(for: patience)
            return nil
        }
        let answer = await group.next() ?? nil
        group.cancelAll()
        return answer
    }
}
