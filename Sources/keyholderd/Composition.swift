// The one place that knows every part: it ties the verbs together and owns the signals. Services start in the order of
// the list and stop in reverse, so nobody outlives what it uses.

import AsyncHTTPClient
import Commanding
import Delegation
import FoundationEssentials
import Gateway
import Granting
import Logging
import Notifying
import ProviderClient
import ServiceLifecycle
import ServiceProvider
import Settings
import UnixSignals
import Vault

/// A running daemon.
struct Composition {
    let home: HomeFolder
    let vault: Vault
    let configuration: AgentConfiguration
    let logger: Logger

    /// Serves until a signal ends it.
    func run() async throws {
        let providerURL = configuration.providerURL
        let profiles = ProfileFolder(
            folders: [home.profiles] + ProfileFolder.installedFolders(), home: providerURL,
            api: configuration.apiURL)
        let now: @Sendable () -> Date = { Date() }
        let homeName = try await vault.read { try $0.home().name }
        var presentation = ServiceProviderConfiguration(
            homeName: homeName, baseURL: providerURL, accessTokenLifetime: configuration.accessTokenLifetime, now: now)
        presentation.resourceURL = configuration.apiURL ?? providerURL
        let provider = try HomeProvider(
            vault: vault, profiles: profiles, configuration: presentation, logger: logger)
        try await HTTPClient.withHTTPClient(configuration: .toProviders(trustRoots: configuration.caFile)) { client in
            let keeper = Keeper(
                vault: vault, profiles: profiles, registrar: provider, client: client,
                configuration: KeeperConfiguration(
                    redirectPort: configuration.redirect.port, trustRoots: configuration.caFile), logger: logger)
            let commander = Commander(
                vault: vault, profiles: profiles, authority: keeper,
                configuration: CommandingConfiguration(
                    brokerHost: configuration.broker.host, brokerPort: configuration.broker.port,
                    folder: BrokerFolder(path: home.broker)),
                logger: logger)
            let notifier = Notifier(
                Notifier.Channels(
                    command: configuration.notices.command, webhook: configuration.notices.webhook,
                    mqtt: configuration.notices.mqtt, homeAssistant: configuration.notices.homeAssistant),
                vault: vault, client: client, publisher: commander,
                environment: ProcessInfo.processInfo.environment, logger: logger)
            let parts = GatewayParts(
                home: home, vault: vault, keeper: keeper, commander: commander, provider: provider,
                profiles: profiles, providerURL: providerURL, now: now, logger: logger)
            let services: [any Service] =
                [keeper, commander, notifier]
                + (try parts.services(
                    listen: (configuration.listen.host, configuration.listen.port),
                    redirect: (configuration.redirect.host, configuration.redirect.port),
                    onReady: {
                        logger.notice("ready", metadata: ["home": "\(home.path)", "sealed": "\(vault.isSealed)"])
                        Readiness.announce()
                    }))
            var group = ServiceGroupConfiguration(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            group.maximumGracefulShutdownDuration = .seconds(30)
            group.maximumCancellationDuration = .seconds(5)
            try await ServiceGroup(configuration: group).run()
        }
    }
}
