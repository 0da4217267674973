// The keeper owns what changes about grants while the program runs: timers, refreshes under way, rests after failures.
// It holds no secret between two calls; tokens are read from the vault each time, so sealing it takes them all away.
// The one exception is a reply that the disk did not take: it is the only copy, and stays until the vault is sealed.

package import AsyncHTTPClient
package import Delegation
import FoundationEssentials
package import Logging
import ProviderClient
import Sealing
import StrictJSON
package import Vault

/// Gets grants, keeps their tokens fresh, and says whether a command may be sent under one.
package actor Keeper {
    let vault: Vault
    let profiles: any ProfileCatalog
    let registrar: any ConsumerRegistrar
    let client: HTTPClient
    let configuration: KeeperConfiguration
    let logger: Logger
    var time: Timepiece { configuration.time }

    /// Grants that ended while the active ones were being read.
    var ended: Set<GrantID> = []
    /// Every active grant, as the vault has it; `nil` until it is read.
    var active: [GrantID: GrantRecord]?
    /// What is known of each active grant's newest generation.
    var freshness: [GrantID: Freshness] = [:]
    /// What was learned about each provider.
    var memories: [ProviderName: ProviderMemory] = [:]
    /// What the vault remembers of the wall clock.
    var wall = WallClock(lastSeen: nil)
    /// The wall clock less the uptime, in seconds, when it was looked at last.
    var clockOffset: Double?

    /// Refreshes under way, at most one for each grant.
    var refreshes: [GrantID: Task<RefreshResult, Never>] = [:] { didSet { noteQuiet() } }
    /// Whose refresh goes next.
    var lanes = Lanes()
    var laneTimer: Task<Void, Never>?
    /// Grants whose token somebody waits for.
    var hurried: Set<GrantID> = []
    /// Consumers that their provider refused, with the uptime until which they rest.
    var restingConsumers: [String: Duration] = [:]
    /// Providers that are out of reach.
    var restingProviders: [ProviderName: ProviderRest] = [:]
    /// Grants whose end was foretold in this run.
    var forecasts: Set<GrantID> = []

    /// Grants whose approval has come and is being redeemed.
    var redeeming: Set<GrantID> = [] { didSet { noteQuiet() } }
    /// Until which uptime an approval counts that was asked for in this run.
    var approvalDeadlines: [GrantID: Duration] = [:]
    /// The device codes that are asked about.
    var polls: [GrantID: Task<Void, Never>] = [:]
    /// Devices whose grants are being revoked by somebody who waits to hear what the provider says.
    var revoking: Set<DeviceName> = []
    /// The revocations that a provider is being told at the moment.
    var farewells: Set<Int64> = [] { didSet { noteQuiet() } }
    /// Until which uptime a revocation rests whose outcome could not be written down.
    var farewellRests: [Int64: Duration] = [:]
    /// Whoever waits until nothing is under way.
    var waitingForQuiet: [AsyncStream<Never>.Continuation] = []
    /// Replies that the vault could not take yet.
    var unkept: [GrantID: UnkeptReply] = [:]

    var isStopping = false
    /// Uptime until which nothing new is sent, because the vault is about to be sealed.
    var pausedUntil: Duration?
    var nap: Task<Void, Never>?
    var isWakeUpDue = false

    /// Sets up a keeper; it serves calls at once, and keeps tokens fresh while ``run()`` runs.
    ///
    /// - Parameters:
    ///   - vault: Where grants are; may be sealed.
    ///   - profiles: Device and provider profiles.
    ///   - registrar: The home's own provider.
    ///   - client: Made with `HTTPClient.Configuration.toProviders`.
    ///   - configuration: Ports, limits and clocks.
    ///   - logger: Never sees a secret.
    package init(
        vault: Vault, profiles: any ProfileCatalog, registrar: any ConsumerRegistrar, client: HTTPClient,
        configuration: KeeperConfiguration, logger: Logger
    ) {
        self.vault = vault
        self.profiles = profiles
        self.registrar = registrar
        self.client = client
        self.configuration = configuration
        self.logger = logger
    }

    /// Every grant, newest first; also while the vault is sealed.
    package func grants() async throws -> [Grant] { try await vault.read { try $0.grants().map(\.grant) } }

    /// The active grant of a device, or else the newest one; a request that waits comes before an active grant.
    package func grant(of device: DeviceName) async throws -> Grant? {
        try await vault.read { try Self.shown($0.grants(of: device)) }
    }

    /// Returns as soon as a device's request is not waiting for approval any more, or after `patience` as it is then.
    ///
    /// - Parameters:
    ///   - device: The device.
    ///   - id: The request; `nil`: the one that waits now. What becomes of it counts, not what another grant is.
    ///   - patience: How long to wait at most.
    /// - Returns: `nil` when the device has no grant.
    /// - Throws: What the vault throws.
    package func waitForGrant(
        of device: DeviceName, _ id: GrantID? = nil, within patience: Duration
    ) async throws -> Grant? {
        let changes = vault.changes()
        let (vault, time) = (vault, time)
        let first = try await vault.read { try Self.shown($0.grants(of: device)) }
        let awaited = id ?? first?.id
        @Sendable func current() async throws -> Grant? {
            try await vault.read { transaction in
                try transaction.grants(of: device).first { $0.grant.id == awaited }?.grant
            }
        }
        return try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await _ in changes where try await current()?.state != .pending { return true }
                return false
            }
            group.addTask {
                try await time.sleep(patience)
                return false
            }
            defer { group.cancelAll() }
            _ = try await group.next()
            return try await current()
        }
    }

    private static func shown(_ records: [GrantRecord]) -> Grant? {
        if let newest = records.first?.grant, newest.state == .pending { return newest }
        return (records.first { $0.grant.state == .active } ?? records.first)?.grant
    }

    func remote(_ name: ProviderName) throws -> RemoteProvider {
        let profile = try profiles.providerProfile(name)
        let memory = memories[name] ?? ProviderMemory()
        memories[name] = memory
        return RemoteProvider(
            profile, over: client, memory: memory, trustRoots: configuration.trustRoots,
            deadline: configuration.exchangeDeadline, now: time.now)
    }

    /// Moves a grant to a state in which it is not used, with a line in the audit log.
    func end(
        _ record: GrantRecord, from: [Grant.State], to state: Grant.State, reason: String, by actor: Requester,
        action: String
    ) async throws {
        let now = time.now()
        let hasEnded = try await vault.write { transaction in
            // What is known of one generation says nothing about the next.
            guard try transaction.grant(id: record.grant.id)?.grant.generation == record.grant.generation,
                try transaction.endGrant(record.grant.id, from: from, to: state, reason: reason)
            else { return false }
            try transaction.audit(
                .about(record.grant, by: actor, action, state.rawValue, ["reason": .string(reason)]), at: now)
            // Whoever has just asked for a grant looks after it; a grant that was in use is missed by somebody else.
            if state == .needsReauth, record.grant.state == .active {
                try transaction.tellNeedsApproval(of: record, reason: reason, at: now)
            }
            return true
        }
        guard hasEnded else { return }
        forget(record.grant.id)
        logger.notice(
            "grant ended",
            metadata: [
                "grant.id": "\(record.grant.id)", "device.name": "\(record.grant.device)", "state": "\(state.rawValue)",
                "reason": "\(reason)",
            ])
    }

    /// Forgets what was known of a grant that is not active any more.
    func forget(_ id: GrantID) {
        active?[id] = nil
        if active?.isEmpty != false { ended.insert(id) }
        freshness[id] = nil
        forecasts.remove(id)
        approvalDeadlines[id] = nil
        polls.removeValue(forKey: id)?.cancel()
    }

    /// Writes what must not be lost: when the disk is full, into the room that is kept for it.
    func committed<T: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> T) async throws -> T {
        do {
            return try await vault.write(body)
        } catch VaultError.diskFull {
            vault.spendReserve()
            return try await vault.write(body)
        }
    }
}

/// Why a provider is not asked for a while.
struct ProviderRest: Sendable {
    let until: Duration
    /// How often in a row it was out of reach.
    let failures: Int
    let reason: String
}
