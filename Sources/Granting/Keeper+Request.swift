// A grant is stored as waiting, with everything needed to believe the answer, before anybody learns where to approve.

package import Delegation
import FoundationEssentials
import OAuth
import ProviderClient
import Sealing
import StrictJSON
import Vault

/// What was asked of a provider, and where the owner goes.
private struct Asked {
    let pending: PendingApproval
    var authorizeURL: String?
}

extension Keeper {
    /// Asks a provider for a grant for a device.
    ///
    /// - Parameters:
    ///   - device: The device.
    ///   - provider: `nil`: the one that the device's profile names.
    ///   - flow: How the approval comes back; `nil`: the first of redirect, device and client that the provider offers.
    ///   - operations: What to ask for; `nil`: every operation of the device. With a provider that has fixed scopes
    ///     these are scopes.
    ///   - release: What may leave the keeper under the grant.
    ///   - requester: Who asks, for the audit log.
    /// - Returns: The waiting grant and where the owner approves it. An earlier request that waits is given up. With the
    ///   flow `client` the grant is active.
    /// - Throws: ``Refusal``.
    package func request(
        device: DeviceName, provider: ProviderName? = nil, flow: GrantFlow? = nil, operations: [String]? = nil,
        release: Release = .token, by requester: Requester
    ) async throws -> GrantRequest {
        let found = try await vault.read { try $0.requiredDevice(named: device) }
        let deviceProfile = try profiles.deviceProfile(found.profile)
        let name = provider ?? deviceProfile.provider
        if let reticence { throw reticence }
        return try await explained(name) {
            let remote = try remote(name)
            guard remote.profile.unsetVariables.isEmpty else { throw Refusal.unset(remote.profile) }
            let scopes = try Self.scopes(operations, of: found, deviceProfile, remote.profile)
            let flow = try Self.flow(flow, of: remote.profile)
            let redirectURI = redirectURI(of: remote.profile, flow)
            let consumer = try await consumer(of: remote.profile, for: device, redirectURI: redirectURI)
            let grant = Grant(
                id: GrantID(rawValue: Random.alphanumerics(24)), device: device, provider: name, state: .pending,
                scopes: scopes, generation: 0, createdAt: time.now(), expiresAt: nil, reason: nil, flow: flow,
                release: release)
            if flow == .client {
                let active = try await grantToClient(grant, of: found, consumer, remote, by: requester)
                return GrantRequest(grant: active, authorizeURL: nil, prompt: nil)
            }
            let asked: Asked =
                switch (remote.profile.delegationProtocol, flow) {
                case (.oauth1, _): try await askOAuth1(grant, remote, consumer, callback: redirectURI)
                case (.oauth2, .device): try await askForCode(grant, remote, consumer)
                case (.oauth2, _): try await askOAuth2(grant, remote, consumer, redirectURI: redirectURI)
                }
            try await remember(grant, asked.pending, of: found, consumer: consumer, by: requester)
            approvalDeadlines[grant.id] =
                time.uptime() + .seconds(asked.pending.expiresAt.timeIntervalSince(grant.createdAt))
            Failpoint.approvalRequested.pass()
            if flow == .device { beginPolling(asked.pending) }
            wake()
            return GrantRequest(grant: grant, authorizeURL: asked.authorizeURL, prompt: asked.pending.device)
        }
    }

    private static func flow(_ wanted: GrantFlow?, of profile: ProviderProfile) throws -> GrantFlow {
        let offered = profile.flows
        guard let flow = wanted ?? offered.first, offered.contains(flow) else {
            throw Refusal(
                .usage,
                "provider \(quoted(profile.name.rawValue)) has no flow \(quoted((wanted ?? .redirect).rawValue))",
                hint: "it has \(offered.map(\.rawValue).joined(separator: ", "))")
        }
        return flow
    }

    private func redirectURI(of profile: ProviderProfile, _ flow: GrantFlow) -> String {
        if flow == .oob { return "oob" }
        return profile.redirectURI ?? "http://127.0.0.1:\(configuration.redirectPort)/callback/\(profile.name)"
    }

    private func askOAuth1(
        _ grant: Grant, _ remote: RemoteProvider, _ consumer: Consumer, callback: String
    ) async throws -> Asked {
        let token = try await remote.temporaryCredentials(
            consumer: consumer, callback: callback, scopes: grant.scopes)
        let pending = pending(grant, handle: Secret(text: token.token), proof: token.secret, callback)
        return Asked(pending: pending, authorizeURL: try remote.authorizeURL(requestToken: token.token))
    }

