// A refresh leaves three marks on the disk: that it is about to be sent, the reply as it came, the new generation.
// Wherever the power fails between them, the next start goes on from the last mark.

import Delegation
import FoundationEssentials
import Logging
import OAuth
import ProviderClient
import Sealing
import StrictJSON
import Vault

/// What one refresh works with.
private struct RefreshMaterial: Sendable {
    let record: GrantRecord
    let tokens: GrantTokens?
    let consumer: Consumer?
    let open: OpenRefresh?
}

extension Keeper {
    /// Refreshes a grant; whoever comes while that is under way waits for the same refresh.
    func refresh(_ id: GrantID) async -> RefreshResult { await beginRefresh(id).value }

    /// Begins a refresh, or finds the one that is under way.
    func beginRefresh(_ id: GrantID) -> Task<RefreshResult, Never> {
        if let running = refreshes[id] { return running }
        // Outlives every caller, because to drop the reply of a rotating provider is to lose the grant. `run()` awaits
        // it before it returns.
        let task = Task { await self.carryOut(id) }
        refreshes[id] = task
        return task
    }

    private func carryOut(_ id: GrantID) async -> RefreshResult {
        defer {
            refreshes[id] = nil
            wake()
        }
        let result: RefreshResult
        do {
            result = try await explained { try await attempt(id) }
        } catch let refusal as Refusal {
            result = .failed(refusal)
        } catch {
            // The store refused (full, read-only): nothing was sent, or the refresh stays open for the next attempt.
            logger.error("refresh failed", metadata: ["grant.id": "\(id)", "error": "\(error)"])
            result = .failed(Refusal(.failure, "cannot refresh the token: \(error)"))
        }
        if case .failed(let refusal) = result, refusal.kind != .sealed, let known = freshness[id], known.rest(time) == 0
        {
            // Whatever failed has to rest, or the loop would try it again at once.
            let pause = RefreshSchedule.backoff(failures: known.failures + 1, retryAfter: nil, jitter: time.jitter())
            freshness[id]?.failed(refusal.message, restsFor: pause, doubts: known.doubts, time)
        }
        return result
    }

    private func attempt(_ id: GrantID) async throws -> RefreshResult {
        if let reply = unkept[id] { try await keep(reply, of: id) }
        let found = try await vault.read { transaction -> RefreshMaterial? in
            guard let record = try transaction.grant(id: id), record.grant.state == .active else { return nil }
            return RefreshMaterial(
                record: record, tokens: try transaction.tokens(of: id),
                consumer: try transaction.heldConsumer(id: record.consumer), open: try transaction.openRefresh(of: id))
        }
        guard let material = found else { return .ended }
        let record = material.record
        let remote = try remote(record.grant.provider)
        note(record)
        if let open = material.open, let body = open.reply {
            if let result = try await finishStaged(body, open, material, remote) { return result }
        }
        guard case .oauth2(let endpoints) = remote.profile.endpoints, let token = material.tokens?.refreshToken else {
            try await end(
                record, from: [.active], to: .needsReauth, reason: "it has expired and cannot be refreshed", by: .agent,
                action: "token.refresh")
            return .ended
        }
        guard let consumer = material.consumer else {
            return .failed(
                Refusal(.notAuthorised, "no consumer for provider \(quoted(record.grant.provider.rawValue))"))
        }
        if let resting = resting(record) { return .failed(resting) }
        if endpoints.rotation != .none { await takeTurn() }
        defer { if endpoints.rotation != .none { turnstile.leave() } }
        // Looked at again after waiting for the turn.
        if let reticence { return .failed(reticence) }
        return try await converse(token, consumer, material, remote)
    }

    private func converse(
        _ token: Secret, _ consumer: Consumer, _ material: RefreshMaterial, _ remote: RemoteProvider
    ) async throws -> RefreshResult {
        let (record, id) = (material.record, material.record.grant.id)
        var attempt = RefreshAttempt(
            failures: freshness[id]?.failures ?? 0, wasInterrupted: material.open != nil,
            doubts: freshness[id]?.doubts ?? Doubts())
        while true {
            let (sentAt, sentUptime) = (time.now(), time.uptime())
            let intent = OpenRefresh(
                grant: id, generation: record.grant.generation,
                tokenHash: token.reveal { HashFunction.sha256.digest($0) }, boot: configuration.boot,
                startedAt: sentAt)
            guard try await vault.write({ try $0.beginRefresh(intent) }) else { return .ended }
            let verdict = try await ask(token, consumer, record, remote)
            switch attempt.received(verdict, uptime: time.uptime(), jitter: time.jitter()) {
            case .sendAgain:
                // What was begun is on the disk, so that the next start sends the token again.
                if let reticence { return .failed(reticence) }
            case .finish(let reply):
                return try await finish(
                    reply, of: record, replacing: token, sentAt: sentAt, sentUptime: sentUptime, remote, consumer)
            case .end(let reason):
                try await end(
                    record, from: [.active], to: .needsReauth, reason: reason, by: .agent, action: "token.refresh")
                return .ended
            case .rest(let seconds, let reason, let scope):
                return try await rest(record, attempt, seconds: seconds, reason: reason, scope)
            }
        }
    }

