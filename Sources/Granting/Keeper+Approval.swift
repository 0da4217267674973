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
            guard let id = try await vault.read({ try $0.grantAwaiting(handle: handle) }) else { throw stranger }
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
                return try await self.redeem(pending, record, at: provider, query: query)
            }.value
        }
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
        guard pending.expiresAt > time.now() else { throw try await tooLate(record) }
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
                return try await self.activate(record, issued, issuedUptime: nil)
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
            guard pending.expiresAt > time.now() else { throw try await tooLate(record) }
            let sentAt = time.uptime()
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
            return try await activate(record, issued, issuedUptime: sentAt)
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
        let now = time.now()
        let remote = try remote(pending.provider)
        let reply = try await remote.exchange(
            code: code, verifier: pending.proof, redirectURI: pending.redirectURI, consumer: consumer)
        let body = reply.body.revealBytes()
        guard reply.isSuccess else {
            if (300..<400).contains(reply.status) { throw ProviderFailure.redirected(status: reply.status) }
            throw ProviderFailure.refused(status: reply.status, code: TokenError.parse(body)?.code)
        }
        let parsed = try TokenReply.parse(body, options: remote.tokenReplyOptions.reply)
        if case .other = parsed.tokenType { throw ProviderFailure.unusable(.malformed("token_type")) }
        return .oauth2(parsed, replacing: nil, scopes: pending.scopes, issuedAt: now)
    }

    private func activate(_ record: GrantRecord, _ issued: IssuedTokens, issuedUptime: Duration?) async throws -> Grant
    {
        let (now, profiles) = (time.now(), profiles)
        let (active, replaced) = try await vault.write { transaction -> (GrantRecord?, [Remains]) in
            guard try transaction.grant(id: record.grant.id)?.grant.state == .pending else { return (nil, []) }
            var replaced: [Remains] = []
            for earlier in try transaction.grants(ofDeviceID: record.deviceID) where earlier.grant.id != record.grant.id
            {
                let remains = try transaction.remains(of: earlier)
                guard
                    try transaction.endGrant(
                        earlier.grant.id, from: [.active, .needsReauth, .pending], to: .revoked,
                        reason: "a newer approval took its place")
                else { continue }
                try transaction.audit(.about(earlier.grant, by: .agent, "grant.revoke", "replaced"), at: now)
                // Other vendors may end every token of the consumer, the new one too.
                if (try? profiles.providerProfile(earlier.grant.provider))?.isHome == true { replaced.append(remains) }
            }
            guard try transaction.activateGrant(record.grant.id, with: issued) else { return (nil, []) }
            try transaction.audit(
                .about(
                    record.grant, by: .agent, "grant.approve", "active",
                    ["generation": 1, "scope": .strings(issued.scopes)]),
                at: now)
            return (try transaction.grant(id: record.grant.id), replaced)
        }
        guard let active else {
            await disclaim(issued.tokens, of: record)
            throw Refusal(
                .conflict, "the request for device \(quoted(record.grant.device.rawValue)) was given up meanwhile",
                hint: "run 'keyholder grant request \(record.grant.device)'")
        }
        sayFarewell(to: replaced)
        freshness[active.grant.id] = Freshness(active, issuedUptime: issuedUptime, jitter: time.jitter())
        logger.notice(
            "grant active",
            metadata: ["grant.id": "\(active.grant.id)", "device.name": "\(active.grant.device)"])
        wake()
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
            throw Refusal(
                .notAuthorised, "no consumer for provider \(quoted(record.grant.provider.rawValue))",
                hint: "run 'keyholder consumer add \(record.grant.provider) --key KEY'")
        }
        return consumer
    }
}

extension IssuedTokens {
    /// What a token reply grants; what it leaves out stays as it was.
    static func oauth2(
        _ reply: TokenReply, replacing refreshToken: Secret?, scopes: [String], issuedAt: Date
    ) -> IssuedTokens {
        IssuedTokens(
            tokens: GrantTokens(
                accessToken: reply.accessToken, tokenSecret: nil, refreshToken: reply.refreshToken ?? refreshToken,
                tokenType: reply.tokenType.name),
            scopes: reply.scope ?? scopes, issuedAt: issuedAt,
            expiresAt: issuedAt.addingTimeInterval(Double(reply.expiresIn)))
    }
}
