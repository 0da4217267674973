// Every request on the control socket carries who sent it, as the kernel says.

import Delegation
import Glibc
import Hummingbird
import NIOCore

/// The context of one request on the control socket.
struct ControlContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    /// Set by ``PeerCheck`` before any handler runs.
    var requester = Requester.user("unknown")

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// Larger bodies are refused.
    var maxUploadSize: Int { 256 * 1024 }
}

/// Lets in the daemon's own user and root, and nobody else, whatever the file mode of the socket says.
struct PeerCheck: RouterMiddleware {
    typealias Context = ControlContext

    func handle(
        _ request: Request, context: ControlContext,
        next: @concurrent (Request, ControlContext) async throws -> Response
    ) async throws -> Response {
        guard let options = context.channel as? any SocketOptionProvider else {
            throw Refusal(.notAuthorised, "the control API is reached over its socket only")
        }
        let peer: PeerCredentials = try await options.unsafeGetSocketOption(
            level: .init(PeerCredentials.option.level), name: .init(PeerCredentials.option.name)
        ).get()
        guard peer.user == geteuid() || peer.user == 0 else {
            throw Refusal(
                .notAuthorised, "user \(peer.user) may not use this agent", hint: "ask as the agent's own user")
        }
        var context = context
        context.requester = .user(Self.name(of: peer.user))
        return try await next(request, context)
    }

    private static func name(of user: UInt32) -> String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 4096)
        guard getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return String(user) }
        return String(cString: entry.pw_name)
    }
}
