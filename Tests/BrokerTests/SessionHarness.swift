// A running session whose events a test waits for; nothing here sleeps.

import Broker
import Synchronization

/// Hands out the events of a session one after the other.
///
/// One test task uses it, so the iterator is never shared.
final class Running {
    let session: BrokerSession
    private var iterator: AsyncStream<BrokerEvent>.Iterator

    init(_ session: BrokerSession) {
        self.session = session
        iterator = session.events.makeAsyncIterator()
    }

    /// The next event that `pick` accepts, the others being skipped.
    func next<T>(_ pick: (BrokerEvent) -> T?) async throws -> T {
        while let event = await iterator.next(isolation: nil) {
            if let picked = pick(event) { return picked }
        }
        throw MosquittoServer.Failure(reason: "the session ended")
    }

    @discardableResult
    func connected() async throws -> [RefusedSubscription] {
        try await next { if case .connected(let refused) = $0 { refused } else { nil } }
    }

    func disconnected() async throws -> BrokerError {
        try await next { if case .disconnected(let error) = $0 { error } else { nil } }
    }

    func message() async throws -> BrokerMessage {
        try await next { if case .message(let message) = $0 { message } else { nil } }
    }
}

/// Runs a session while `body` works with it, then ends it and waits for that.
func withSession(
    _ configuration: BrokerConfiguration, _ subscriptions: [Subscription] = [], _ body: (Running) async throws -> Void
) async throws {
    let session = BrokerSession(configuration: configuration, subscriptions: subscriptions)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await session.run() }
        do {
            try await body(Running(session))
            group.cancelAll()
            try await group.waitForAll()
        } catch {
            group.cancelAll()
            throw error
        }
    }
}

extension MosquittoServer {
    /// A configuration that gets in; retries are quick.
    func configuration(
        id: String = "tester", host: String = "127.0.0.1", caFile: String? = nil, password: String = password,
        keepAlive: Duration = .seconds(10), connectTimeout: Duration = .seconds(10),
        will: BrokerConfiguration.Will? = nil, backoff: Backoff = .quick
    ) -> BrokerConfiguration {
        BrokerConfiguration(
            host: host, port: port, clientID: id, username: Self.username, password: { password },
            tls: .init(caFile: caFile ?? self.caFile), keepAlive: keepAlive, connectTimeout: connectTimeout, will: will,
            backoff: backoff)
    }
}

extension Backoff {
    /// 20 ms, 40 ms, up to 100 ms.
    static let quick = Backoff(initial: .milliseconds(20), maximum: .milliseconds(100)) { 1 }
}

/// Counts from any thread.
final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
}
