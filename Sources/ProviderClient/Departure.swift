// Whether a request has left decides whether it may be sent again, so in doubt it has.

import AsyncHTTPClient
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import OAuth
import Synchronization

/// Remembers whether the body of a request was asked for, which happens once a connection stands.
///
/// A server that has the headers only cannot have acted on the form it was promised.
final class Departure: Sendable {
    private let hasLeft = Mutex(false)
    /// Without a body only the failure itself can tell that there never was a connection.
    private let hasBody: Bool

    init(hasBody: Bool) { self.hasBody = hasBody }

    func note() { hasLeft.withLock { $0 = true } }

    func failure(host: String, error: any Error) -> ProviderFailure {
        failure(host: host, reason: Self.reason(error), neverConnected: Self.isAboutConnecting(error))
    }

    func failure(host: String, reason: String, neverConnected: Bool = false) -> ProviderFailure {
        let mayHaveLeft = hasBody ? hasLeft.withLock { $0 } : !neverConnected
        return mayHaveLeft ? .interrupted(host: host, reason: reason) : .notSent(host: host, reason: reason)
    }

    private static func isAboutConnecting(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError:
            [.connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout].contains(error)
        case NIOSSLError.handshakeFailed: true
        // What a connection that stands never says.
        case let error as IOError: error.errnoCode == ECONNREFUSED
        case is NIOConnectionError, is NIOSSLExtraError, is SocketAddressError: true
        default: false
        }
    }

    /// Names the fault. Most errors of the HTTP client repeat what was sent, so only its short words are used.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError: error.shortDescription
        case is CancellationError: "cancelled"
        case let error as IOError: DisplayText.sanitised(error.description)
        case let error as NIOConnectionError: connectionReason(error)
        case NIOSSLError.handshakeFailed(let error): DisplayText.sanitised("TLS handshake failed: \(error)")
        case is NIOSSLExtraError: "the server's certificate is not for this host"
        default: "no connection (\(type(of: error)))"
        }
    }

    private static func connectionReason(_ error: NIOConnectionError) -> String {
        if let first = error.connectionErrors.first?.error as? IOError {
            return DisplayText.sanitised(first.description)
        }
        return error.dnsAError != nil || error.dnsAAAAError != nil ? "the name cannot be resolved" : "no connection"
    }
}

/// A body that is handed out once.
struct DepartingBody: AsyncSequence, Sendable {
    let bytes: [UInt8]
    let departure: Departure

    struct AsyncIterator: AsyncIteratorProtocol {
        var bytes: [UInt8]?
        let departure: Departure

        mutating func next() async -> ByteBuffer? {
            guard let rest = bytes else { return nil }
            departure.note()
            bytes = nil
            return ByteBuffer(bytes: rest)
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(bytes: bytes, departure: departure) }
}
