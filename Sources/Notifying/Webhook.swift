// One POST to the address the owner wrote down, and nowhere else: a redirect is a refusal. Webhook addresses are often
// all it takes to use them, so no log line holds more than the host.

import AsyncHTTPClient
import Delegation
import NIOCore
import NIOHTTP1
import StrictJSON

/// Sends each notice as JSON to an HTTP server.
struct Webhook: NoticeChannel {
    let name = "webhook"
    let longestRest = Duration.seconds(600)
    /// How long may one exchange take?
    static let patience = Duration.seconds(10)

    private let url: String
    private let client: HTTPClient
    private let pace: Pace

    /// Prepares to send.
    ///
    /// - Parameters:
    ///   - url: Where to.
    ///   - client: One that follows no redirects.
    ///   - pace: The clock.
    init(url: String, client: HTTPClient, pace: Pace) {
        self.url = url
        self.client = client
        self.pace = pace
    }

    func tell(_ notice: Notice) async throws(Undelivered) {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "keyholder")
        request.body = .bytes(ByteBuffer(bytes: notice.document.bytes))
        let status: UInt?
        do {
            status = try await pace.limit(to: Self.patience) { [request] in
                // The status is the answer; the body is not read, and ends with the response.
                try await client.execute(request, timeout: .seconds(60)).status.code
            }
        } catch let error as HTTPClientError {
            throw .unavailable(error.shortDescription)
        } catch {
            throw .unavailable("no connection (\(type(of: error)))")
        }
        switch status {
        case .some(200..<300): return
        case nil: throw .unavailable("no answer within \(Self.patience)")
        case .some(408), .some(429), .some(500...): throw .unavailable("status \(status ?? 0)")
        case .some(let code): throw .refused("status \(code)")
        }
    }
}
