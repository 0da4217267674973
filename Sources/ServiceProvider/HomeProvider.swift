// The home's own service provider keeps nothing in memory but its templates, counts of failures and requests, a key for
// nonces, and the key that signs tokens until the vault is sealed: whatever it promised is in the vault before it is said,
// so a power cut takes nothing back and gives nothing twice.

package import Delegation
package import Hummingbird
package import Logging
import OAuth
package import Vault

/// The home's own service provider: OAuth 1.0a and OAuth 2, people, consent, and what apps may do.
package struct HomeProvider: Sendable {
    let vault: Vault
    let profiles: any ProfileCatalog
    let configuration: ServiceProviderConfiguration
    let logger: Logger
    let pages: Pages
    let passwords: PasswordQueue
    let failures = AuthenticationFailures()
    let nonces = DPoPNonces()
    let rate = RequestRate()
    let tokenKey = ParsedTokenKey()

    /// Prepares the provider; nothing is read from the vault yet, which may be sealed.
    ///
    /// - Throws: When a built-in page cannot be read.
    package init(
        vault: Vault, profiles: any ProfileCatalog, configuration: ServiceProviderConfiguration, logger: Logger
    ) throws {
        self.vault = vault
        self.profiles = profiles
        self.configuration = configuration
        self.logger = logger
        pages = try Pages(homeName: configuration.homeName, address: configuration.baseURL)
        passwords = PasswordQueue(cost: configuration.passwordCost)
    }

    /// Adds the provider's routes, and the layer that checks `Host`, answers while sealed, words errors and sets
    /// headers; routes that are added to the router later are covered by it too.
    package func addRoutes(to router: Router<BasicRequestContext>) {
        router.add(middleware: Boundary(provider: self))
        add(.get, "/", router, showHome)
        add(.post, "/sign-in", router, signIn)
        add(.post, "/sign-out", router, signOut)
        add(.post, "/revoke", router, takeBack)
        add(.post, "/forget", router, forgetApproval)
        add(.get, "/set-up", router, showSetUp)
        add(.post, "/set-up", router, setUp)
        add(.get, "/device", router, showDevice)
        add(.post, "/device", router, decideDevice)
        add(.post, "/oauth1/request_token", router, issueRequestToken)
        add(.get, "/oauth1/authorize", router, showOAuth1Consent)
        add(.post, "/oauth1/authorize", router, decideOAuth1)
        add(.post, "/oauth1/access_token", router, exchangeRequestToken)
        add(.post, "/oauth1/revoke", router, revokeOAuth1)
        add(.get, "/oauth2/authorize", router, showOAuth2Consent)
        add(.post, "/oauth2/authorize", router, decideOAuth2)
        for method in [HTTPRequest.Method.get, .post] { add(method, "/oauth2/token", router, issueTokens) }
        add(.post, "/oauth2/par", router, pushRequest)
        add(.post, "/oauth2/device_authorization", router, authorizeDevice)
        add(.post, "/oauth2/introspect", router, introspect)
        add(.post, "/oauth2/revoke", router, revokeOAuth2)
        add(.get, "/oauth2/jwks", router, showKeys)
        // The second for clients that know no other (RFC 8414 §5).
        for name in ["oauth-authorization-server", "openid-configuration"] {
            add(.get, "/.well-known/\(name)", router, showMetadata)
        }
        add(.get, "/.well-known/oauth-protected-resource", router, showResourceMetadata)
        add(.get, "/api/v1/app", router, showApp)
        add(.get, "/api/v1/devices", router, listDevices)
        router.get("/api/v1/devices/{id}") { request, context in
            try await showDevice(try await Incoming(request), context.parameters.require("id"))
        }
    }

    private func add(
        _ method: HTTPRequest.Method, _ path: RouterPath, _ router: Router<BasicRequestContext>,
        _ handler: @escaping @Sendable (Incoming) async throws -> Response
    ) {
        router.on(path, method: method) { request, _ in try await handler(try await Incoming(request)) }
    }
}
