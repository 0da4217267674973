// An app that asks in a circle costs the home nothing: each has a bucket of its own, which fills at a steady rate.

import Synchronization

/// How often each app may ask.
final class RequestRate: Sendable {
    /// What is counted, each apart.
    enum Kind: Hashable, Sendable {
        /// Looking at something.
        case question
        /// Commands, which cost a device its battery and the home a signature.
        case command

        init(method: String) { self = method == "GET" || method == "HEAD" ? .question : .command }

        /// How many may come at once?
        var burst: Double { self == .question ? 60 : 20 }
        /// How many come back each second?
        var refill: Double { self == .question ? 10 : 1 }
    }

    private struct Place: Hashable {
        let consumer: String
        let kind: Kind
    }

    private struct Bucket {
        var level: Double
        var at: Duration
    }

    private let buckets = Mutex<[Place: Bucket]>([:])

    /// Counts a request of a consumer; only registered ones are ever counted, so there are no more buckets than apps.
    ///
    /// - Parameters:
    ///   - consumer: The id of the consumer.
    ///   - kind: What it asks for.
    ///   - now: The time by a clock that only goes forward.
    /// - Returns: `nil` when it may go on, otherwise after how many seconds to try again.
    func admit(_ consumer: String, _ kind: Kind, at now: Duration) -> Int? {
        return buckets.withLock { buckets in
            let place = Place(consumer: consumer, kind: kind)
            var bucket = buckets[place] ?? Bucket(level: kind.burst, at: now)
            let passed = max(0, (now - bucket.at) / .seconds(1))
            bucket.level = min(kind.burst, bucket.level + passed * kind.refill)
            bucket.at = now
            defer { buckets[place] = bucket }
            guard bucket.level >= 1 else { return max(1, Int(((1 - bucket.level) / kind.refill).rounded(.up))) }
            bucket.level -= 1
            return nil
        }
    }
}
