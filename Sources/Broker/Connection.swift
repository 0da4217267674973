// One libmosquitto client is used for one connection, by one thread, and then destroyed: nothing unacknowledged is
// sent again behind the caller's back, and no state of a broken connection reaches the next.

internal import CMosquitto
import Glibc

/// Owns a libmosquitto client from before CONNECT to the end of its socket.
final class Connection {
    /// The address families to try, as the wildcard addresses that make libmosquitto skip the other family.
    ///
    /// A connect that does not block settles on the first address it tries, so a name with addresses of both
    /// families would never reach a broker that listens on the second only.
    static let families = ["0.0.0.0", "::"]

    let inbox = Inbox()
    private let client: OpaquePointer

    /// Makes a client for one connection; the password is asked for here and forgotten after CONNACK.
    init(_ configuration: BrokerConfiguration) throws(BrokerError) {
        guard let client = mosquitto_new(configuration.clientID, true, nil) else { throw .system(errno: errno) }
        self.client = client
        inbox.listen(to: client)
        try check(mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5))
        try check(mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1))
        if let username = configuration.username {
            try check(mosquitto_username_pw_set(client, username, configuration.password()))
        }
        if let will = configuration.will {
            try check(
                mosquitto_will_set(
                    client, will.topic, Int32(truncatingIfNeeded: will.payload.count), will.payload, 1, will.retain))
        }
        if let tls = configuration.tls,
            mosquitto_tls_set(client, tls.caFile, nil, nil, nil, nil) != MOSQ_ERR_SUCCESS.rawValue
        {
            throw .tls("cannot read \"\(tls.caFile)\"")
        }
    }

    deinit { mosquitto_destroy(client) }

    /// The socket, or -1 when there is none.
    var socket: Int32 { mosquitto_socket(client) }

    /// Whether packets wait for room in the socket; meaningless before CONNACK.
    var wantsWrite: Bool { mosquitto_want_write(client) }

    /// Resolves the host and starts connecting; blocks in the resolver only.
    func open(_ configuration: BrokerConfiguration, family: String) throws(BrokerError) {
        let keepAlive = Int32(min(max(configuration.keepAlive.components.seconds, 5), 65_535))
        let port = Int32(truncatingIfNeeded: min(max(configuration.port, -1), 65_536))
        try setConnectProperties(configuration.host)
        let code = mosquitto_connect_bind_async(client, configuration.host, port, keepAlive, family)
        let number = errno
        switch code {
        // -1: TCP is not connected yet, which is what was asked for.
        case MOSQ_ERR_SUCCESS.rawValue, MOSQ_ERR_CONN_PENDING.rawValue: break
        case MOSQ_ERR_EAI.rawValue: throw .unresolved(host: configuration.host)
        case MOSQ_ERR_ERRNO.rawValue: throw .unreachable(errno: number)
        default: throw failure(code)
        }
        // A half-open peer is found even while data is under way; children do not inherit the socket.
        var patience = UInt32(keepAlive) * 2000
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &patience, socklen_t(MemoryLayout<UInt32>.size))
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
    }

    /// Has CONNECT carry the largest packet this client accepts.
    ///
    /// Only the blocking connect takes properties; called with an impossible port it keeps them for the
    /// connect that follows and does nothing else. Should a later library not keep them, ``Inbox`` still checks.
    private func setConnectProperties(_ host: String) throws(BrokerError) {
        var properties: OpaquePointer?
        defer { mosquitto_property_free_all(&properties) }
        try check(
            mosquitto_property_add_int32(
                &properties, MQTT_PROP_MAXIMUM_PACKET_SIZE.identifier, UInt32(BrokerSession.maximumPayload)))
        let code = mosquitto_connect_bind_v5(client, host, -1, 0, nil, properties)
        guard code == MOSQ_ERR_INVAL.rawValue else { throw .library(code: code) }
    }

    /// Why TCP could not be established, or 0.
    var socketError: Int32 {
        var number: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(socket, SOL_SOCKET, SO_ERROR, &number, &size) == 0 ? number : errno
    }

    /// Whether TCP is established.
    var hasPeer: Bool {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let descriptor = socket
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &size) == 0 }
        }
    }

    /// Takes a step of the TLS handshake, or reads packets into the inbox.
    func read() throws(BrokerError) { try check(mosquitto_loop_read(client, 1)) }

    /// Writes waiting packets; does nothing while the handshake lasts.
    func write() throws(BrokerError) { try check(mosquitto_loop_write(client, 1)) }

    /// Sends a ping when one is due, and finds out that the last one was not answered.
    func keepAlive() throws(BrokerError) { try check(mosquitto_loop_misc(client)) }

    /// Forgets the password; it is not needed after CONNACK.
    func forgetPassword() { mosquitto_username_pw_set(client, nil, nil) }

    /// Sends a PUBLISH and returns its packet identifier.
    func publish(
        topic: String, payload: [UInt8], qos: Int, retain: Bool, expiry: UInt32?
    ) throws(BrokerError) -> Int32 {
        var properties: OpaquePointer?
        defer { mosquitto_property_free_all(&properties) }
        if let expiry {
            try check(
                mosquitto_property_add_int32(&properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL.identifier, expiry))
        }
        var mid: Int32 = 0
        let count = Int32(truncatingIfNeeded: payload.count)
        let code = mosquitto_publish_v5(client, &mid, topic, count, payload, Int32(qos), retain, properties)
        if code == MOSQ_ERR_OVERSIZE_PACKET.rawValue { throw .tooLarge(bytes: payload.count) }
        try check(code, topic)
        return mid
    }

    /// Sends a SUBSCRIBE for one filter and returns its packet identifier.
    func subscribe(_ subscription: Subscription) throws(BrokerError) -> Int32 {
        var options: UInt32 = 0
        if subscription.noLocal { options |= MQTT_SUB_OPT_NO_LOCAL.rawValue }
        if subscription.retainAsPublished { options |= MQTT_SUB_OPT_RETAIN_AS_PUBLISHED.rawValue }
        var mid: Int32 = 0
        let qos = Int32(min(max(subscription.qos, 0), 2))
        try check(
            mosquitto_subscribe_v5(client, &mid, subscription.filter, qos, Int32(options), nil), subscription.filter)
        return mid
    }

    /// Sends DISCONNECT, so that the will is not published; a full socket gets half a second.
    func close() {
        _ = mosquitto_disconnect_v5(client, 0, nil)
        let deadline = ContinuousClock.now + .milliseconds(500)
        while socket >= 0, deadline > .now {
            var entry = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
            guard poll(&entry, 1, (deadline - .now).milliseconds) > 0, (try? write()) != nil else { return }
        }
    }

    private func check(_ code: Int32, _ topic: String? = nil) throws(BrokerError) {
        guard code != MOSQ_ERR_SUCCESS.rawValue else { return }
        if let topic, code == MOSQ_ERR_INVAL.rawValue || code == MOSQ_ERR_MALFORMED_UTF8.rawValue {
            throw .invalidTopic(topic)
        }
        throw failure(code)
    }

    /// Why the connection is over, when libmosquitto returned nothing but closed the socket.
    var ending: BrokerError { failure(MOSQ_ERR_CONN_LOST.rawValue) }

    /// What a return code means, the broker's own reason first.
    private func failure(_ code: Int32) -> BrokerError {
        if let reason = inbox.refusal { return .reason(reason) }
        return switch code {
        case MOSQ_ERR_CONN_LOST.rawValue, MOSQ_ERR_NO_CONN.rawValue, MOSQ_ERR_ERRNO.rawValue: .connectionLost
        case MOSQ_ERR_KEEPALIVE.rawValue: .silent
        case MOSQ_ERR_TLS.rawValue, MOSQ_ERR_TLS_HANDSHAKE.rawValue: .tls(inbox.lastError ?? "handshake failed")
        case MOSQ_ERR_PROTOCOL.rawValue, MOSQ_ERR_MALFORMED_PACKET.rawValue, MOSQ_ERR_MALFORMED_UTF8.rawValue:
            .protocolViolation
        default: .library(code: code)
        }
    }
}
