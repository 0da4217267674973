// One thread owns every connection of a session: it connects, waits, reads, writes and starts again. Whatever way a
// connection ends, the answer is the same: tell the waiting callers, tell the consumer, back off, connect anew.

import Glibc

/// The supervised loop of a session; it exists on its own thread only.
final class SessionThread {
    /// A connection that lasted this long starts the backoff afresh; one that breaks at once does not.
    private static let lasting = Duration.seconds(5)

    private let configuration: BrokerConfiguration
    private let subscriptions: [Subscription]
    private let mailbox: Mailbox
    private let emit: @Sendable (BrokerEvent) -> Void

    init(
        _ configuration: BrokerConfiguration, _ subscriptions: [Subscription], _ mailbox: Mailbox,
        emit: @escaping @Sendable (BrokerEvent) -> Void
    ) {
        self.configuration = configuration
        self.subscriptions = subscriptions
        self.mailbox = mailbox
        self.emit = emit
    }

    /// Starts a detached thread that runs the loop; the mailbox hears of its end.
    static func start(_ make: @escaping @Sendable () -> SessionThread) -> Int32 {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Start(make: make))
        let code = pthread_create(&thread, nil, { SessionThread.enter($0) }, box.toOpaque())
        guard code == 0 else {
            box.release()
            return code
        }
        pthread_detach(thread)
        return 0
    }

    private final class Start: Sendable {
        let make: @Sendable () -> SessionThread
        init(make: @escaping @Sendable () -> SessionThread) { self.make = make }
    }

    private static func enter(_ box: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let box else { return nil }
        // Signals are for the threads that expect them.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        let session = Unmanaged<Start>.fromOpaque(box).takeRetainedValue().make()
        session.supervise()
        session.mailbox.ended(.success(()))
        return nil
    }

    private func supervise() {
        var failures = 0
        var families = Connection.families
        while !mailbox.isStopped {
            var failure: BrokerError?
            for family in families {
                let link = Link(configuration, subscriptions, mailbox, emit: emit)
                let error = link.serve(family: family)
                mailbox.disconnected()
                if mailbox.isStopped { return }
                // EINVAL: the host has no address of the first family, which is not worth telling.
                if failure == nil || failure == .unreachable(errno: EINVAL) { failure = error }
                guard link.reachedPeer else { continue }
                failure = error
                families = [family] + Connection.families.filter { $0 != family }
                if let since = link.connectedSince, .now - since >= Self.lasting { failures = 0 }
                break
            }
            emit(.disconnected(failure ?? .connectionLost))
            failures += 1
            let end = ContinuousClock.now + configuration.backoff.delay(failures: failures)
            while !mailbox.isStopped, end > .now { mailbox.wake.wait(atMost: end - .now) }
        }
    }
}
