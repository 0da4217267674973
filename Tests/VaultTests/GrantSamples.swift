// Consumers, grants and tokens to try the vault with.

import Delegation
import Foundation
import Sealing
import Testing
import Vault

/// One device with a provider, and what is granted for it.
struct GrantSample: Sendable {
    let device: Device
    let consumer: Consumer
    let grant: Grant
    let provider: ProviderName

    /// Puts a device, a consumer and a waiting grant into a vault.
    static func put(
        into vault: Vault, device name: String = "front-door", flow: GrantFlow = .redirect, release: Release = .token
    ) async throws -> GrantSample {
        let device = try Device.sample(name)
        let provider = try ProviderName(checking: "cloud")
        let grant = Grant(
            id: GrantID(rawValue: Random.alphanumerics(24)), device: device.name, provider: provider, state: .pending,
            scopes: ["lock", "unlock"], generation: 0, createdAt: noon, expiresAt: nil, reason: nil, flow: flow,
            release: release)
        let consumer = try await vault.write { transaction in
            try transaction.insertDevice(device)
            let consumer = try transaction.putConsumer(
                provider: provider, device: nil, key: "hub", secret: Secret(text: "first"), at: noon)
            try transaction.insertGrant(grant, deviceID: device.id, consumer: consumer.id)
            return consumer
        }
        return GrantSample(device: device, consumer: consumer, grant: grant, provider: provider)
    }

    /// The grant as the vault has it.
    func record(in vault: Vault) async throws -> GrantRecord {
        try #require(try await vault.read { try $0.grant(id: grant.id) })
    }

    /// Makes the grant active.
    func activate(in vault: Vault, with issued: IssuedTokens) async throws {
        #expect(try await vault.write { try $0.activateGrant(grant.id, with: issued) })
    }

    /// Puts the next generation in place.
    func replace(in vault: Vault, expecting generation: Int, with issued: IssuedTokens) async throws {
        #expect(try await vault.write { try $0.replaceTokens(of: grant.id, expecting: generation, with: issued) })
    }

    func pending(
        handle: String, flow: GrantFlow = .redirect, dpopKey: String? = nil, device: DevicePrompt? = nil
    ) -> PendingApproval {
        PendingApproval(
            grant: grant.id, provider: provider, handle: Secret(text: handle), proof: Secret([]), redirectURI: "",
            scopes: ["lock"], expiresAt: noon + 600, flow: flow, dpopKey: dpopKey.map { Secret(text: $0) },
            device: device)
    }
}

extension IssuedTokens {
    /// Tokens named after a text.
    static func sample(
        _ name: String, dpopKey: String? = nil, boot: String? = nil, uptime: Double? = nil,
        refreshExpiresAt: Date? = nil
    ) -> IssuedTokens {
        IssuedTokens(
            tokens: GrantTokens(
                accessToken: Secret(text: "access-\(name)"), tokenSecret: nil,
                refreshToken: Secret(text: "refresh-\(name)"), tokenType: "Bearer",
                dpopKey: dpopKey.map { Secret(text: $0) }),
            scopes: ["lock"], issuedAt: noon, expiresAt: noon + 3600, boot: boot, uptime: uptime,
            refreshExpiresAt: refreshExpiresAt)
    }
}

extension GrantTokens {
    /// What is in them: access token, token secret, refresh token, key, type.
    var shown: [String?] {
        [accessToken, tokenSecret, refreshToken, dpopKey].map { $0?.revealText() } + [tokenType]
    }
}
