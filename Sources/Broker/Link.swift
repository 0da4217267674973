// A link lives as long as one connection. Before it is up it has one deadline for everything; a peer that says nothing,
// resets, or closes cannot hold it longer, and cannot make it spin: TLS errors libmosquitto swallows show in the socket.

import Glibc

/// `POLLRDHUP` of Linux, the peer has closed its side; the C library shows it to GNU sources only.
private let peerClosed: Int32 = 0x2000

/// Serves one connection from the first SYN to its end.
final class Link {
    /// How many unacknowledged publishes the broker gets at once; Mosquitto's own default.
    private static let inFlightLimit = 20
    /// How often to read before callers get their turn, whatever a flooding peer does.
    private static let batch = 64
    /// How long to wait without looking at deadlines and keep-alive.
    private static let tick = Duration.seconds(1)
    /// How many messages may come between the first SUBACK and the last.
    private static let heldLimit = BrokerSession.eventCapacity

    private enum Phase: Comparable { case connecting, handshake, subscribing, up }
    /// Who waits for an acknowledgement: a publish, or filter number `index` of a subscribe.
    private enum Flight {
        case publish(ticket: UInt64, deadline: ContinuousClock.Instant)
        case subscribe(ticket: UInt64, index: Int, deadline: ContinuousClock.Instant)
    }
    /// The ticket of the session's own subscriptions, which no caller gets.
    private static let ownTicket: UInt64 = 0

    private let configuration: BrokerConfiguration
    private let subscriptions: [Subscription]
    private let mailbox: Mailbox
    private let emit: @Sendable (BrokerEvent) -> Void

    private var phase = Phase.connecting
    private var flights: [Int32: Flight] = [:]
    private var codes: [UInt64: [UInt8?]] = [:]
    private var held: [BrokerMessage] = []
    /// Whether reading was cut short by the batch limit, so that more may wait where `poll` cannot see it.
    private var hasMore = false
    /// When the link came up, if it did.
    private(set) var connectedSince: ContinuousClock.Instant?
    /// Whether somebody accepted the TCP connection.
    private(set) var reachedPeer = false

    init(
        _ configuration: BrokerConfiguration, _ subscriptions: [Subscription], _ mailbox: Mailbox,
        emit: @escaping @Sendable (BrokerEvent) -> Void
    ) {
        self.configuration = configuration
        self.subscriptions = subscriptions
        self.mailbox = mailbox
        self.emit = emit
    }

    /// Connects and serves until the connection ends or the session is stopped; returns why.
    func serve(family: String) -> BrokerError {
        let deadline = ContinuousClock.now + configuration.connectTimeout
        do throws(BrokerError) {
            guard !mailbox.setBlocked(true) else { return .cancelled }
            defer { _ = mailbox.setBlocked(false) }
            let connection = try Connection(configuration)
            try connection.open(configuration, family: family)
            _ = mailbox.setBlocked(false)
            while !mailbox.isStopped { try step(connection, deadline: deadline) }
            if phase >= .subscribing { connection.close() }
            return .cancelled
        } catch {
            return error
        }
    }

    private func step(_ connection: Connection, deadline: ContinuousClock.Instant) throws(BrokerError) {
        var limit = hasMore ? .zero : Self.tick
        if phase < .up {
            guard deadline > .now else { throw .connectTimeout }
            // The handshake wants to write only once, but should a CONNECT not fit at once, it is tried again soon.
            limit = min(deadline - .now, phase == .handshake ? .milliseconds(100) : Self.tick)
        }
        let ready = wait(connection, atMost: limit)
        switch phase {
        case .connecting: try connectingStep(connection, ready)
        case .handshake: try handshakeStep(connection, ready)
        case .subscribing, .up: try openStep(connection, ready)
        }
    }

