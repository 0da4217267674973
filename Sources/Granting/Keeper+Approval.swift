// An answer is believed once, for the request it belongs to; tokens are on the disk before anybody hears of them.

package import Delegation
import FoundationEssentials
import Logging
import OAuth
import ProviderClient
import Sealing
import StrictJSON
import Vault

extension Keeper {
    /// Takes in what an owner's browser brings back.
    ///
    /// - Parameters:
    ///   - provider: Whose redirect URI it came to.
    ///   - query: What follows `?`.
    /// - Returns: The grant, active or denied.
    /// - Throws: ``Refusal``. Unless it is of kind `sealed`, the request it belonged to has ended.
    package func redirected(provider: ProviderName, query: String) async throws -> Grant {
        try await explained(provider) {
            let stranger = Refusal(
                .notFound, "this approval belongs to no request that waits",
                hint: "ask for the grant again; each approval counts once")
            guard query.utf8.count <= 16_384, let handle = Self.handle(in: query) else { throw stranger }
            // Refused before it is taken, so that neither a pause nor a sealed vault uses the approval up.
            if let reticence { throw reticence }
            guard let id = try await vault.read({ try $0.grantAwaiting(handle: handle) }),
                // A device code comes back by no browser.
                try await vault.read({ try $0.grant(id: id)?.grant.flow }) != .device
            else { throw stranger }
            // Noted before it is taken, so that nobody sees a request without its approval and without this note.
            guard redeeming.insert(id).inserted else { throw stranger }
            // Outlives the browser's connection, which may be gone before the provider has answered; awaited here.
            return try await Task {
                defer { self.redeeming.remove(id) }
                let taken = try await self.vault.write { transaction -> (PendingApproval, GrantRecord)? in
                    guard let pending = try transaction.takePendingApproval(handle: handle),
                        let record = try transaction.grant(id: pending.grant)
                    else { return nil }
                    return (pending, record)
                }
                guard let (pending, record) = taken else { throw stranger }
                Failpoint.approvalTaken.pass()
                return try await self.redeem(pending, record, at: provider, query: query)
            }.value
        }
    }

    /// Takes in the address at which the owner's browser ended, for a provider that does not send it to the hub.
    ///
    /// - Returns: The grant, active or denied.
    /// - Throws: ``Refusal``, as ``redirected(provider:query:)``.
    package func finish(device: DeviceName, redirected url: String) async throws -> Grant {
        let waiting = try await explained {
            try await vault.read { transaction in
                try transaction.grants(of: device).first { $0.grant.state == .pending && $0.grant.flow == .redirect }
            }
        }
        guard let record = waiting else {
            throw Refusal(
                .notFound, "no grant for device \(quoted(device.rawValue)) waits for an approval",
                hint: "run 'keyholder grant request \(device)'")
        }
        let address = url.filter { !$0.isWhitespace }
        guard let mark = address.firstIndex(of: "?") else {
            throw Refusal(
                .usage, "the address has no answer in it", hint: "paste all of it, with what follows the question mark")
        }
        let query = address[address.index(after: mark)...].prefix { $0 != "#" }
        return try await redirected(provider: record.grant.provider, query: String(query))
    }

    /// Takes in the verifier that a person read from the provider's page (`oob`).
    ///
    /// - Returns: The active grant.
    /// - Throws: ``Refusal``; after a verifier that the provider refuses another one may be tried.
    package func finish(device: DeviceName, verifier: String) async throws -> Grant {
        let waiting = try await explained {
            try await vault.read { transaction -> (PendingApproval, GrantRecord)? in
                guard let record = try transaction.grants(of: device).first(where: { $0.grant.state == .pending }),
                    let pending = try transaction.pendingApproval(of: record.grant.id), pending.redirectURI == "oob"
                else { return nil }
                return (pending, record)
            }
        }
        guard let (pending, record) = waiting else {
            throw Refusal(
                .notFound, "no grant for device \(quoted(device.rawValue)) waits for a verifier",
                hint: "run 'keyholder grant request \(device) --flow oob'")
        }
        guard patience(with: pending.grant, until: pending.expiresAt) > 0 else { throw try await tooLate(record) }
        if let reticence { throw reticence }
        guard redeeming.insert(record.grant.id).inserted else {
            throw Refusal(.conflict, "a verifier for device \(quoted(device.rawValue)) is being tried already")
        }
        defer { redeeming.remove(record.grant.id) }
        let secret = Secret(text: verifier.filter { !$0.isWhitespace })
        return try await explained(record.grant.provider) {
            // Outlives a caller who goes away, because the provider takes a verifier once; awaited here.
            try await Task {
                let issued = try await self.issuedOAuth1(pending, record, verifier: secret)
                return try await self.activate(record, issued)
            }.value
        }
    }

