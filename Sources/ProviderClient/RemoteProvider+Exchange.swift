// One request, one bounded reply: the clock runs over the whole exchange, and what is too large is not kept.

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import OAuth
import Sealing
import Synchronization

/// One request on its way out.
struct OutgoingRequest: Sendable {
    let method: String
    let url: String
    var authorization: Secret?
    /// A form, as `application/x-www-form-urlencoded`.
    var form: Secret?
}

extension RemoteProvider {
    /// How large may a reply's body be, in bytes?
    static let maximumBodySize = 65_536
    /// How large may its headers be, in bytes?
    static let maximumHeaderSize = 16_384

    /// Sends a request to a pinned host and reads the whole reply.
    ///
    /// - Throws: ``ProviderFailure``; a status that is not 2xx is a reply, not a failure.
    func send(_ outgoing: OutgoingRequest) async throws(ProviderFailure) -> RawReply {
        let host = try origins.check(outgoing.url)
        let departure = Departure()
        let request = Self.request(outgoing, departure)
        do {
            return try await withThrowingTaskGroup(of: RawReply?.self) { group in
                group.addTask { try await exchange(request) }
                group.addTask {
                    // The deadline of the whole exchange: a slow drip keeps every shorter one from passing.
                    try await Task.sleep(for: deadline)
                    return nil
                }
                defer { group.cancelAll() }
                guard let reply = try await group.next() ?? nil else {
                    throw departure.failure(host: host, reason: "no whole answer within \(deadline)")
                }
                return reply
            }
        } catch let failure as ProviderFailure {
            throw failure
        } catch {
            throw departure.failure(host: host, reason: Self.reason(error))
        }
    }

    private static func request(_ outgoing: OutgoingRequest, _ departure: Departure) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: outgoing.url)
        request.method = HTTPMethod(rawValue: outgoing.method)
        request.headers.add(
            name: "Accept", value: "application/json, application/x-www-form-urlencoded;q=0.9, */*;q=0.1")
        request.headers.add(name: "User-Agent", value: "keyholder")
        if let authorization = outgoing.authorization {
            request.headers.add(name: "Authorization", value: authorization.revealText())
        }
        if let form = outgoing.form {
            request.headers.add(name: "Content-Type", value: FormCoding.mediaType)
            request.body = .stream(
                DepartingBody(bytes: form.revealBytes(), departure: departure), length: .known(Int64(form.count)))
        } else {
            // Without a body nothing tells whether the request left, so it is taken to have left.
            departure.note()
        }
        return request
    }

    private func exchange(_ request: HTTPClientRequest) async throws -> RawReply {
        let response = try await client.execute(request, timeout: .seconds(60))
        // A client that follows redirects was handed in: what came back is somebody else's word.
        guard response.history.count <= 1 else { throw ProviderFailure.redirected(status: Int(response.status.code)) }
        let headerSize = response.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        guard headerSize <= Self.maximumHeaderSize else {
            throw ProviderFailure.tooLarge(limit: Self.maximumHeaderSize)
        }
        var body: [UInt8] = []
        for try await part in response.body {
            guard body.count + part.readableBytes <= Self.maximumBodySize else {
                throw ProviderFailure.tooLarge(limit: Self.maximumBodySize)
            }
            body += part.readableBytesView
        }
        // A cancelled reader may end like a whole body does.
        try Task.checkCancellation()
        return RawReply(
            status: Int(response.status.code), contentType: response.headers.first(name: "Content-Type"),
            retryAfter: response.headers.first(name: "Retry-After"),
            wwwAuthenticate: response.headers.first(name: "WWW-Authenticate"),
            date: response.headers.first(name: "Date"), body: Secret(body))
    }

    /// Names the fault. Most errors of the HTTP client repeat what was sent, so only its short words are used.
    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as HTTPClientError: error.shortDescription
        case is CancellationError: "cancelled"
        case let error as IOError: DisplayText.sanitised(error.description)
        default: "no connection (\(type(of: error)))"
        }
    }
}

/// Remembers whether the body of a request was asked for, which happens once a connection stands.
///
/// A server that has the headers only cannot have acted on the form it was promised.
private final class Departure: Sendable {
    private let hasLeft = Mutex(false)

    func note() { hasLeft.withLock { $0 = true } }

    func failure(host: String, reason: String) -> ProviderFailure {
        hasLeft.withLock { $0 }
            ? .interrupted(host: host, reason: reason) : .notSent(host: host, reason: reason)
    }
}

/// A body that is handed out once.
private struct DepartingBody: AsyncSequence, Sendable {
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