    /// Waits for the socket or the mailbox; returns what `poll` saw on the socket.
    private func wait(_ connection: Connection, atMost limit: Duration) -> Int32 {
        var events = POLLIN | peerClosed
        if phase == .connecting || (phase > .handshake && connection.wantsWrite) { events |= POLLOUT }
        var entries = [
            pollfd(fd: connection.socket, events: Int16(events), revents: 0),
            pollfd(fd: mailbox.wake.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        poll(&entries, 2, limit.milliseconds)
        if entries[1].revents != 0 { mailbox.wake.clear() }
        return Int32(entries[0].revents)
    }

    private func connectingStep(_ connection: Connection, _ ready: Int32) throws(BrokerError) {
        guard ready != 0 else { return }
        let number = connection.socketError
        guard number == 0 else { throw .unreachable(errno: number) }
        // The early step of the handshake may have taken the error off the socket.
        guard connection.hasPeer else { throw .unreachable(errno: ENOTCONN) }
        reachedPeer = true
        phase = .handshake
        try handshakeStep(connection, ready)
    }

    private func handshakeStep(_ connection: Connection, _ ready: Int32) throws(BrokerError) {
        try connection.read()
        try connection.write()
        try handleArrivals(connection)
        // libmosquitto takes a reset during the handshake for "try again": the connection ends here instead.
        if phase == .handshake, ready & (peerClosed | POLLHUP | POLLERR | POLLNVAL) != 0 {
            // Only closed, not reset: the reason for a refusal may still be there to read.
            for _ in 0..<8 where phase == .handshake && ready & (POLLHUP | POLLERR) == 0 {
                try connection.read()
                try handleArrivals(connection)
            }
            throw connection.ending
        }
    }

    private func openStep(_ connection: Connection, _ ready: Int32) throws(BrokerError) {
        if hasMore || ready & (POLLIN | peerClosed | POLLHUP | POLLERR) != 0 {
            // OpenSSL may hold decrypted packets that poll cannot see: read until nothing arrives.
            hasMore = true
            for _ in 0..<Self.batch where hasMore {
                try connection.read()
                hasMore = try handleArrivals(connection)
            }
        }
        if connection.socket < 0 || ready & (POLLHUP | POLLERR | POLLNVAL) != 0 { throw connection.ending }
        if connection.wantsWrite { try connection.write() }
        try connection.keepAlive()
        try expire()
        guard phase == .up else { return }
        for request in mailbox.take(Self.inFlightLimit - flights.count) { try perform(request, connection) }
    }

    // MARK: Sending

    private func perform(_ request: Request, _ connection: Connection) throws(BrokerError) {
        guard request.deadline > .now else { return mailbox.answer(request.ticket, .failure(.overloaded)) }
        switch request.work {
        case .publish(let topic, let payload, let qos, let retain, let expiry):
            do throws(BrokerError) {
                let mid = try connection.publish(
                    topic: topic, payload: payload, qos: qos, retain: retain, expiry: expiry)
                if qos == 0 {
                    mailbox.answer(request.ticket, .success([0]))
                } else {
                    flights[mid] = .publish(ticket: request.ticket, deadline: request.deadline)
                }
            } catch {
                guard connection.socket >= 0, error != .connectionLost else { throw error }
                mailbox.answer(request.ticket, .failure(error))
            }
        case .subscribe(let subscriptions):
            try subscribe(subscriptions, ticket: request.ticket, deadline: request.deadline, connection)
        }
    }

    private func subscribe(
        _ subscriptions: [Subscription], ticket: UInt64, deadline: ContinuousClock.Instant, _ connection: Connection
    ) throws(BrokerError) {
        codes[ticket] = Array(repeating: nil, count: subscriptions.count)
        for (index, subscription) in subscriptions.enumerated() {
            do throws(BrokerError) {
                let mid = try connection.subscribe(subscription)
                flights[mid] = .subscribe(ticket: ticket, index: index, deadline: deadline)
            } catch .invalidTopic {
                codes[ticket]?[index] = 0x8F
            }
        }
        finishSubscribe(ticket)
    }

    /// An acknowledgement that does not come makes the connection suspect: it is given up with everything on it.
    private func expire() throws(BrokerError) {
        let now = ContinuousClock.now
        var isLate = false
        for case (_, .publish(let ticket, let deadline)) in flights where deadline <= now {
            mailbox.answer(ticket, .failure(.timeout))
            isLate = true
        }
        for case (_, .subscribe(let ticket, _, let deadline)) in flights where deadline <= now {
            mailbox.answer(ticket, .failure(.timeout))
            isLate = true
        }
        if isLate { throw .timeout }
    }

    // MARK: Receiving

    /// Acts on what arrived; returns whether anything did.
    @discardableResult
    private func handleArrivals(_ connection: Connection) throws(BrokerError) -> Bool {
        let arrivals = connection.inbox.empty()
        for arrival in arrivals {
            switch arrival {
            case .connack:
                connection.forgetPassword()
                guard phase == .handshake else { throw .protocolViolation }
                phase = .subscribing
                // The deadline of the whole attempt covers these as well.
                let deadline = ContinuousClock.now + configuration.connectTimeout
                try subscribe(subscriptions, ticket: Self.ownTicket, deadline: deadline, connection)
            case .suback(let mid, let reasons):
                guard case .subscribe(let ticket, let index, _) = flights.removeValue(forKey: mid) else { continue }
                guard let reason = reasons.first, reasons.count == 1 else { throw .protocolViolation }
                codes[ticket]?[index] = reason
                finishSubscribe(ticket)
            case .puback(let mid, let reason):
                guard case .publish(let ticket, _) = flights.removeValue(forKey: mid) else { continue }
                mailbox.answer(ticket, reason < 0x80 ? .success([reason]) : .failure(.reason(reason)))
            case .message(let message):
                deliver(message)
            case .tooLarge: throw .protocolViolation
            }
        }
        return !arrivals.isEmpty
    }

    private func finishSubscribe(_ ticket: UInt64) {
        guard let reasons = codes[ticket], !reasons.contains(nil) else { return }
        codes[ticket] = nil
        let complete = reasons.compactMap(\.self)
        guard ticket == Self.ownTicket else { return mailbox.answer(ticket, .success(complete)) }
        phase = .up
        connectedSince = .now
        mailbox.connected()
        let refused = zip(subscriptions, complete).filter { $0.1 >= 0x80 }
        emit(.connected(refused: refused.map { RefusedSubscription(filter: $0.filter, reason: $1) }))
        for message in held { emit(.message(message)) }
        held = []
    }

    /// Retained messages of the first filter may come before the SUBACK of the second; they wait for `connected`.
    private func deliver(_ message: BrokerMessage) {
        guard phase < .up else { return emit(.message(message)) }
        if held.count < Self.heldLimit { held.append(message) }
    }
}
