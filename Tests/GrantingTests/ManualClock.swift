// Time in tests stands still until the test moves it; nobody sleeps.

import FoundationEssentials
import Granting
import Synchronization

/// A clock that is moved by hand, and the wall clock that goes with it.
final class ManualClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        let offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct Sleeper {
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant(offset: .zero)
        /// By how much the wall clock was set.
        var shift = 0.0
        var next = 0
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var awaited: [(span: Duration, continuation: CheckedContinuation<Void, Never>)] = []

        func sleeps(for span: Duration) -> Bool {
            sleepers.values.contains { now.duration(to: $0.deadline) == span }
        }
    }

    static let epoch = Date(timeIntervalSince1970: 1_800_000_000)
    private let state = Mutex(State())

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }
    var wall: Date {
        let (now, shift) = state.withLock { ($0.now, $0.shift) }
        return Self.epoch.addingTimeInterval(Double(now.offset.components.seconds) + shift)
    }
    var timepiece: Timepiece { timepiece(since: Instant(offset: .zero)) }

    /// The clocks of a machine that was booted at that instant.
    func timepiece(since boot: Instant) -> Timepiece {
        Timepiece(clock: self, since: boot, now: { self.wall }, jitter: { 0.5 })
    }

    /// Sets the wall clock; no other clock moves.
    func setWall(_ date: Date) {
        let difference = date.timeIntervalSince(wall)
        state.withLock { $0.shift += difference }
    }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let ready = state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelled.contains(number) { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.sleepers[number] = Sleeper(deadline: deadline, continuation: continuation)
                    let span = state.now.duration(to: deadline)
                    for one in state.awaited where one.span == span { one.continuation.resume() }
                    state.awaited.removeAll { $0.span == span }
                    return nil
                }
                if let ready { continuation.resume(with: ready) }
            }
        } onCancel: {
            let sleeper = state.withLock { state in
                state.cancelled.insert(number)
                return state.sleepers.removeValue(forKey: number)
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Whether somebody sleeps who will wake up after exactly that span.
    func isSomebodySleeping(for span: Duration) -> Bool { state.withLock { $0.sleeps(for: span) } }

    /// How long the one who wakes up first will still sleep; `nil` when nobody sleeps.
    var nextWakeUp: Duration? {
        state.withLock { state in state.sleepers.values.map { state.now.duration(to: $0.deadline) }.min() }
    }

    /// Returns once somebody sleeps who will wake up after exactly that span.
    func waitForSleeper(lasting span: Duration) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.sleeps(for: span) { return true }
                state.awaited.append((span, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for number in due.keys { state.sleepers[number] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }
}
