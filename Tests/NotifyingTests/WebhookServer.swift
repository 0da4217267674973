// A real HTTP server with moods: what it was sent is kept, how it answers is said beforehand.

import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import StrictJSON
import Synchronization

/// Somebody's webhook on a free port of the loopback interface.
final class WebhookServer: Sendable {
    enum Answer: Sendable {
        case status(Int)
        case redirect(to: String)
        /// Says nothing until the test is over.
        case silence
    }

    struct Received: Sendable {
        let path: String
        let contentType: String?
        let document: JSON
    }

    let received = Collector<Received>()
    private let answers = Mutex<[Answer]>([])
    private let port = Mutex(0)
    private let over = AsyncStream<Never>.makeStream()

    var url: String { "http://127.0.0.1:\(port.withLock { $0 })/hook/capability" }
    var origin: String { "http://127.0.0.1:\(port.withLock { $0 })" }

    /// Says how the next requests are answered; after that it is 204.
    func answer(_ next: Answer...) { answers.withLock { $0 += next } }

    /// Serves while `body` runs.
    func serving<T: Sendable>(_ body: @Sendable @escaping () async throws -> T) async throws -> T {
        let router = Router()
        router.on("**", method: .post) { [self] request, _ in
            let bytes = try await request.body.collect(upTo: 65_536)
            received.append(
                Received(
                    path: request.uri.path, contentType: request.headers[.contentType],
                    document: try JSON(parsing: Array(buffer: bytes))))
            switch answers.withLock({ $0.isEmpty ? .status(204) : $0.removeFirst() }) {
            case .status(let code): return Response(status: .init(code: code))
            case .redirect(let target): return Response(status: .found, headers: [.location: target])
            case .silence:
                for await _ in over.stream {}
                return Response(status: .ok)
            }
        }
        let (ready, announce) = AsyncStream<Int>.makeStream()
        var logger = Logger(label: "webhook")
        logger.logLevel = .critical
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                announce.yield(channel.localAddress?.port ?? 0)
                announce.finish()
            }, logger: logger)
        return try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask {
                try await application.run()
                return nil
            }
            for await number in ready { port.withLock { $0 = number } }
            group.addTask { try await body() }
            defer {
                over.continuation.finish()
                group.cancelAll()
            }
            guard let result = try await group.next() ?? nil else { throw CancellationError() }
            return result
        }
    }
}
