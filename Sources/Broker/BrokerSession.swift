// A session is one MQTT 5 client identity kept connected: callers publish and wait, one consumer reads what happens.

import Glibc
import Synchronization

/// A supervised MQTT 5 session; clean start, no state is left at the broker.
package final class BrokerSession: Sendable {
    /// The largest payload sent or received, in bytes; also the largest packet asked for in CONNECT.
    package static let maximumPayload = 65_536
    /// How many events wait for the consumer before the oldest are dropped.
    static let eventCapacity = 512

    /// What happens, for one consumer; it ends when ``run()`` returns.
    ///
    /// A consumer that falls 512 events behind loses the oldest: the newest say how things stand, and a peer that
    /// floods a topic fills a bounded buffer. ``droppedEvents`` counts the loss.
    package let events: AsyncStream<BrokerEvent>

    private let configuration: BrokerConfiguration
    private let subscriptions: [Subscription]
    private let mailbox = Mailbox()
    private let continuation: AsyncStream<BrokerEvent>.Continuation
    private let dropped = Dropped()

    private final class Dropped: Sendable {
        let count = Mutex(0)
    }

    /// Prepares a session; it connects once ``run()`` is called.
    ///
    /// - Parameters:
    ///   - configuration: The broker.
    ///   - subscriptions: Subscribed to at every connect, before `connected` is reported.
    package init(configuration: BrokerConfiguration, subscriptions: [Subscription]) {
        BrokerLibrary.prepare()
        self.configuration = configuration
        self.subscriptions = subscriptions
        (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.eventCapacity))
    }

    /// Whether CONNACK and all SUBACKs of the present connection have arrived.
    package var isConnected: Bool { mailbox.isConnected }

    /// How many events the consumer lost by being slow.
    package var droppedEvents: Int { dropped.count.withLock { $0 } }

    /// Keeps the session connected until the task is cancelled, then disconnects cleanly and returns.
    ///
    /// All work is done on a thread of its own. Every failure is retried after the backoff, wrong credentials and a
    /// wrong certificate included. A session runs once.
    ///
    /// - Throws: ``BrokerError/alreadyRun``, or ``BrokerError/system(errno:)`` when there is no thread to be had.
    package func run() async throws(BrokerError) {
        let result: Result<Void, BrokerError> = await withTaskCancellationHandler {
            await withCheckedContinuation { (end: Mailbox.End) in
                guard mailbox.begin(end) else { return }
                guard mailbox.wake.descriptor >= 0 else { return mailbox.ended(.failure(.system(errno: EMFILE))) }
                let code = startThread()
                if code != 0 { mailbox.ended(.failure(.system(errno: code))) }
            }
        } onCancel: {
            mailbox.stop()
        }
        if case .failure(.alreadyRun) = result { throw .alreadyRun }
        continuation.finish()
        try result.get()
    }

    private func startThread() -> Int32 {
        let (configuration, subscriptions, mailbox) = (configuration, subscriptions, mailbox)
        let (continuation, dropped) = (continuation, dropped)
        return SessionThread.start {
            SessionThread(configuration, subscriptions, mailbox) { event in
                if case .dropped = continuation.yield(event) { dropped.count.withLock { $0 += 1 } }
            }
        }
    }

    /// Publishes a message; with quality of service 1 returns after the broker's PUBACK, with 0 once it is written.
    ///
    /// PUBACK means that the broker has the message in memory, no more. A message is never sent a second time.
    ///
    /// - Parameters:
    ///   - topic: Topic name without wildcards.
    ///   - payload: At most ``maximumPayload`` bytes.
    ///   - qos: 0 or 1.
    ///   - retain: Whether the broker keeps it for later subscribers.
    ///   - expiry: How long the broker may keep it for a slow receiver, rounded up to whole seconds.
    /// - Throws: ``BrokerError``; see ``BrokerError/mayHaveTakenEffect``.
    package func publish(
        _ topic: String, _ payload: [UInt8], qos: Int, retain: Bool = false, expiry: Duration? = nil
    ) async throws(BrokerError) {
        guard !topic.utf8.contains(0), !topic.isEmpty, topic.utf8.count <= 65_535 else { throw .invalidTopic(topic) }
        guard payload.count <= Self.maximumPayload else { throw .tooLarge(bytes: payload.count) }
        let seconds = expiry.map { expiry -> UInt32 in
            let (whole, part) = expiry.components
            return UInt32(clamping: max(1, part > 0 ? whole &+ 1 : whole))
        }
        _ = try await mailbox.post(
            .publish(topic: topic, payload: payload, qos: qos == 0 ? 0 : 1, retain: retain, expiry: seconds),
            timeout: configuration.acknowledgementTimeout)
    }

    /// Subscribes for the present connection only and returns the broker's reason codes, in the order of the filters.
    ///
    /// A refusal is a code of 0x80 or above (0x87 "not authorized", 0x8F for a malformed filter), not an error.
    ///
    /// - Throws: ``BrokerError`` when no answer was had.
    @discardableResult
    package func subscribe(_ filters: [Subscription]) async throws(BrokerError) -> [UInt8] {
        for filter in filters.map(\.filter) where filter.utf8.contains(0) { throw .invalidTopic(filter) }
        guard !filters.isEmpty else { return [] }
        return try await mailbox.post(.subscribe(filters), timeout: configuration.acknowledgementTimeout)
    }
}
