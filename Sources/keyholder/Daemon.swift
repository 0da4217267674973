// The daemon is asked over its Unix socket only, and only when the process at the other end belongs to us or to root:
// somebody else's socket in its place is not told anything. A daemon that never answers does not hold anybody up.

import Delegation
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import StrictJSON

/// A connection to `keyholderd` for one request.
struct Daemon {
    private static let maximumAnswer = 16 << 20

    /// What is done with a path.
    enum Method: String {
        case GET
        case POST
        case DELETE
    }

    /// Asks and returns the answer.
    ///
    /// - Parameters:
    ///   - method: What is done.
    ///   - path: With its query.
    ///   - body: `nil` for none.
    ///   - wait: Seconds for which the daemon itself waits before it answers; they are not taken for silence.
    /// - Returns: The answer; empty when there was none to give.
    /// - Throws: ``Refusal`` as the daemon explained it, or of kind `unreachable`.
    static func ask(_ method: Method, _ path: String, _ body: JSON? = nil, wait: Int = 0) async throws -> JSON {
        var answer: [UInt8] = []
        try await exchange(method, path, body, within: .seconds(try Environment.patience() + wait)) { chunk in
            guard answer.count + chunk.count <= maximumAnswer else {
                throw Refusal(.failure, "the daemon's answer is too large")
            }
            answer += chunk
        }
        guard !answer.isEmpty else { return [:] }
        return try parse(answer)
    }

    /// Asks and hands over each line of the answer as it comes.
    static func follow(_ path: String, _ line: (JSON) throws -> Void) async throws {
        var pending: [UInt8] = []
        try await exchange(.GET, path, nil, within: nil) { chunk in
            pending += chunk
            while let end = pending.firstIndex(of: 0x0A) {
                let bytes = Array(pending[..<end])
                pending.removeSubrange(...end)
                if !bytes.isEmpty { try line(try parse(bytes)) }
            }
        }
    }

    private static func parse(_ bytes: [UInt8]) throws -> JSON {
        do throws(JSONFault) {
            return try JSON(parsing: bytes)
        } catch {
            throw Refusal(.failure, "the daemon's answer is \(error)")
        }
    }

    private static func exchange(
        _ method: Method, _ path: String, _ body: JSON?, within patience: Duration?,
        _ consume: ([UInt8]) throws -> Void
    ) async throws {
        let start = ContinuousClock.now
        do {
            try await converse(method, path, body, within: patience, consume)
        } catch let refusal as Refusal where refusal.kind != .unknownOutcome {
            throw refusal
        } catch {
            if let patience, start.duration(to: .now) >= patience {
                throw Refusal(
                    .unreachable, "the daemon did not answer within \(patience.components.seconds) s",
                    hint: "its log tells more; it may still do what was asked, which 'keyholder audit' will show")
            }
            if let refusal = error as? Refusal { throw refusal }
            // Whatever broke the connection leaves open what the daemon has done.
            throw Refusal(
                .unknownOutcome, "the connection to the daemon broke: \(error)",
                hint: "'keyholder audit' tells what it did")
        }
    }

    private static func converse(
        _ method: Method, _ path: String, _ body: JSON?, within patience: Duration?,
        _ consume: ([UInt8]) throws -> Void
    ) async throws {
        let socket = try HomeFolder(environment: Environment.variables).socket()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel: NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>
        do {
            channel = try await ClientBootstrap(group: group).connect(unixDomainSocketPath: socket) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    return try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                }
            }
        } catch {
            throw Refusal(
                .unreachable, "the daemon does not answer at \(quoted(socket))",
                hint: "start it with 'keyholderd', or create a home first with 'keyholder init'")
        }
        // The whole conversation and not its pauses, so that a trickle of bytes does not go on for ever.
        let alarm = patience.map { patience in
            channel.channel.eventLoop.scheduleTask(in: .seconds(patience.components.seconds)) {
                channel.channel.close(promise: nil)
            }
        }
        defer { alarm?.cancel() }
        let bytes = body?.bytes ?? []
        var head = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method.rawValue), uri: path)
        head.headers = ["host": "keyholder", "content-length": "\(bytes.count)", "connection": "close"]
        if body != nil { head.headers.add(name: "content-type", value: "application/json") }
        try await channel.executeThenClose { inbound, outbound in
            try await checkPeer(channel.channel)
            // In one piece: the daemon may answer and close as soon as it has seen the head of a request without body.
            let body: [HTTPClientRequestPart] = bytes.isEmpty ? [] : [.body(.byteBuffer(ByteBuffer(bytes: bytes)))]
            try await outbound.write(contentsOf: [.head(head)] + body + [.end(nil)])
            var status = 0
            var problem: [UInt8] = []
            for try await part in inbound {
                switch part {
                case .head(let head): status = Int(head.status.code)
                case .body(let buffer):
                    let chunk = Array(buffer.readableBytesView)
                    if (200..<300).contains(status) { try consume(chunk) } else { problem += chunk.prefix(64 * 1024) }
                case .end:
                    guard (200..<300).contains(status) else { throw refusal(status, problem) }
                    return
                }
            }
            throw Refusal(.unknownOutcome, "the daemon ended the connection before it had answered")
        }
    }

    private static func refusal(_ status: Int, _ bytes: [UInt8]) -> Refusal {
        guard let problem = try? JSON(parsing: bytes), let detail = problem["detail"]?.string else {
            return Refusal(.failure, "the daemon answered with HTTP status \(status)")
        }
        return Refusal(
            problem["code"]?.string.flatMap(Refusal.Kind.init(rawValue:)) ?? .failure, detail,
            hint: problem["hint"]?.string)
    }

    private static func checkPeer(_ channel: any Channel) async throws {
        guard let options = channel as? any SocketOptionProvider else {
            throw Refusal(.unreachable, "cannot tell who is at the daemon's socket", hint: "nothing was sent")
        }
        let peer: PeerCredentials = try await options.unsafeGetSocketOption(
            level: .init(PeerCredentials.option.level), name: .init(PeerCredentials.option.name)
        ).get()
        guard peer.user == geteuid() || peer.user == 0 else {
            throw Refusal(
                .unreachable, "the process at the daemon's socket belongs to user \(peer.user)",
                hint: "somebody put a socket in the daemon's place; nothing was sent")
        }
    }
}