    /// Sends the token and makes the reply durable before it is read.
    private func ask(
        _ token: Secret, _ consumer: Consumer, _ record: GrantRecord, _ remote: RemoteProvider
    ) async throws -> RefreshVerdict {
        let outcome: RefreshOutcome
        do {
            let reply = try await remote.refresh(token, consumer: consumer)
            if reply.isSuccess {
                try await keep(
                    UnkeptReply(generation: record.grant.generation, body: reply.body), of: record.grant.id)
            }
            outcome = .reply(
                status: reply.status, contentType: reply.contentType, retryAfter: reply.retryAfter,
                body: reply.body.revealBytes())
        } catch ProviderFailure.tooLarge(let limit) {
            return .suspicious(reason: "reply larger than \(limit) bytes")
        } catch ProviderFailure.redirected(let status) {
            return .suspicious(reason: "redirect (status \(status)) from the token endpoint")
        } catch let failure as ProviderFailure {
            outcome =
                failure.mayHaveTakenEffect
                ? .ambiguous(reason: failure.description) : .notSent(reason: failure.description)
        }
        return RefreshVerdict.classify(
            outcome, options: remote.tokenReplyOptions, now: Int(time.now().timeIntervalSince1970))
    }

    /// Reads a reply that an earlier run of the program has kept.
    ///
    /// - Returns: `nil` when there is nothing in it, so that the same token has to be sent again.
    private func finishStaged(
        _ body: Secret, _ open: OpenRefresh, _ material: RefreshMaterial, _ remote: RemoteProvider
    ) async throws -> RefreshResult? {
        let verdict = RefreshVerdict.classify(
            .reply(status: 200, contentType: nil, retryAfter: nil, body: body.revealBytes()),
            options: remote.tokenReplyOptions, now: Int(time.now().timeIntervalSince1970))
        guard case .refreshed(let reply) = verdict, open.generation == material.record.grant.generation else {
            return nil
        }
        return try await finish(
            reply, of: material.record, replacing: material.tokens?.refreshToken, sentAt: open.startedAt,
            sentUptime: nil, remote, material.consumer)
    }

    private func finish(
        _ reply: TokenReply, of record: GrantRecord, replacing old: Secret?, sentAt: Date, sentUptime: Duration?,
        _ remote: RemoteProvider, _ consumer: Consumer?
    ) async throws -> RefreshResult {
        let (id, generation, now) = (record.grant.id, record.grant.generation, time.now())
        let issued = IssuedTokens.oauth2(reply, replacing: old, scopes: record.grant.scopes, issuedAt: sentAt)
        let refreshed = try await vault.write { transaction -> GrantRecord? in
            guard try transaction.replaceTokens(of: id, expecting: generation, with: issued) else { return nil }
            try transaction.audit(
                .about(
                    record.grant, by: .agent, "token.refresh", "refreshed",
                    ["generation": .integer(Int64(generation + 1))]),
                at: now)
            return try transaction.grant(id: id)
        }
        guard let refreshed else {
            // The owner ended the grant meanwhile; what the provider has just issued must not live on.
            if let consumer { try? await remote.revoke(issued.tokens, consumer: consumer) }
            return .ended
        }
        freshness[id] = Freshness(refreshed, issuedUptime: sentUptime, jitter: time.jitter())
        logger.info(
            "token refreshed",
            metadata: ["grant.id": "\(id)", "generation": "\(refreshed.grant.generation)"])
        return .refreshed
    }

    private func rest(
        _ record: GrantRecord, _ attempt: RefreshAttempt, seconds: Double, reason: String, _ scope: RefreshAttempt.Scope
    ) async throws -> RefreshResult {
        let (grant, now) = (record.grant, time.now())
        if case .consumer = scope { restingConsumers[record.consumer] = time.uptime() + .seconds(seconds) }
        // A storm of days is one line in the log, not one for each attempt.
        let isNews = freshness[grant.id]?.lastFailure != reason
        freshness[grant.id]?.failed(reason, restsFor: seconds, doubts: attempt.doubts, time)
        try await vault.write { transaction in
            if !attempt.staysOpen { try transaction.deleteRefresh(of: grant.id) }
            guard isNews else { return }
            try transaction.audit(
                .about(
                    grant, by: .agent, "token.refresh", "failed",
                    ["generation": .integer(Int64(grant.generation)), "reason": .string(reason)]),
                at: now)
        }
        if isNews {
            logger.warning("refresh failed", metadata: ["grant.id": "\(grant.id)", "reason": "\(reason)"])
        }
        return .failed(.provider(grant.provider, reason))
    }

    /// Why nothing is sent for this grant at the moment, or `nil`.
    func resting(_ record: GrantRecord) -> Refusal? {
        let consumer = restingConsumers[record.consumer].map { ($0 - time.uptime()).seconds } ?? 0
        let wait = max(consumer, freshness[record.grant.id]?.rest(time) ?? 0)
        guard wait > 0 else { return nil }
        let reason =
            consumer > 0
            ? "it refuses the consumer" : (freshness[record.grant.id]?.lastFailure ?? "the last attempt failed")
        return Refusal(
            .provider, "provider \(quoted(record.grant.provider.rawValue)): \(reason)",
            hint: "the next attempt is in \(Int(wait.rounded(.up))) s")
    }

    /// Makes sure that the newest generation of a grant is known.
    func note(_ record: GrantRecord) {
        let id = record.grant.id
        guard freshness[id]?.generation != record.grant.generation else { return }
        freshness[id] = Freshness(record, issuedUptime: nil, jitter: time.jitter())
    }

    private func takeTurn() async {
        guard !turnstile.take() else { return }
        await withCheckedContinuation { turnstile.queue($0) }
    }
}
