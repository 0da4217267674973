// A home in a temporary folder: a real vault file, a real HTTP client, a real provider on the loopback interface.

import AsyncHTTPClient
import Delegation
import Foundation
import Granting
import Logging
import OAuth
import ProviderClient
import Sealing
import StrictJSON
import Synchronization
import Testing
import Vault

/// Profiles that lie in memory.
final class Profiles: ProfileCatalog {
    private let known: Mutex<[ProviderProfile]>
    var providers: [ProviderProfile] { known.withLock { $0 } }

    init(providers: [ProviderProfile]) { known = Mutex(providers) }

    /// Puts a profile in the place of the one that has its name, or beside the others.
    func put(_ profile: ProviderProfile) {
        known.withLock { known in
            if let index = known.firstIndex(where: { $0.name == profile.name }) {
                known[index] = profile
            } else {
                known.append(profile)
            }
        }
    }

    func deviceProfile(_ reference: ProfileReference) throws -> DeviceProfile {
        DeviceProfile(
            reference: reference, title: "Lock", maker: "Test", provider: providers[0].name,
            operations: [
                OperationProfile(name: "lock.lock", title: "Lock", risk: .low, arguments: [], effect: []),
                OperationProfile(name: "lock.unlock", title: "Unlock", risk: .high, arguments: [], effect: []),
            ], state: [], homeAssistantComponent: "lock")
    }

    func providerProfile(_ name: ProviderName) throws -> ProviderProfile {
        guard let profile = providers.first(where: { $0.name == name }) else {
            throw Refusal(.notFound, "no provider \(quoted(name.rawValue))")
        }
        return profile
    }

    func providerYAML(_ name: ProviderName) throws -> String { "provider: \(name)" }

    func providerProfiles() throws -> [ProviderProfile] { providers }

    func addProviderProfile(_ name: ProviderName, yaml: String) throws -> ProviderProfile {
        throw Refusal(.failure, "profiles of tests do not change")
    }

    func setProviderValues(_ name: ProviderName, _ values: [String: String]) throws -> ProviderProfile {
        throw Refusal(.failure, "profiles of tests do not change")
    }

    func removeProviderProfile(_ name: ProviderName) throws {
        throw Refusal(.failure, "profiles of tests do not change")
    }
}

/// The home's provider, which knows the consumer already.
struct HomeRegistrar: ConsumerRegistrar {
    func registerAgent(
        for device: DeviceName, over delegationProtocol: DelegationProtocol, redirectURI: String
    ) async throws -> (key: String, secret: Secret) {
        (OpinionatedProvider.consumerKey, Secret(text: OpinionatedProvider.consumerSecret))
    }
}

struct TestHome: Sendable {
    static let key = KeySource.file(Secret(text: "0123456789abcdef0123456789abcdef"))
    /// Where the home runs.
    static let machine = Machine(id: "hub", board: "board-1", interfaces: [])
    let folder: String
    let provider: OpinionatedProvider
    let port: Int
    let clock: ManualClock
    let client: HTTPClient
    let profiles: Profiles
    let log: LogLines
    let vault: Vault
    let keeper: Keeper
    let deadline: Duration

    let cloud = Self.providerName("cloud")
    let legacy = Self.providerName("legacy")
    /// The home's own.
    let own = Self.providerName("own")

    static func name(_ text: String) throws -> DeviceName { try DeviceName(checking: text) }

    static func providerName(_ text: String) -> ProviderName {
        guard let name = ProviderName(rawValue: text) else { preconditionFailure("a provider name in a test") }
        return name
    }

