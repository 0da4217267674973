// Nothing is answered under a foreign name, nothing while the vault is sealed, and no error leaves with its insides.

import Hummingbird
import Logging
import OAuth
import Vault

/// The outermost layer of every route: `Host`, seal, errors, headers.
struct Boundary: RouterMiddleware {
    typealias Context = BasicRequestContext

    let provider: HomeProvider

    /// The paths that browsers show to people.
    private static let pages: Set<String> = [
        "/", "/sign-in", "/sign-out", "/revoke", "/forget", "/set-up", "/device", "/oauth1/authorize",
        "/oauth2/authorize",
    ]

    func handle(
        _ request: Request, context: BasicRequestContext,
        next: @concurrent (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        let isPage = Self.pages.contains(request.uri.path)
        var response: Response
        do {
            try check(request)
            response = try await next(request, context)
        } catch let fault as ProviderFault {
            response = reply(to: fault, isPage: isPage)
        } catch VaultError.sealed {
            response = sealed(isPage: isPage)
        } catch let error as any HTTPResponseError {
            response = reply(status: error.status.code, isPage: isPage)
        } catch {
            provider.logger.error(
                "request failed", metadata: ["http.path": "\(request.uri.path)", "error": "\(error)"])
            response = reply(status: 500, isPage: isPage)
        }
        // A client that proves possession always knows the nonce of its next proof.
        if let proof = HeaderName("DPoP"), request.headers[proof] != nil {
            response.headers.set("DPoP-Nonce", provider.nonces.current(now: provider.configuration.now().unixSeconds))
        }
        Reply.harden(&response)
        return response
    }

    private func check(_ request: Request) throws {
        let configuration = provider.configuration
        let host = (request.head.authority ?? "").lowercased()
        // A page of a foreign site that had its name pointed at this machine arrives with its own name in `Host`.
        guard configuration.isOwn(host: host, path: request.uri.path) else {
            throw ProviderFault.notice(
                status: 421, title: "Wrong address", advice: "This home answers at \(configuration.baseURL) only.")
        }
        guard request.uri.string.hasPrefix("/") else { throw HTTPError(.badRequest) }
        // One address has one spelling: the router would take two slashes for one, and what is decided by path would not.
        guard !request.uri.path.contains("//") else { throw HTTPError(.notFound) }
        guard !provider.vault.isSealed else { throw VaultError.sealed }
    }

    private func reply(to fault: ProviderFault, isPage: Bool) -> Response {
        let realm = provider.configuration.baseURL
        switch fault {
        case .notice(let status, let title, let advice):
            return isPage
                ? provider.pages.notice(title: title, advice: advice, status: status)
                : Reply.problem(status: status, title: title, detail: advice)
        case .problem(let status, let title, let detail):
            return Reply.problem(status: status, title: title, detail: detail)
        case .oauth1(let refusal): return Reply.refusal(refusal, realm: realm)
        case .oauth2(let refusal): return Reply.refusal(refusal, realm: realm)
        case .token(let fault): return Reply.refusal(fault, realm: realm, resource: provider.configuration.resourceURL)
        case .tooOften(let seconds):
            var response = reply(
                to: .notice(
                    status: 429, title: "Too many tries", advice: "Wait \(seconds) seconds, then try again."),
                isPage: isPage)
            response.headers[.retryAfter] = String(seconds)
            return response
        }
    }

    private func sealed(isPage: Bool) -> Response {
        var response = reply(
            to: .notice(
                status: 503, title: "The home is locked up",
                advice: "Its keys are sealed. Whoever looks after it has to run 'keyholder unseal'; then try again."),
            isPage: isPage)
        response.headers[.retryAfter] = "30"
        return response
    }

    private func reply(status: Int, isPage: Bool) -> Response {
        let (title, advice) =
            switch status {
            case 404: ("Nothing here", "Check the address.")
            case 405: ("Not possible here", "Check the method.")
            case 413: ("Too large", "Send at most \(ServiceProviderConfiguration.bodyLimit) bytes.")
            case 500...:
                (
                    "Something is broken here",
                    "Try again later; whoever looks after the home finds the cause in its log."
                )
            default: ("Request cannot be read", "Check what was sent.")
            }
        return reply(to: .notice(status: status, title: title, advice: advice), isPage: isPage)
    }
}
