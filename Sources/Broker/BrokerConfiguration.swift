// A configuration says where the broker is and how to prove who it is; it holds no password, only the way to ask for one.

/// Everything a session has to know about its broker.
package struct BrokerConfiguration: Sendable {
    /// How the broker proves who it is.
    package struct TLS: Sendable {
        /// Path of a PEM file with the authorities that may vouch for the broker.
        package let caFile: String

        /// Trusts the authorities in a PEM file; the certificate must also name the host that is connected to.
        package init(caFile: String) { self.caFile = caFile }
    }

    /// The message the broker publishes when the connection ends without a DISCONNECT.
    package struct Will: Sendable {
        /// The topic it is published to.
        package let topic: String
        /// What it says.
        package let payload: [UInt8]
        /// Whether the broker keeps it for later subscribers.
        package let retain: Bool

        /// Says what is published, with quality of service 1.
        package init(topic: String, payload: [UInt8], retain: Bool) {
            self.topic = topic
            self.payload = payload
            self.retain = retain
        }
    }

    /// Host name or address; with TLS it is the name the certificate must bear.
    package let host: String
    /// TCP port.
    package let port: Int
    /// MQTT client identifier.
    package let clientID: String
    /// User name, if the broker asks for one.
    package let username: String?
    /// Asked for the password at each connect, on the session's thread; it may block.
    package let password: @Sendable () -> String?
    /// Verification of the broker; `nil` speaks plain MQTT.
    package let tls: TLS?
    /// A silent broker is asked for a sign of life after this long and given up after twice that; 5 s to 18 h.
    package let keepAlive: Duration
    /// How long TCP, TLS, CONNACK and SUBACKs may take together.
    package let connectTimeout: Duration
    /// How long a publish or subscribe may wait for its acknowledgement.
    package let acknowledgementTimeout: Duration
    /// Published by the broker when this client vanishes.
    package let will: Will?
    /// How long to wait between attempts.
    package let backoff: Backoff

    /// Describes a broker; nothing is checked before the first connect, and every fault there is retried.
    package init(
        host: String, port: Int, clientID: String, username: String? = nil,
        password: @escaping @Sendable () -> String? = { nil }, tls: TLS? = nil, keepAlive: Duration = .seconds(10),
        connectTimeout: Duration = .seconds(10), acknowledgementTimeout: Duration = .seconds(10), will: Will? = nil,
        backoff: Backoff = Backoff()
    ) {
        self.host = host
        self.port = port
        self.clientID = clientID
        self.username = username
        self.password = password
        self.tls = tls
        self.keepAlive = keepAlive
        self.connectTimeout = connectTimeout
        self.acknowledgementTimeout = acknowledgementTimeout
        self.will = will
        self.backoff = backoff
    }
}