    private func askOAuth2(
        _ grant: Grant, _ remote: RemoteProvider, _ consumer: Consumer, redirectURI: String
    ) async throws -> Asked {
        let pkce = PKCE()
        let state = Secret(text: Random.alphanumerics(30))
        let dpopKey = try remote.profile.usesDPoP ? RemoteProvider.generateDPoPKey() : nil
        let url = try await remote.authorizationURL(
            consumer: consumer, redirectURI: redirectURI, scopes: grant.scopes, state: state,
            challenge: pkce.challenge, dpopKey: dpopKey)
        let pending = pending(grant, handle: state, proof: pkce.verifier, redirectURI, dpopKey: dpopKey)
        return Asked(pending: pending, authorizeURL: url)
    }

    private func askForCode(_ grant: Grant, _ remote: RemoteProvider, _ consumer: Consumer) async throws -> Asked {
        let reply = try await remote.deviceAuthorization(consumer: consumer, scopes: grant.scopes)
        let prompt = DevicePrompt(
            userCode: reply.userCode, verificationURI: reply.verificationURI,
            verificationURIComplete: reply.verificationURIComplete, interval: reply.interval)
        let pending = pending(
            grant, handle: reply.deviceCode, proof: Secret(text: ""), "",
            dpopKey: try remote.profile.usesDPoP ? RemoteProvider.generateDPoPKey() : nil, prompt: prompt,
            lifetime: Double(reply.expiresIn))
        return Asked(pending: pending)
    }

    private func pending(
        _ grant: Grant, handle: Secret, proof: Secret, _ redirectURI: String, dpopKey: Secret? = nil,
        prompt: DevicePrompt? = nil, lifetime: Double? = nil
    ) -> PendingApproval {
        PendingApproval(
            grant: grant.id, provider: grant.provider, handle: handle, proof: proof, redirectURI: redirectURI,
            scopes: grant.scopes,
            expiresAt: grant.createdAt.addingTimeInterval(lifetime ?? configuration.approvalPatience.seconds),
            flow: grant.flow, dpopKey: dpopKey, device: prompt)
    }

    private func remember(
        _ grant: Grant, _ pending: PendingApproval, of device: Device, consumer: Consumer, by requester: Requester
    ) async throws {
        let givenUp = try await vault.write { transaction -> [GrantID] in
            let earlier = try transaction.grants(ofDeviceID: device.id).filter { $0.grant.state == .pending }
            for one in earlier {
                _ = try transaction.endGrant(
                    one.grant.id, from: [.pending], to: .revoked, reason: "another request took its place")
            }
            guard try transaction.grantAwaiting(handle: pending.handle) == nil else {
                throw Refusal.provider(grant.provider, "it gave a code that it has given before")
            }
            try transaction.insertGrant(grant, deviceID: device.id, consumer: consumer.id)
            try transaction.insertPendingApproval(pending)
            try transaction.audit(.asked(grant, by: requester), at: grant.createdAt)
            return earlier.map(\.grant.id)
        }
        for id in givenUp { forget(id) }
    }

    private func grantToClient(
        _ grant: Grant, of device: Device, _ consumer: Consumer, _ remote: RemoteProvider, by requester: Requester
    ) async throws -> Grant {
        let sent = Sending(at: time.now(), uptime: time.uptime())
        let dpopKey = try remote.profile.usesDPoP ? RemoteProvider.generateDPoPKey() : nil
        let reply = try await remote.clientCredentials(consumer: consumer, scopes: grant.scopes, dpopKey: dpopKey)
        let issued = IssuedTokens.oauth2(
            try Self.tokens(in: reply, of: remote), replacing: .none(dpopKey: dpopKey), scopes: grant.scopes,
            sent: sent,
            boot: configuration.boot, profile: remote.profile)
        try await vault.write { transaction in
            try transaction.insertGrant(grant, deviceID: device.id, consumer: consumer.id)
            try transaction.audit(.asked(grant, by: requester), at: grant.createdAt)
        }
        guard let record = try await vault.read({ try $0.grant(id: grant.id) }) else {
            throw Refusal.noGrant(for: grant.device)
        }
        return try await activate(record, issued)
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

extension ProviderProfile {
    /// How a grant can be had here, the natural way first.
    package var flows: [GrantFlow] {
        switch endpoints {
        case .oauth1: return [.redirect, .oob]
        case .oauth2(let two):
            var flows: [GrantFlow] = []
            if two.authorization != nil { flows.append(.redirect) }
            if two.deviceAuthorization != nil { flows.append(.device) }
            if two.offersClientCredentials { flows.append(.client) }
            return flows
        }
    }

    var usesDPoP: Bool {
        if case .oauth2(let endpoints) = endpoints { endpoints.usesDPoP } else { false }
    }
}

extension AuditEntry {
    fileprivate static func asked(_ grant: Grant, by requester: Requester) -> AuditEntry {
        .about(
            grant, by: requester, "grant.request", "pending",
            [
                "provider": .string(grant.provider.rawValue), "scope": .strings(grant.scopes),
                "flow": .string(grant.flow.rawValue), "release": .string(grant.release.rawValue),
            ])
    }
}