    /// Runs `body` in a fresh home with two enrolled devices, `front-door` and `back-door`, and two providers.
    static func with(
        rotation: OAuth2Endpoints.Rotation = .strict, deadline: Duration = .seconds(10),
        _ body: @Sendable @escaping (TestHome) async throws -> Void
    ) async throws {
        let provider = OpinionatedProvider()
        try await provider.serving {
            let folder = "\(FileManager.default.temporaryDirectory.path)/granting-\(Random.alphanumerics(12))"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: .toProviders)
            do {
                let vault = try await Vault.create(
                    at: "\(folder)/vault.sqlite", key: key, homeName: "Test", machine: machine)
                let home = TestHome(
                    folder: folder, provider: provider, port: await provider.port, clock: ManualClock(),
                    client: client, rotation: rotation, vault: vault, deadline: deadline)
                try await home.furnish()
                try await body(home)
                await provider.release()
                try await client.shutdown()
            } catch {
                await provider.release()
                try? await client.shutdown()
                throw error
            }
        }
    }

    private init(
        folder: String, provider: OpinionatedProvider, port: Int, clock: ManualClock, client: HTTPClient,
        rotation: OAuth2Endpoints.Rotation, vault: Vault, deadline: Duration
    ) {
        self.folder = folder
        self.provider = provider
        self.port = port
        self.clock = clock
        self.client = client
        self.vault = vault
        self.deadline = deadline
        let base = "http://127.0.0.1:\(port)"
        profiles = Profiles(providers: [
            Self.cloudProfile(base, rotation), Self.cloudProfile(base, rotation, name: own, isHome: true),
            ProviderProfile(
                name: legacy, title: "Legacy", isHome: false,
                endpoints: .oauth1(
                    OAuth1Endpoints(
                        requestToken: "\(base)/oauth1/request", authorize: "\(base)/oauth1/authorize",
                        accessToken: "\(base)/oauth1/access", signatureMethod: "HMAC-SHA1", realm: nil,
                        scopeParameter: "scope", revocation: "\(base)/oauth1/revoke")),
                hosts: ["127.0.0.1"], scopeFormat: "{operation}@{device}", scopes: [], scopeSeparator: " ",
                validationEndpoint: "\(base)/oauth1/api", verified: false),
        ])
        log = LogLines()
        keeper = Self.keeper(vault, profiles, client, clock, log, deadline)
    }

    static func cloudProfile(
        _ base: String, _ rotation: OAuth2Endpoints.Rotation, name: ProviderName = providerName("cloud"),
        isHome: Bool = false, _ change: (inout OAuth2Endpoints) -> Void = { _ in }
    ) -> ProviderProfile {
        var endpoints = OAuth2Endpoints(
            issuer: OpinionatedProvider.issuer, authorization: "\(base)/authorize", token: "\(base)/token",
            revocation: "\(base)/revoke", clientAuthentication: .basic, rotation: rotation, defaultLifetime: 600,
            extraAuthorizationParameters: [:], extraTokenParameters: [:], announcesIssuer: true)
        endpoints.rotationGrace = rotation == .grace ? 60 : 0
        change(&endpoints)
        return ProviderProfile(
            name: name, title: "Cloud", isHome: isHome, endpoints: .oauth2(endpoints),
            hosts: ["127.0.0.1"], scopeFormat: "{operation}@{device}", scopes: [], scopeSeparator: " ",
            validationEndpoint: "\(base)/api", verified: false)
    }

    private static func keeper(
        _ vault: Vault, _ profiles: Profiles, _ client: HTTPClient, _ clock: ManualClock, _ log: LogLines,
        _ deadline: Duration, boot: String = "boot-1", time: Timepiece? = nil
    ) -> Keeper {
        var logger = Logger(label: "keeper") { _ in log }
        logger.logLevel = .trace
        return Keeper(
            vault: vault, profiles: profiles, registrar: HomeRegistrar(), client: client,
            configuration: KeeperConfiguration(
                redirectPort: 8421, exchangeDeadline: deadline, boot: boot, time: time ?? clock.timepiece),
            logger: logger)
    }

    /// Another run of the program on the same file, after this one was killed; with another name for the boot, after the
    /// whole machine was.
    func afterCrash(
        boot: String = "boot-1", machine: Machine = machine
    ) async throws -> (vault: Vault, keeper: Keeper) {
        let vault = try await Vault.open(at: "\(folder)/vault.sqlite", machine: machine)
        try await vault.unseal(with: Self.key)
        let time = boot == "boot-1" ? clock.timepiece : clock.timepiece(since: clock.now)
        return (vault, Self.keeper(vault, profiles, client, clock, log, deadline, boot: boot, time: time))
    }

    private func furnish() async throws {
        for (number, name) in ["front-door", "back-door"].enumerated() {
            let device = try Self.device(name, UInt8(number))
            try await vault.write { try $0.insertDevice(device) }
        }
        for name in [cloud, legacy] {
            try await keeper.addConsumer(
                provider: name, key: OpinionatedProvider.consumerKey,
                secret: Secret(text: OpinionatedProvider.consumerSecret), by: .user("anna"))
        }
    }

    static func device(_ name: String, _ number: UInt8) throws -> Device {
        Device(
            id: "device-\(number)", name: try Self.name(name),
            profile: try #require(ProfileReference(rawValue: "locks/demo-lock")), state: .enrolled,
            identityKey: Array(repeating: number, count: 32), sealingKey: Array(repeating: number, count: 32),
            createdAt: ManualClock.epoch, enrolledAt: ManualClock.epoch)
    }

    /// Asks for a grant and approves it.
    @discardableResult
    func granted(_ device: String = "front-door", at name: ProviderName? = nil) async throws -> Grant {
        let asked = try await keeper.request(device: try Self.name(device), provider: name, by: .user("anna"))
        return try await keeper.redirected(
            provider: name ?? cloud, query: try await provider.approve(asked.page))
    }

    func record(_ id: GrantID) async throws -> Grant {
        try #require(try await vault.read { try $0.grant(id: id) }).grant
    }

    /// Returns the grant once `condition` holds for it; commits wake it, nothing is polled.
    func grant(_ id: GrantID, in vault: Vault? = nil, when condition: (Grant) -> Bool) async throws -> Grant {
        let vault = vault ?? self.vault
        for await _ in vault.changes() {
            if let grant = try await vault.read({ try $0.grant(id: id)?.grant }), condition(grant) { return grant }
        }
        throw CancellationError()
    }

    /// Changes the vault's file behind its back.
    func sqlite(_ sql: String) async throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["sqlite3", "-batch", "-bail", "\(folder)/vault.sqlite", sql]
        process.standardInput = FileHandle.nullDevice
        let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { ended.resume(throwing: error) }
        }
        try #require(status == 0)
    }

    func audit() async throws -> [AuditEntry] { try await vault.read { try $0.auditEntries(after: 0, limit: 1000) } }
}

/// Runs a keeper's loop while `body` runs.
func running<T: Sendable>(
    _ keeper: Keeper, _ body: @Sendable @escaping () async throws -> T
) async throws -> T {
    try await withThrowingTaskGroup(of: T?.self) { group in
        group.addTask {
            try await keeper.run()
            return nil
        }
        group.addTask { try await body() }
        defer { group.cancelAll() }
        guard let result = try await group.next() ?? nil else { throw CancellationError() }
        return result
    }
}

extension GrantRequest {
    /// Where the owner approves; empty when nobody is asked.
    var page: String { authorizeURL ?? "" }
}
