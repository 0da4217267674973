// Channels do not know each other: each has its own task and its own cursor, so that one that is down delays no other.
// Nothing here needs the vault's key; a sealed hub, too, can say that it needs somebody.

package import AsyncHTTPClient
package import Delegation
package import Logging
import ServiceLifecycle
package import Vault

/// Tells people what they should know without having asked.
package struct Notifier: Service, CustomStringConvertible {
    /// Where notices go.
    package struct Channels: Sendable, Equatable {
        /// Path of a program, absolute.
        package var command: String?
        package var webhook: String?
        /// Whether the home's broker carries them.
        package var mqtt: Bool
        /// Whether Home Assistant gets a sensor over the home's broker.
        package var homeAssistant: Bool

        /// Names the channels; what is left out is not used.
        package init(command: String? = nil, webhook: String? = nil, mqtt: Bool = false, homeAssistant: Bool = false) {
            self.command = command
            self.webhook = webhook
            self.mqtt = mqtt
            self.homeAssistant = homeAssistant
        }
    }

    /// The name alone: the service group logs its services as they describe themselves, addresses and all.
    package var description: String { "Notifier" }

    private let couriers: [Courier]
    private let sensor: AttentionSensor?

    /// Assembles a notifier; nothing happens before ``run()``.
    ///
    /// - Parameters:
    ///   - channels: Where notices go.
    ///   - vault: Where they come from; it may be sealed.
    ///   - client: One that follows no redirects; it must outlive the service.
    ///   - publisher: Reaches the home's broker.
    ///   - environment: The daemon's own, of which a command gets a little.
    ///   - pace: The clocks.
    ///   - logger: Hears of every notice that was not told.
    package init(
        _ channels: Channels, vault: Vault, client: HTTPClient, publisher: any NoticePublisher,
        environment: [String: String], pace: Pace = Pace(), logger: Logger
    ) {
        var used: [any NoticeChannel] = []
        if let path = channels.command { used.append(CommandHook(path: path, environment: environment, pace: pace)) }
        if let url = channels.webhook { used.append(Webhook(url: url, client: client, pace: pace)) }
        if channels.mqtt { used.append(BrokerChannel(publisher: publisher)) }
        couriers = used.map { Courier(channel: $0, vault: vault, pace: pace, logger: logger) }
        sensor =
            channels.homeAssistant
            ? AttentionSensor(publisher: publisher, vault: vault, pace: pace, logger: logger) : nil
    }

    /// Tells until shutdown; what is being told then is told again by the next run.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for courier in couriers { group.addTask { await courier.run() } }
                if let sensor { group.addTask { await sensor.run() } }
                // A service that has nothing to do must not end before the others.
                group.addTask { try? await gracefulShutdown() }
            }
        }
    }
}
