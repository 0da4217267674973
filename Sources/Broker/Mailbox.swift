// Every continuation that enters the mailbox leaves it exactly once: answered, refused, timed out, cancelled or lost.

import Synchronization

/// What a caller wants the session's thread to do.
struct Request: Sendable {
    enum Work: Sendable {
        case publish(topic: String, payload: [UInt8], qos: Int, retain: Bool, expiry: UInt32?)
        case subscribe([Subscription])
    }
    let ticket: UInt64
    let work: Work
    let deadline: ContinuousClock.Instant
}

/// The meeting place of async callers and the session's thread.
final class Mailbox: Sendable {
    /// How many callers may wait at once: beyond this the broker is too slow and the caller has to know.
    static let capacity = 1000

    typealias Reply = CheckedContinuation<Result<[UInt8], BrokerError>, Never>
    typealias End = CheckedContinuation<Result<Void, BrokerError>, Never>

    private enum Phase { case idle, running, stopped }
    private struct State {
        var phase = Phase.idle
        var hasBegun = false
        var isConnected = false
        var isBlocked = false
        var lastTicket: UInt64 = 0
        var announced: Set<UInt64> = []
        var queue: [Request] = []
        var replies: [UInt64: Reply] = [:]
        var end: End?
    }

    let wake = Wake()
    private let state = Mutex(State())

    var isConnected: Bool { state.withLock { $0.isConnected } }
    var isStopped: Bool { state.withLock { $0.phase == .stopped } }

    // MARK: Callers

    /// Hands over work and waits for its answer: the reason codes, one for a publish, one per filter for a subscribe.
    func post(_ work: Request.Work, timeout: Duration) async throws(BrokerError) -> [UInt8] {
        let ticket = state.withLock { state in
            state.lastTicket += 1
            state.announced.insert(state.lastTicket)
            return state.lastTicket
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (reply: Reply) in
                let request = Request(ticket: ticket, work: work, deadline: .now + timeout)
                if let refusal = enqueue(request, reply) {
                    reply.resume(returning: .failure(refusal))
                } else {
                    wake.signal()
                }
            }
        } onCancel: {
            answer(ticket, .failure(.cancelled))
        }
        return try result.get()
    }

    private func enqueue(_ request: Request, _ reply: Reply) -> BrokerError? {
        state.withLock { state in
            // A ticket no longer announced was cancelled before it got here.
            guard state.announced.remove(request.ticket) != nil else { return .cancelled }
            guard state.isConnected else { return .notConnected }
            guard state.replies.count < Self.capacity else { return .overloaded }
            state.replies[request.ticket] = reply
            state.queue.append(request)
            return nil
        }
    }

    /// Answers a caller once; later answers to the same ticket find nobody.
    func answer(_ ticket: UInt64, _ result: Result<[UInt8], BrokerError>) {
        let reply = state.withLock { state in
            state.announced.remove(ticket)
            return state.replies.removeValue(forKey: ticket)
        }
        reply?.resume(returning: result)
    }

    // MARK: Run and stop

    /// Notes who waits for the end; `false` when there is nothing to start because the answer was given at once.
    func begin(_ end: End) -> Bool {
        let answer: Result<Void, BrokerError>? = state.withLock { state in
            guard !state.hasBegun else { return .failure(.alreadyRun) }
            state.hasBegun = true
            guard state.phase == .idle else { return .success(()) }
            state.phase = .running
            state.end = end
            return nil
        }
        guard let answer else { return true }
        end.resume(returning: answer)
        return false
    }

    /// Asks the thread to end; a thread stuck in the resolver is not waited for.
    func stop() {
        let isBlocked = state.withLock { state in
            state.phase = .stopped
            return state.isBlocked
        }
        wake.signal()
        if isBlocked { ended(.success(())) }
    }

    /// Tells whoever waits that the session is over.
    func ended(_ result: Result<Void, BrokerError>) {
        disconnected()
        let end = state.withLock { state in
            state.phase = .stopped
            return state.end.take()
        }
        end?.resume(returning: result)
    }

    // MARK: The session's thread

    /// Marks a call that may block for long; returns whether the session has been stopped.
    func setBlocked(_ isBlocked: Bool) -> Bool {
        state.withLock { state in
            state.isBlocked = isBlocked
            return state.phase == .stopped
        }
    }

    /// From now on requests are accepted, unless the session was stopped meanwhile.
    func connected() { state.withLock { $0.isConnected = $0.phase == .running } }

    /// Takes the oldest requests that somebody still waits for, at most `limit`.
    func take(_ limit: Int) -> [Request] {
        state.withLock { state in
            guard !state.queue.isEmpty else { return [] }
            let taken = state.queue.prefix(max(limit, 0))
            state.queue.removeFirst(taken.count)
            return taken.filter { state.replies[$0.ticket] != nil }
        }
    }

    /// Lets go everybody: those whose request was never taken with `notConnected`, the others with `connectionLost`.
    func disconnected() {
        let (unsent, sent) = state.withLock { state in
            let unsent = state.queue.compactMap { state.replies.removeValue(forKey: $0.ticket) }
            let sent = Array(state.replies.values)
            state.isConnected = false
            state.queue = []
            state.replies = [:]
            return (unsent, sent)
        }
        for reply in unsent { reply.resume(returning: .failure(.notConnected)) }
        for reply in sent { reply.resume(returning: .failure(.connectionLost)) }
    }
}
