// A provider on a free port of the loopback interface that writes down what it is sent and answers what a test says.

import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import OAuth

/// One request as the server saw it.
struct Received: Sendable {
    let method: String
    let path: String
    let query: String
    let headers: HTTPFields
    let body: [UInt8]
    let base: String

    var form: [Parameter] { (try? FormCoding.parse(body)) ?? [] }
    var parameters: [Parameter] { (try? FormCoding.parse(query)) ?? [] }

    /// The values of all headers of that name.
    func all(_ name: String) -> [String] { HTTPField.Name(name).map { headers[values: $0] } ?? [] }
    func header(_ name: String) -> String? { all(name).first }
}

/// What it answers.
struct Answer: Sendable {
    var status = 200
    var body: [UInt8] = []
    var headers: [(name: String, value: String)] = []
    var contentType = "application/json"
    /// Gives the body piece by piece in the place of `body`, until there is none.
    var pieces: (@Sendable (Int) async throws -> [UInt8]?)?

    static func json(_ text: String, status: Int = 200, headers: [(String, String)] = []) -> Answer {
        Answer(status: status, body: Array(text.utf8), headers: headers.map { (name: $0.0, value: $0.1) })
    }

    static func error(_ code: String, status: Int = 400, headers: [(String, String)] = []) -> Answer {
        json("{\"error\":\"\(code)\"}", status: status, headers: headers)
    }

    static let tokens = json(
        "{\"access_token\":\"at\",\"refresh_token\":\"rt\",\"token_type\":\"bearer\",\"expires_in\":60}")
}

actor ScriptedServer {
    typealias Script = @Sendable (Received, Int) async throws -> Answer

    private(set) var received: [Received] = []
    private let script: Script
    private(set) var base = ""

    private init(_ script: @escaping Script) { self.script = script }

    var last: Received? { received.last }
    var paths: [String] { received.map(\.path) }

    private func isServing(at port: Int) { base = "http://127.0.0.1:\(port)" }

    private func note(_ request: Received) -> Int {
        received.append(request)
        return received.count - 1
    }

    private func answer(_ request: Request) async throws -> Response {
        let bytes = try await request.body.collect(upTo: 1 << 20)
        let one = Received(
            method: request.method.rawValue, path: request.uri.path, query: request.uri.query ?? "",
            headers: request.headers, body: Array(buffer: bytes), base: base)
        let answer = try await script(one, note(one))
        var headers = HTTPFields()
        headers[.contentType] = answer.contentType
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
        }
        let body: ResponseBody =
            if let pieces = answer.pieces {
                ResponseBody { writer in
                    var index = 0
                    while let piece = try await pieces(index) {
                        try await writer.write(ByteBuffer(bytes: piece))
                        index += 1
                    }
                    try await writer.finish(nil)
                }
            } else { ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)) }
        return Response(status: .init(code: answer.status), headers: headers, body: body)
    }

    /// Serves while `body` runs; `script` is told how many requests came before.
    static func with(
        _ script: @escaping Script, _ body: @Sendable @escaping (ScriptedServer) async throws -> Void
    ) async throws {
        let server = ScriptedServer(script)
        let router = Router()
        for method in [HTTPRequest.Method.get, .post] {
            router.on("**", method: method) { request, _ in try await server.answer(request) }
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
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            for await port in ready { await server.isServing(at: port) }
            group.addTask { try await body(server) }
            try await group.next()
            group.cancelAll()
        }
    }
}
