// Time in tests stands still until the test moves it; nobody sleeps.

import FoundationEssentials
import Notifying
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
        var next = 0
        var sleepers: [Int: Sleeper] = [:]
        var cancelled: Set<Int> = []
        var awaited: [(span: Duration, continuation: CheckedContinuation<Void, Never>)] = []
    }

    static let epoch = Date(timeIntervalSince1970: 1_800_000_000)
    private let state = Mutex(State())

    var now: Instant { state.withLock { $0.now } }
    var minimumResolution: Duration { .nanoseconds(1) }
    var wall: Date { Self.epoch.addingTimeInterval(Double(now.offset.components.seconds)) }
    /// Every rest has its full length.
    var pace: Pace { Pace(clock: self, now: { self.wall }, jitter: { 1 }) }

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

    /// Returns once somebody sleeps who will wake up after exactly that span.
    func waitForSleeper(lasting span: Duration) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.sleepers.values.contains(where: { state.now.duration(to: $0.deadline) == span }) {
                    return true
                }
                state.awaited.append((span, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// Lets somebody sleep for that span, and then wakes them.
    func pass(_ span: Duration) async {
        await waitForSleeper(lasting: span)
        advance(by: span)
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