    private static func handle(in query: String) -> Secret? {
        guard let parameters = try? FormCoding.parse(query) else { return nil }
        let found = ["state", "oauth_token", "denied"].compactMap { parameters.first($0) }.first
        return found.flatMap { $0.isEmpty ? nil : Secret(text: $0) }
    }

    private func redeem(
        _ pending: PendingApproval, _ record: GrantRecord, at provider: ProviderName, query: String
    ) async throws -> Grant {
        do {
            guard pending.provider == provider else { throw OAuthError.issuerMismatch }
            guard patience(with: pending.grant, until: pending.expiresAt) > 0 else { throw try await tooLate(record) }
            let issued: IssuedTokens
            switch try remote(provider).profile.endpoints {
            case .oauth1:
                guard let verifier = try Self.verifier(in: query, of: pending) else { return try await deny(record) }
                issued = try await issuedOAuth1(pending, record, verifier: verifier)
            case .oauth2(let endpoints):
                switch try AuthorizationResponse.parse(
                    query: query, expectedState: pending.handle.revealText(), expectedIssuer: endpoints.issuer,
                    issuerRequired: endpoints.announcesIssuer)
                {
                case .error(code: "access_denied", _): return try await deny(record)
                case .error(let code, _):
                    throw Refusal(.provider, "the provider did not grant it: \(quoted(code))", hint: "ask again")
                case .code(let code): issued = try await issuedOAuth2(pending, record, code: code)
                }
            }
            Failpoint.approvalRedeemed.pass()
            return try await activate(record, issued)
        } catch {
            // The approval is used up, so the request cannot succeed any more; a sealed vault cannot say so.
            try? await end(
                record, from: [.pending], to: .needsReauth, reason: "the approval failed: \(error)", by: .agent,
                action: "grant.approve")
            throw error
        }
    }

    private static func verifier(in query: String, of pending: PendingApproval) throws -> Secret? {
        let parameters = try FormCoding.parse(query)
        // Providers say no in three ways: a problem report, a parameter of their own, or no verifier.
        if parameters.first("oauth_problem") != nil || parameters.first("denied") != nil { return nil }
        if parameters.first("oauth_verifier") == nil { return nil }
        return try CallbackReply.parse(query: query, expecting: pending.handle.revealText()).verifier
    }

    private func issuedOAuth1(
        _ pending: PendingApproval, _ record: GrantRecord, verifier: Secret
    ) async throws -> IssuedTokens {
        let consumer = try await heldConsumer(of: record)
        let now = time.now()
        let (credentials, scopes) = try await remote(pending.provider).tokenCredentials(
            consumer: consumer,
            requestToken: TokenCredentials(token: pending.handle.revealText(), secret: pending.proof),
            verifier: verifier)
        return IssuedTokens(
            tokens: GrantTokens(
                accessToken: Secret(text: credentials.token), tokenSecret: credentials.secret, refreshToken: nil,
                tokenType: "OAuth"),
            scopes: scopes ?? pending.scopes, issuedAt: now, expiresAt: nil)
    }

    private func issuedOAuth2(
        _ pending: PendingApproval, _ record: GrantRecord, code: Secret
    ) async throws -> IssuedTokens {
        let consumer = try await heldConsumer(of: record)
        let remote = try remote(pending.provider)
        var sent = Sending(at: time.now(), uptime: time.uptime())
        var parsed = try Self.tokens(
            in: try await remote.exchange(
                code: code, verifier: pending.proof, redirectURI: pending.redirectURI, consumer: consumer,
                dpopKey: pending.dpopKey), of: remote)
        if case .oauth2(let endpoints) = remote.profile.endpoints, endpoints.longLivedExchange != nil {
            sent = Sending(at: time.now(), uptime: time.uptime())
            parsed = try Self.tokens(
                in: try await remote.longLived(parsed.accessToken, consumer: consumer), of: remote)
        }
        return .oauth2(
            parsed, replacing: .none(dpopKey: pending.dpopKey), scopes: pending.scopes, sent: sent,
            boot: configuration.boot, profile: remote.profile)
    }

