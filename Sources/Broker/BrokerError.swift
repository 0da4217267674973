// Errors say what happened and whether it may have taken effect; they never hold a payload or a password.

/// Why a connection ended or an operation did not succeed.
package enum BrokerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// There is no connection; nothing was sent.
    case notConnected
    /// The broker does not allow this to this client (reason 0x87).
    case notAuthorized
    /// The broker does not know this user name and password (reason 0x86).
    case badCredentials
    /// Another client connected under this client identifier (reason 0x8E).
    case takenOver
    /// The broker refused with this MQTT 5 reason code.
    case refused(reason: UInt8)
    /// No acknowledgement arrived in time.
    case timeout
    /// The connection ended before the acknowledgement, or the peer closed it.
    case connectionLost
    /// The broker did not answer within the connect timeout.
    case connectTimeout
    /// The broker did not answer the keep-alive ping.
    case silent
    /// The host name could not be resolved.
    case unresolved(host: String)
    /// No TCP connection; the payload is `errno`.
    case unreachable(errno: Int32)
    /// TLS failed; the payload is the library's reason.
    case tls(String)
    /// The peer did not keep to the protocol.
    case protocolViolation
    /// Too much is waiting already; nothing was sent.
    case overloaded
    /// The topic or filter is not valid.
    case invalidTopic(String)
    /// The message has too many bytes; nothing was sent.
    case tooLarge(bytes: Int)
    /// The waiting task was cancelled.
    case cancelled
    /// `run()` was called a second time.
    case alreadyRun
    /// The system refused a thread or descriptor; the payload is `errno`.
    case system(errno: Int32)
    /// libmosquitto failed with this code.
    case library(code: Int32)

    /// Whether the broker may have taken the message although no acknowledgement was seen.
    package var mayHaveTakenEffect: Bool {
        switch self {
        case .timeout, .connectionLost, .cancelled: true
        default: false
        }
    }

    package var description: String {
        switch self {
        case .notConnected: "not connected to the broker"
        case .notAuthorized: "the broker does not authorise this"
        case .badCredentials: "the broker refused the user name or password"
        case .takenOver: "another client took over this client identifier"
        case .refused(let reason): "the broker refused with reason 0x\(String(reason, radix: 16))"
        case .timeout: "no acknowledgement from the broker in time"
        case .connectionLost: "connection to the broker lost"
        case .connectTimeout: "the broker did not answer in time"
        case .silent: "the broker no longer answers"
        case .unresolved(let host): "host name \"\(host)\" not found"
        case .unreachable(let number): "broker not reachable (errno \(number))"
        case .tls(let why): "TLS with the broker failed: \(why)"
        case .protocolViolation: "the broker violated the protocol"
        case .overloaded: "too many messages wait for the broker"
        case .invalidTopic(let topic): "topic \"\(topic)\" is not valid"
        case .tooLarge(let bytes): "message of \(bytes) bytes is too large"
        case .cancelled: "cancelled"
        case .alreadyRun: "the session has been run before"
        case .system(let number): "the system refused (errno \(number))"
        case .library(let code): "libmosquitto failed with code \(code)"
        }
    }

    /// The error for an MQTT 5 reason code of 0x80 or above.
    static func reason(_ reason: UInt8) -> BrokerError {
        switch reason {
        case 0x86: .badCredentials
        case 0x87: .notAuthorized
        case 0x8E: .takenOver
        default: .refused(reason: reason)
        }
    }
}
