// Whatever a handler throws becomes one problem document; what was not foreseen is logged and not told.

import Delegation
import Granting
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import StrictJSON
import Vault

/// Turns errors into `application/problem+json` (RFC 9457) with our code and hint.
struct Problems: RouterMiddleware {
    typealias Context = ControlContext
    let logger: Logger

    func handle(
        _ request: Request, context: ControlContext,
        next: @concurrent (Request, ControlContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let refusal = explain(error, request)
            return Response(problem: refusal)
        }
    }

    private func explain(_ error: any Error, _ request: Request) -> Refusal {
        switch error {
        case let refusal as Refusal: return refusal
        case VaultError.sealed:
            return Refusal(.sealed, "the vault is sealed", hint: "run 'keyholder unseal'")
        case VaultError.wrongKey:
            return Refusal(.notAuthorised, "that does not open the vault", hint: "nothing was changed")
        case let error as JSONFault: return Refusal(.usage, "the request is \(error)")
        case let error as any HTTPResponseError:
            let kind: Refusal.Kind = error.status == .notFound ? .notFound : .usage
            return Refusal(kind, "the control API answers \(error.status.code) to \(quoted(request.uri.path))")
        default:
            logger.error(
                "request failed", metadata: ["http.path": "\(request.uri.path)", "error": "\(error)"])
            return Refusal(.failure, "the daemon failed: \(type(of: error))", hint: "its log tells more")
        }
    }
}

extension Response {
    /// A problem document.
    init(problem refusal: Refusal) {
        let status = HTTPResponse.Status(code: refusal.kind.httpStatus)
        let body: JSON = .compact([
            "type": "about:blank", "title": .string(status.reasonPhrase), "status": .integer(Int64(status.code)),
            "detail": .string(refusal.message), "code": .string(refusal.kind.rawValue),
            "hint": refusal.hint.map(JSON.string),
        ])
        self.init(json: body, status: status, type: "application/problem+json")
    }

    /// A JSON document; never kept by anybody on the way.
    init(json: JSON, status: HTTPResponse.Status = .ok, type: String = "application/json") {
        self.init(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }
}
