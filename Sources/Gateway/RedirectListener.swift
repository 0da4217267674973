// Where an approval comes home: one path for each provider, so that one provider's answer can never be taken for
// another's. The page that is shown holds nothing of what came in.

import Delegation
import Granting
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The loopback listener for redirects (RFC 8252 §7.3).
struct RedirectListener: Sendable {
    let parts: GatewayParts

    /// The router with its only route.
    func router() -> Router<BasicRequestContext> {
        let router = Router()
        let parts = parts
        router.get("/callback/{provider}") { request, context in
            do {
                let provider = try ProviderName(checking: try context.parameters.require("provider"))
                let grant = try await parts.keeper.redirected(provider: provider, query: request.uri.query ?? "")
                switch grant.state {
                case .active: return Self.page(.ok, "Approved", "The hub now holds the grant. You can close this page.")
                default: return Self.page(.ok, "Not approved", "Nothing was granted. You can close this page.")
                }
            } catch let refusal as Refusal {
                return Self.page(
                    .init(code: refusal.kind.httpStatus), "That did not work",
                    "\(refusal.message). \(refusal.hint ?? "Ask for the grant again.")")
            } catch {
                parts.logger.error("redirect failed", metadata: ["error": "\(error)"])
                return Self.page(.internalServerError, "That did not work", "The daemon's log tells more.")
            }
        }
        return router
    }

    private static func page(_ status: HTTPResponse.Status, _ title: String, _ text: String) -> Response {
        let escaped = text.map { character -> String in
            switch character {
            case "<": "&lt;"
            case ">": "&gt;"
            case "&": "&amp;"
            case "\"": "&quot;"
            default: String(character)
            }
        }.joined()
        let html = """
            <!doctype html><html lang="en"><meta charset="utf-8">
            <meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
            <title>\(title)</title><main><h1>\(title)</h1><p>\(escaped)</p></main></html>
            """
        return Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
                HTTPField.Name("Referrer-Policy") ?? .server: "no-referrer", .xContentTypeOptions: "nosniff",
            ],
            body: .init(byteBuffer: ByteBuffer(string: html)))
    }
}