    /// Reads a token reply that stands at the beginning of a grant.
    ///
    /// - Throws: ``ProviderFailure`` or `OAuthError`.
    static func tokens(
        in reply: RawReply, of remote: RemoteProvider, options special: TokenReplyOptions? = nil
    ) throws -> TokenReply {
        let body = reply.body.revealBytes()
        let options = remote.tokenReplyOptions
        guard reply.isSuccess else {
            if (300..<400).contains(reply.status) { throw ProviderFailure.redirected(status: reply.status) }
            throw ProviderFailure.refused(
                status: reply.status, code: TokenError.parse(body, paths: options.errorPaths)?.code)
        }
        let parsed = try TokenReply.parse(body, options: special ?? options.reply)
        if case .other = parsed.tokenType { throw ProviderFailure.unusable(.malformed("token_type")) }
        return parsed
    }

    func activate(_ record: GrantRecord, _ issued: IssuedTokens) async throws -> Grant {
        let (now, profiles) = (time.now(), profiles)
        let (active, replaced) = try await committed { transaction -> (GrantRecord?, [GrantID]) in
            guard try transaction.grant(id: record.grant.id)?.grant.state == .pending else { return (nil, []) }
            var replaced: [GrantID] = []
            for earlier in try transaction.grants(ofDeviceID: record.deviceID) where earlier.grant.id != record.grant.id
            {
                let live: [Grant.State] = [.active, .needsReauth, .pending]
                guard live.contains(earlier.grant.state) else { continue }
                // Other vendors may end every token of the consumer, the new one too.
                let isHome = (try? profiles.providerProfile(earlier.grant.provider))?.isHome == true
                let damage = try isHome ? transaction.queueRemains(of: earlier, at: now) : nil
                _ = try transaction.endGrant(
                    earlier.grant.id, from: live, to: .revoked, reason: "a newer approval took its place")
                try transaction.tellSettled(earlier, text: "\(record.grant.device) was approved again", at: now)
                try transaction.audit(.about(earlier.grant, by: .agent, "grant.revoke", "replaced"), at: now)
                if let damage { try transaction.auditUntold(earlier.grant, damage, at: now) }
                replaced.append(earlier.grant.id)
            }
            guard try transaction.activateGrant(record.grant.id, with: issued) else { return (nil, []) }
            try transaction.tellSettled(record, text: "\(record.grant.device) was approved again", at: now)
            try transaction.audit(
                .about(
                    record.grant, by: .agent, "grant.approve", "active",
                    ["generation": 1, "scope": .strings(issued.scopes)]),
                at: now)
            return (try transaction.grant(id: record.grant.id), replaced)
        }
        Failpoint.approvalActivated.pass()
        guard let active else {
            await disclaim(issued.tokens, of: record)
            throw Refusal(
                .conflict, "the request for device \(quoted(record.grant.device.rawValue)) was given up meanwhile",
                hint: "run 'keyholder grant request \(record.grant.device)'")
        }
        for id in replaced { forget(id) }
        approvalDeadlines[active.grant.id] = nil
        self.active?[active.grant.id] = active
        freshness[active.grant.id] = freshness(of: active)
        logger.notice(
            "grant active",
            metadata: ["grant.id": "\(active.grant.id)", "device.name": "\(active.grant.device)"])
        wake()
        // The grant is active whatever becomes of the old ones; the loop tries again.
        if !replaced.isEmpty { _ = try? await tellFarewells() }
        return active.grant
    }

    private func deny(_ record: GrantRecord) async throws -> Grant {
        try await end(
            record, from: [.pending], to: .denied, reason: "the owner said no", by: .agent, action: "grant.deny")
        guard let grant = try await vault.read({ try $0.grant(id: record.grant.id)?.grant }) else {
            throw Refusal.noGrant(for: record.grant.device)
        }
        return grant
    }

    /// Seconds for which an approval still counts; a wall clock that is set changes nothing for what this run asked for.
    func patience(with id: GrantID, until deadline: Date) -> Double {
        approvalDeadlines[id].map { ($0 - time.uptime()).seconds } ?? deadline.timeIntervalSince(time.now())
    }

    private func tooLate(_ record: GrantRecord) async throws -> Refusal {
        try await end(
            record, from: [.pending], to: .needsReauth, reason: "it was not approved in time", by: .agent,
            action: "grant.approve")
        return Refusal(
            .notAuthorised, "the request for device \(quoted(record.grant.device.rawValue)) was not approved in time",
            hint: "run 'keyholder grant request \(record.grant.device)'")
    }

    func heldConsumer(of record: GrantRecord) async throws -> Consumer {
        guard let consumer = try await vault.read({ try $0.heldConsumer(id: record.consumer) }) else {
            throw Refusal.noConsumer(record.grant.provider)
        }
        return consumer
    }
}
