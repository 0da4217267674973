// Three listeners, one list of parts: the control socket, the home's provider with the app API, and the redirect
// listener. They are stopped before anything they use.

package import Commanding
package import Delegation
package import FoundationEssentials
import Glibc
package import Granting
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import ServiceLifecycle
package import ServiceProvider
package import Vault

/// Everything that the gateway's listeners need.
package struct GatewayParts: Sendable {
    package let home: HomeFolder
    package let vault: Vault
    package let keeper: Keeper
    package let commander: Commander
    package let provider: HomeProvider
    package let profiles: any ProfileCatalog
    /// The base URL of the home's provider.
    package let providerURL: String
    package let now: @Sendable () -> Date
    package let logger: Logger

    /// Lists the parts.
    package init(
        home: HomeFolder, vault: Vault, keeper: Keeper, commander: Commander, provider: HomeProvider,
        profiles: any ProfileCatalog, providerURL: String, now: @escaping @Sendable () -> Date, logger: Logger
    ) {
        self.home = home
        self.vault = vault
        self.keeper = keeper
        self.commander = commander
        self.provider = provider
        self.profiles = profiles
        self.providerURL = providerURL
        self.now = now
        self.logger = logger
    }

    /// The listeners as services.
    ///
    /// - Parameters:
    ///   - listen: Where the home's provider listens.
    ///   - redirect: Where approvals come home.
    ///   - onReady: Called once all three accept.
    /// - Returns: The services, in the order to start them.
    /// - Throws: ``Refusal`` when the socket's path is too long.
    package func services(
        listen: (host: String, port: Int), redirect: (host: String, port: Int),
        onReady: @escaping @Sendable () async -> Void
    ) throws -> [any Service] {
        let socket = try home.socket()
        let providerRouter = Router()
        provider.addRoutes(to: providerRouter)
        AppAPI(parts: self).addRoutes(to: providerRouter)
        let doors = Doors(count: 3) {
            // Bound as the umask says, which leaves the run bit; a socket is read and written.
            chmod(socket, 0o600)
            await onReady()
        }
        // Whoever opens a connection and says nothing is let go.
        let patience = TimeAmount.seconds(30)
        // Beyond this the next one waits to be accepted, so that a flood here leaves descriptors for the control socket,
        // the broker and the file.
        let crowd = 512
        return [
            Application(
                router: providerRouter, server: .http1(configuration: .init(idleTimeout: patience)),
                configuration: .init(
                    address: .hostname(listen.host, port: listen.port), serverName: "Keyholder",
                    availableConnectionsDelegate: MaximumAvailableConnections(crowd, logger: logger)),
                onServerRunning: { _ in await doors.opened() }, logger: logger),
            Application(
                router: RedirectListener(parts: self).router(),
                server: .http1(configuration: .init(idleTimeout: patience)),
                configuration: .init(
                    address: .hostname(redirect.host, port: redirect.port), serverName: "Keyholder",
                    availableConnectionsDelegate: MaximumAvailableConnections(crowd / 8, logger: logger)),
                onServerRunning: { _ in await doors.opened() }, logger: logger),
            Application(
                router: ControlAPI(parts: self).router(),
                configuration: .init(address: .unixDomainSocket(path: socket), serverName: "Keyholder"),
                onServerRunning: { _ in await doors.opened() }, logger: logger),
            // Last to start and so first to stop: the control API waits for its answers to end.
            Followers(vault: vault, commander: commander),
        ]
    }
}
