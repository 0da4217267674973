// What single tests change about the home, and what they ask it.

import Delegation
import FoundationEssentials
import Granting
import Logging
import OAuth
import Sealing
import Testing
import Vault

extension TestHome {
    var base: String { "http://127.0.0.1:\(port)" }

    /// Changes the profile of `cloud` from now on.
    func cloud(
        _ rotation: OAuth2Endpoints.Rotation = .strict, profile: (inout ProviderProfile) -> Void = { _ in },
        endpoints change: (inout OAuth2Endpoints) -> Void = { _ in }
    ) {
        var changed = Self.cloudProfile(base, rotation, change)
        profile(&changed)
        profiles.put(changed)
    }

    /// A second vendor, with a consumer.
    func addOther(
        _ rotation: OAuth2Endpoints.Rotation = .strict, _ change: (inout OAuth2Endpoints) -> Void = { _ in }
    ) async throws -> ProviderName {
        let name = Self.providerName("other")
        profiles.put(Self.cloudProfile("\(base)/b", rotation, name: name, change))
        try await keeper.addConsumer(
            provider: name, key: OpinionatedProvider.consumerKey,
            secret: Secret(text: OpinionatedProvider.consumerSecret), by: .user("anna"))
        return name
    }

    /// Everything that a person was told, oldest first.
    func told(in vault: Vault? = nil) async throws -> [Notice] {
        try await (vault ?? self.vault).read { try $0.notices(after: 0, limit: 1000) }
    }

    /// What a person was told, by kind.
    func kindsTold(in vault: Vault? = nil) async throws -> [Notice.Kind] { try await told(in: vault).map(\.kind) }

    /// The troubles that are not over.
    func openTroubles(in vault: Vault? = nil) async throws -> [Notice.Kind] {
        try await (vault ?? self.vault).read { try $0.openNotices().map(\.kind) }
    }

    /// Returns once the troubles that are not over are these; commits wake it, nothing is polled.
    func waitForTroubles(_ kinds: [Notice.Kind], in vault: Vault? = nil) async throws {
        for await _ in (vault ?? self.vault).changes() where try await openTroubles(in: vault) == kinds { return }
        throw CancellationError()
    }

    /// Lets time pass and makes the keeper's loop look again, wherever in its turn it was.
    func pass(_ span: Duration, _ keeper: Keeper? = nil) async {
        clock.advance(by: span)
        await (keeper ?? self.keeper).resume()
    }

    /// Enough turns of keeper, store and provider for what would happen without time passing.
    func takeTurns(_ keeper: Keeper? = nil) async throws {
        for _ in 0..<60 { _ = try await (keeper ?? self.keeper).grants() }
    }

    func token(_ device: DeviceName, from keeper: Keeper? = nil) async throws -> HeldToken {
        try await (keeper ?? self.keeper).token(device: device, minimumValidity: .seconds(60))
    }

    /// Devices with active grants that the provider knows, all issued now.
    func seed(_ count: Int, at name: ProviderName? = nil, lifetime: Int = 3600) async throws -> [DeviceName] {
        let (name, clock) = (name ?? cloud, clock)
        var seeds: [(device: Device, grant: Grant, issued: IssuedTokens)] = []
        for number in 0..<count {
            let device = Device(
                id: "seed-\(number)", name: try Self.name("seed-\(number)"),
                profile: try #require(ProfileReference(rawValue: "locks/demo-lock")), state: .enrolled,
                identityKey: Array("seed-\(number)".utf8)
                    + Array(repeating: 0, count: 32 - "seed-\(number)".utf8.count),
                sealingKey: Array(repeating: 7, count: 32), createdAt: ManualClock.epoch,
                enrolledAt: ManualClock.epoch)
            let grant = Grant(
                id: GrantID(rawValue: Random.alphanumerics(24)), device: device.name, provider: name, state: .pending,
                scopes: ["lock.lock@seed-\(number)"], generation: 0, createdAt: clock.wall, expiresAt: nil,
                reason: nil)
            let (access, refresh) = ("seed-at-\(number)", "seed-rt-\(number)")
            await provider.adopt(refreshToken: refresh, accessToken: access, scope: "lock.lock@seed-\(number)")
            seeds.append(
                (
                    device, grant,
                    IssuedTokens(
                        tokens: GrantTokens(
                            accessToken: Secret(text: access), tokenSecret: nil, refreshToken: Secret(text: refresh),
                            tokenType: "Bearer"), scopes: grant.scopes, issuedAt: clock.wall,
                        expiresAt: clock.wall.addingTimeInterval(Double(lifetime)), boot: "boot-1",
                        uptime: clock.timepiece.uptime().inSeconds)
                ))
        }
        let all = seeds
        try await vault.write { transaction in
            let consumer = try #require(try transaction.consumerKeys().first { $0.provider == name })
            for seed in all {
                try transaction.insertDevice(seed.device)
                try transaction.insertGrant(seed.grant, deviceID: seed.device.id, consumer: consumer.id)
                try #require(try transaction.activateGrant(seed.grant.id, with: seed.issued))
            }
        }
        return all.map(\.device.name)
    }
}

extension Duration {
    fileprivate var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
