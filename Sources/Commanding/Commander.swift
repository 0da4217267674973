// One actor owns the session with the broker and what is known of each device's current boot. It holds no private key:
// those are read from the vault for each signature, so that sealing the vault stops commands at once.

import Broker
import CommandProtocol
package import Delegation
import FoundationEssentials
package import Logging
import Sealing
import ServiceLifecycle
import StrictJSON
package import Vault

/// Signs commands, publishes them, and believes nothing but signed receipts.
package actor Commander: Service {
    let vault: Vault
    let profiles: any ProfileCatalog
    let authority: any CommandAuthority
    let configuration: CommandingConfiguration
    let logger: Logger

    var site = SiteID(rawValue: "unknown")
    var hub = HubID(rawValue: "unknown")
    var links: [DeviceID: DeviceLink] = [:]
    var session: BrokerSession?
    var acknowledgements = Replies<[UInt8], SignedAcknowledgement>()
    var challenges = Replies<ChallengeKey, Challenge>()
    var controls = Replies<String, JSON>()
    var enrolments = Replies<EnrolmentKey, Device>()
    var turnstiles: [DeviceID: Turnstile] = [:]
    /// What of a device's foreign messages is written down; a noisy device does not hide another one's.
    var foreign: [DeviceID?: FloodGate] = [:]
    /// Devices that are answering their first ping.
    var proving: Set<DeviceID> = []
    /// One enrolment at a time: two of one label would undo each other's login.
    var enrolling = Turnstile()
    /// Commands on their way, and who waits until there are none.
    var underWay = 0
    var isPaused = false
    var quiet: [AsyncStream<Never>.Continuation] = []

    /// A verified acknowledgement with the bytes that prove it.
    struct SignedAcknowledgement: Sendable {
        let claims: AcknowledgementClaims
        let message: [UInt8]
    }

    /// A challenge request under way.
    struct ChallengeKey: Hashable, Sendable {
        let device: DeviceID
        let nonce: String
    }

    /// Somebody who waits for a device to prove itself.
    struct EnrolmentKey: Hashable, Sendable {
        let device: String
        let ticket: String
    }

    /// Assembles a commander; nothing happens before ``run()``.
    package init(
        vault: Vault, profiles: any ProfileCatalog, authority: any CommandAuthority,
        configuration: CommandingConfiguration, logger: Logger
    ) {
        self.vault = vault
        self.profiles = profiles
        self.authority = authority
        self.configuration = configuration
        self.logger = logger
    }

    /// Whether the broker is connected.
    package var isConnected: Bool { session?.isConnected ?? false }

    /// How often is it looked whether a quarantine was lifted?
    private static let lookAtQuarantine = Duration.seconds(1)

    /// Keeps the session with the broker until shutdown; waits while the vault is sealed or quarantined.
    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while true {
                await self.vault.waitUntilUnsealed()
                // A copy must not take the hub's own session at the broker away.
                while self.vault.quarantine != nil, !Task.isCancelled {
                    try? await self.configuration.clock.sleep(for: Self.lookAtQuarantine)
                }
                guard !Task.isCancelled else { return }
                do {
                    return try await self.serve()
                } catch VaultError.sealed {
                    // Sealed again before the broker's password was read.
                    continue
                }
            }
        }
    }

    private func serve() async throws {
        let password = try await prepare()
        guard let site else { return }
        let session = BrokerSession(
            configuration: BrokerConfiguration(
                host: configuration.brokerHost, port: configuration.brokerPort, clientID: BrokerFolder.hubUser,
                username: BrokerFolder.hubUser, password: { password.revealText() },
                tls: .init(caFile: configuration.folder.authorityFile),
                // Somebody stands at the door: after a long outage, too, the broker is back within ten seconds.
                backoff: Backoff(maximum: .seconds(8))),
            subscriptions: Self.subscriptions(site: site))
        self.session = session
        let events = session.events
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await session.run() }
            for await event in events {
                let received = await received(event)
                if let device = received.newcomer { group.addTask { await self.prove(device) } }
                if received.isConnected { group.addTask { await self.dismissRemoved() } }
            }
        }
    }

    /// Loads what is needed from the vault, closes what a crash left open, and returns the broker password.
    private func prepare() async throws -> Secret {
        let now = configuration.now()
        let (home, devices, password) = try await vault.write { transaction in
            try HubKeys.create(in: transaction, at: now)
            for command in try transaction.openCommands() {
                _ = try transaction.finishCommand(
                    id: command.id, outcome: .unknown, code: "hub_restarted", receipt: nil, at: now)
                let name = try transaction.device(id: command.device)?.name.rawValue ?? command.device
                try transaction.audit(
                    AuditEntry(
                        actor: .agent, action: "command", subject: name,
                        authority: command.grant?.rawValue ?? "local", outcome: Outcome.unknown.rawValue,
                        detail: ["command": .string(command.id), "op": .string(command.operation)]), at: now)
            }
            guard let password = try transaction.keys(for: .broker).first?.secret else {
                throw Refusal(
                    .failure, "the vault has no broker password", hint: "make the home anew with 'keyholder init'")
            }
            return (try transaction.home(), try transaction.devices(), password)
        }
        site = SiteID(rawValue: home.site)
        hub = HubID(rawValue: home.hub)
        for device in devices { add(device) }
        return password
    }

    func add(_ device: Device) {
        guard let site, let hub, let link = DeviceLink(device, hub: hub, site: site) else { return }
        links[link.id] = link
    }

    private static func subscriptions(site: SiteID) -> [Subscription] {
        let prefix = "dac/v1/\(site.rawValue)/+/"
        return [
            Subscription(filter: prefix + Topic.Kind.acknowledgement.rawValue),
            Subscription(filter: prefix + Topic.Kind.hello.rawValue),
            Subscription(filter: prefix + Topic.Kind.state.rawValue),
            // Not our own: what arrives on these, somebody else put there.
            Subscription(filter: prefix + Topic.Kind.challenge.rawValue, noLocal: true),
            Subscription(filter: prefix + Topic.Kind.command.rawValue, noLocal: true),
            Subscription(filter: DynamicSecurity.responseTopic),
        ]
    }
}
