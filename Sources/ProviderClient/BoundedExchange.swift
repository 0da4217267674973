// One request, one bounded reply: the clock runs over the whole exchange, and what is too large is not kept.

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import OAuth
import Sealing

/// One request on its way out.
struct OutgoingRequest: Sendable {
    let method: String
    var url: String
    var authorization: Secret?
    /// A form, as `application/x-www-form-urlencoded`; empty for a POST that has everything in its query.
    var form: Secret?
    /// The proof that goes with it (RFC 9449 §4.1).
    var proof: String?
    /// How the connection is made, when not as all others.
    var tls: TLSConfiguration?
}

/// Sends requests without looking at where they go; that was decided before.
struct BoundedExchange: Sendable {
    /// How large may a reply's headers be, in bytes?
    static let maximumHeaderSize = 16_384

    let client: HTTPClient
    /// How large may a reply's body be, in bytes?
    let maximumBodySize: Int

    /// Sends a request and reads the whole reply.
    ///
    /// - Throws: ``ProviderFailure``; a status that is not 2xx is a reply, not a failure.
    func send(
        _ outgoing: OutgoingRequest, host: String, until limit: ContinuousClock.Instant
    ) async throws(ProviderFailure) -> RawReply {
        guard ContinuousClock.now < limit else { throw .notSent(host: host, reason: "no time is left") }
        let departure = Departure(hasBody: outgoing.form.map { $0.count > 0 } ?? false)
        let request = Self.request(outgoing, departure)
        do {
            return try await withThrowingTaskGroup(of: RawReply?.self) { group in
                group.addTask { try await carryOut(request) }
                group.addTask {
                    // The deadline of the whole exchange: a slow drip keeps every shorter one from passing.
                    try await Task.sleep(until: limit, clock: .continuous)
                    return nil
                }
                defer { group.cancelAll() }
                guard let reply = try await group.next() ?? nil else {
                    throw departure.failure(host: host, reason: "no whole answer in time")
                }
                return reply
            }
        } catch let failure as ProviderFailure {
            throw failure
        } catch {
            throw departure.failure(host: host, error: error)
        }
    }

    private static func request(_ outgoing: OutgoingRequest, _ departure: Departure) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: outgoing.url)
        request.method = HTTPMethod(rawValue: outgoing.method)
        request.tlsConfiguration = outgoing.tls
        request.headers.add(
            name: "Accept", value: "application/json, application/x-www-form-urlencoded;q=0.9, */*;q=0.1")
        request.headers.add(name: "User-Agent", value: "keyholder")
        if let authorization = outgoing.authorization {
            request.headers.add(name: "Authorization", value: authorization.revealText())
        }
        if let proof = outgoing.proof { request.headers.add(name: "DPoP", value: proof) }
        if let form = outgoing.form {
            request.headers.add(name: "Content-Type", value: FormCoding.mediaType)
            request.body =
                form.count > 0
                ? .stream(
                    DepartingBody(bytes: form.revealBytes(), departure: departure), length: .known(Int64(form.count)))
                : .bytes([])
        }
        return request
    }

    private func carryOut(_ request: HTTPClientRequest) async throws -> RawReply {
        let response = try await client.execute(request, timeout: .seconds(60))
        // A client that follows redirects was handed in: what came back is somebody else's word.
        guard response.history.count <= 1 else { throw ProviderFailure.redirected(status: Int(response.status.code)) }
        let headerSize = response.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        guard headerSize <= Self.maximumHeaderSize else {
            throw ProviderFailure.tooLarge(limit: Self.maximumHeaderSize)
        }
        var body: [UInt8] = []
        for try await part in response.body {
            guard body.count + part.readableBytes <= maximumBodySize else {
                throw ProviderFailure.tooLarge(limit: maximumBodySize)
            }
            body += part.readableBytesView
        }
        // A cancelled reader may end like a whole body does.
        try Task.checkCancellation()
        return RawReply(
            status: Int(response.status.code), contentType: response.headers.first(name: "Content-Type"),
            retryAfter: response.headers.first(name: "Retry-After"), date: response.headers.first(name: "Date"),
            dpopNonce: response.headers.first(name: "DPoP-Nonce"), body: Secret(body),
            challenges: response.headers["WWW-Authenticate"])
    }
}
