// A grant is stored as waiting, with everything needed to believe the answer, before anybody learns where to approve.

package import Delegation
import FoundationEssentials
import OAuth
import ProviderClient
import Sealing
import StrictJSON
import Vault

extension Keeper {
    /// Asks a provider for a grant for a device.
    ///
    /// - Parameters:
    ///   - device: The device.
    ///   - provider: `nil`: the one that the device's profile names.
    ///   - flow: How the approval comes back.
    ///   - operations: What to ask for; `nil`: every operation of the device. With a provider that has fixed scopes
    ///     these are scopes.
    ///   - requester: Who asks, for the audit log.
    /// - Returns: The waiting grant and where the owner approves it. An earlier request that waits is given up.
    /// - Throws: ``Refusal``.
    package func request(
        device: DeviceName, provider: ProviderName? = nil, flow: GrantFlow = .redirect, operations: [String]? = nil,
        by requester: Requester
    ) async throws -> GrantRequest {
        let found = try await vault.read { try $0.requiredDevice(named: device) }
        let deviceProfile = try profiles.deviceProfile(found.profile)
        let name = provider ?? deviceProfile.provider
        return try await explained(name) {
            let remote = try remote(name)
            let scopes = try Self.scopes(operations, of: found, deviceProfile, remote.profile)
            let redirectURI = "http://127.0.0.1:\(configuration.redirectPort)/callback/\(name)"
            let consumer = try await consumer(of: remote.profile, for: device, redirectURI: redirectURI)
            let grant = Grant(
                id: GrantID(rawValue: Random.alphanumerics(24)), device: device, provider: name, state: .pending,
                scopes: scopes, generation: 0, createdAt: time.now(), expiresAt: nil, reason: nil)
            let asked: (pending: PendingApproval, url: String) =
                switch remote.profile.delegationProtocol {
                case .oauth1:
                    try await askOAuth1(grant, remote, consumer, callback: flow == .oob ? "oob" : redirectURI)
                case .oauth2: try askOAuth2(grant, remote, consumer, flow: flow, redirectURI: redirectURI)
                }
            try await remember(grant, asked.pending, of: found, consumer: consumer, by: requester)
            wake()
            return GrantRequest(grant: grant, authorizeURL: asked.url)
        }
    }

    private func askOAuth1(
        _ grant: Grant, _ remote: RemoteProvider, _ consumer: Consumer, callback: String
    ) async throws -> (PendingApproval, String) {
        let token = try await remote.temporaryCredentials(
            consumer: consumer, callback: callback, scopes: grant.scopes)
        let pending = pending(grant, Secret(text: token.token), token.secret, callback)
        return (pending, try remote.authorizeURL(requestToken: token.token))
    }

    private func askOAuth2(
        _ grant: Grant, _ remote: RemoteProvider, _ consumer: Consumer, flow: GrantFlow, redirectURI: String
    ) throws -> (PendingApproval, String) {
        guard flow == .redirect else {
            throw Refusal(
                .usage, "provider \(quoted(grant.provider.rawValue)) speaks OAuth 2, which has no flow \"oob\"",
                hint: "use the flow \"redirect\"")
        }
        let pkce = PKCE()
        let state = Secret(text: Random.alphanumerics(30))
        let url = try remote.authorizationURL(
            consumer: consumer, redirectURI: redirectURI, scopes: grant.scopes, state: state,
            challenge: pkce.challenge)
        return (pending(grant, state, pkce.verifier, redirectURI), url)
    }

    private func pending(
        _ grant: Grant, _ handle: Secret, _ proof: Secret, _ redirectURI: String
    ) -> PendingApproval {
        PendingApproval(
            grant: grant.id, provider: grant.provider, handle: handle, proof: proof, redirectURI: redirectURI,
            scopes: grant.scopes,
            expiresAt: grant.createdAt.addingTimeInterval(configuration.approvalPatience.seconds))
    }

    private func remember(
        _ grant: Grant, _ pending: PendingApproval, of device: Device, consumer: Consumer, by requester: Requester
    ) async throws {
        try await vault.write { transaction in
            for earlier in try transaction.grants(ofDeviceID: device.id) where earlier.grant.state == .pending {
                _ = try transaction.endGrant(
                    earlier.grant.id, from: [.pending], to: .revoked, reason: "another request took its place")
            }
            try transaction.insertGrant(grant, deviceID: device.id, consumer: consumer.id)
            try transaction.insertPendingApproval(pending)
            try transaction.audit(
                .about(
                    grant, by: requester, "grant.request", "pending",
                    ["provider": .string(grant.provider.rawValue), "scope": .strings(grant.scopes)]),
                at: grant.createdAt)
        }
    }

    private static func scopes(
        _ operations: [String]?, of device: Device, _ profile: DeviceProfile, _ provider: ProviderProfile
    ) throws -> [String] {
        guard provider.scopeFormat != nil else {
            for scope in operations ?? []
            where scope.isEmpty || !scope.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }) {
                throw Refusal(.usage, "scope \(quoted(scope)) is not allowed", hint: "use visible ASCII without quotes")
            }
            return operations ?? provider.scopes
        }
        let names = try operations?.map { try profile.operation($0).name } ?? profile.operations.map(\.name)
        return provider.scopes(for: names, of: device.name)
    }
}
