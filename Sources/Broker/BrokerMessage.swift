// Bytes and topics only: what a payload means is said elsewhere.

/// A message as the broker delivered it.
package struct BrokerMessage: Sendable, Equatable {
    /// The topic it was published to.
    package let topic: String
    /// The payload, at most ``BrokerSession/maximumPayload`` bytes.
    package let payload: [UInt8]
    /// Whether the RETAIN flag is set; with "retain as published" also on live messages.
    package let retained: Bool
    /// Quality of service of this delivery, 0 to 2.
    package let qos: Int
    /// Seconds left before expiry; `nil` when not said, which may also happen in the last second.
    package let expiry: UInt32?

    /// Makes a message.
    package init(topic: String, payload: [UInt8], retained: Bool, qos: Int, expiry: UInt32? = nil) {
        self.topic = topic
        self.payload = payload
        self.retained = retained
        self.qos = qos
        self.expiry = expiry
    }
}

/// A topic filter and how to deliver what matches it (MQTT 5, section 3.8.3.1).
package struct Subscription: Sendable, Equatable {
    /// Topic filter, wildcards allowed.
    package let filter: String
    /// Highest quality of service wanted, 0 to 2.
    package let qos: Int
    /// Do not deliver what this same client publishes.
    package let noLocal: Bool
    /// Keep the RETAIN flag as the publisher set it.
    package let retainAsPublished: Bool

    /// Makes a subscription.
    package init(filter: String, qos: Int = 1, noLocal: Bool = false, retainAsPublished: Bool = true) {
        self.filter = filter
        self.qos = qos
        self.noLocal = noLocal
        self.retainAsPublished = retainAsPublished
    }
}

/// A subscription the broker did not accept.
package struct RefusedSubscription: Sendable, Equatable {
    /// The topic filter.
    package let filter: String
    /// MQTT 5 reason code, 0x80 or above; 0x87 is "not authorized".
    package let reason: UInt8
}

/// What happens to a session, in order.
package enum BrokerEvent: Sendable, Equatable {
    /// CONNACK and every SUBACK have arrived; the refused filters, if any, are listed.
    case connected(refused: [RefusedSubscription])
    /// A connection ended, or an attempt to connect failed; the session tries again after its backoff.
    case disconnected(BrokerError)
    /// A message arrived; never before the `connected` of its connection.
    case message(BrokerMessage)
}
