// Callbacks only copy and append; whatever follows from an arrival is done after libmosquitto has returned.

internal import CMosquitto

/// What libmosquitto reported since it was last asked, in order.
final class Inbox {
    enum Arrival {
        case connack
        case suback(mid: Int32, reasons: [UInt8])
        case puback(mid: Int32, reason: UInt8)
        case message(BrokerMessage)
        case tooLarge
    }

    private(set) var arrivals: [Arrival] = []
    /// Why the broker refused or ended the connection, when its CONNACK or DISCONNECT said so.
    private(set) var refusal: UInt8?
    /// The last error libmosquitto or OpenSSL logged.
    private(set) var lastError: String?

    /// Hands out the arrivals and forgets them.
    func empty() -> [Arrival] {
        defer { arrivals = [] }
        return arrivals
    }

    /// Has a client report to this inbox, which must outlive it.
    func listen(to client: OpaquePointer) {
        mosquitto_user_data_set(client, Unmanaged.passUnretained(self).toOpaque())
        mosquitto_connect_v5_callback_set(client) { _, inbox, reason, _, _ in
            if reason == 0 {
                Inbox.of(inbox)?.arrivals.append(.connack)
            } else {
                Inbox.of(inbox)?.refusal = UInt8(truncatingIfNeeded: reason)
            }
        }
        mosquitto_disconnect_v5_callback_set(client) { _, inbox, reason, _ in
            // Below 0x80 this is libmosquitto's own code, which its return value tells as well.
            if reason >= 0x80 { Inbox.of(inbox)?.refusal = UInt8(truncatingIfNeeded: reason) }
        }
        mosquitto_publish_v5_callback_set(client) { _, inbox, mid, reason, _ in
            Inbox.of(inbox)?.arrivals.append(.puback(mid: mid, reason: UInt8(truncatingIfNeeded: reason)))
        }
        mosquitto_subscribe_v5_callback_set(client) { _, inbox, mid, count, reasons, _ in
            let reasons = UnsafeBufferPointer(start: reasons, count: reasons == nil ? 0 : Int(max(count, 0)))
            Inbox.of(inbox)?.arrivals.append(
                .suback(mid: mid, reasons: reasons.map { UInt8(truncatingIfNeeded: $0) }))
        }
        mosquitto_message_v5_callback_set(client) { _, inbox, message, properties in
            Inbox.of(inbox)?.received(message, properties)
        }
        mosquitto_log_callback_set(client) { _, inbox, level, text in
            // Errors only: the other levels speak of topics and sizes of every packet.
            guard level == MOSQ_LOG_ERR, let text else { return }
            Inbox.of(inbox)?.lastError = String(cString: text)
        }
    }

    private func received(_ message: UnsafePointer<mosquitto_message>?, _ properties: OpaquePointer?) {
        guard let message = message?.pointee, let topic = message.topic else { return }
        guard message.payloadlen <= BrokerSession.maximumPayload else { return arrivals.append(.tooLarge) }
        var expiry: UInt32 = 0
        let property = mosquitto_property_read_int32(
            properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL.identifier, &expiry, false)
        let payload = UnsafeRawBufferPointer(start: message.payload, count: Int(max(message.payloadlen, 0)))
        arrivals.append(
            .message(
                BrokerMessage(
                    topic: String(cString: topic), payload: Array(payload), retained: message.retain,
                    qos: Int(message.qos), expiry: property == nil ? nil : expiry)))
    }

    private static func of(_ pointer: UnsafeMutableRawPointer?) -> Inbox? {
        pointer.map { Unmanaged<Inbox>.fromOpaque($0).takeUnretainedValue() }
    }
}

extension mqtt5_property {
    /// The property's number as libmosquitto's functions take it.
    var identifier: Int32 { Int32(rawValue) }
}
