// The provider as an HTTP server on a free port of the loopback interface.

import HTTPTypes
import Hummingbird
import Logging
import NIOCore

extension OpinionatedProvider {
    private struct BrokenOff: Error {}

    private func isServing(at port: Int) { self.port = port }

    /// Serves on a free port of the loopback interface while `body` runs.
    func serving<T: Sendable>(_ body: @Sendable @escaping () async throws -> T) async throws -> T {
        let router = Router()
        for method in [HTTPRequest.Method.get, .post] {
            router.on("**", method: method) { request, _ in
                let bytes = try await request.body.collect(upTo: 65_536)
                let answer = await self.answer(
                    Received(
                        path: request.uri.path, method: request.method.rawValue,
                        authorization: request.headers[.authorization], contentType: request.headers[.contentType],
                        body: Array(buffer: bytes), port: await self.port,
                        proofs: HTTPField.Name("DPoP").map { request.headers[values: $0] } ?? []))
                var headers: HTTPFields = [.contentType: "application/json"]
                for (name, value) in answer.headers { HTTPField.Name(name).map { headers[$0] = value } }
                if let pieces = answer.pieces {
                    return Response(
                        status: .ok, headers: headers,
                        body: .init { writer in
                            var index = 0
                            while let piece = try await pieces(index) {
                                try await writer.write(ByteBuffer(bytes: piece))
                                index += 1
                            }
                            try await writer.finish(nil)
                        })
                }
                let body = ByteBuffer(string: answer.body)
                guard answer.breaksOff else {
                    return Response(status: .init(code: answer.status), headers: headers, body: .init(byteBuffer: body))
                }
                return Response(
                    status: .ok, headers: headers,
                    body: .init { writer in
                        try await writer.write(body)
                        throw BrokenOff()
                    })
            }
        }
        let (ready, announce) = AsyncStream<Int>.makeStream()
        var logger = Logger(label: "provider")
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
            for await port in ready { isServing(at: port) }
            group.addTask { try await body() }
            // Whoever hangs must not keep the server from ending.
            defer { release() }
            guard let result = try await group.next() ?? nil else { throw CancellationError() }
            release()
            group.cancelAll()
            return result
        }
    }
}
