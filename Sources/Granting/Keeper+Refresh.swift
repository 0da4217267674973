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
struct RefreshMaterial: Sendable {
    let record: GrantRecord
    let tokens: GrantTokens?
    let consumer: Consumer?
    let open: OpenRefresh?
}

extension Keeper {
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
            hurried.remove(id)
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
            let pause = min(
                RefreshSchedule.backoff(failures: known.failures + 1, retryAfter: nil, jitter: time.jitter()),
                Self.longestLocalRest)
            freshness[id]?.failed(
                refusal.message, known.trouble?.verdict ?? .transient, restsFor: pause,
                doubts: known.trouble?.doubts ?? Doubts(), isShared: false,
                isOpen: known.trouble?.isOpen ?? false, time)
        }
        if case .ended = result { active?[id] = nil }
        return result
    }

    /// How long does a refresh rest at most that failed on this side, such as on a full disk, in seconds?
    private static let longestLocalRest = 8.0

    private func attempt(_ id: GrantID) async throws -> RefreshResult {
        Failpoint.refreshBegin.pass()
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
        if material.open != nil { freshness[id]?.isUnanswered = true }
        if let open = material.open, let body = open.reply {
            if let result = try await finishStaged(body, open, material, remote) { return result }
        }
        guard case .oauth2(let endpoints) = remote.profile.endpoints, let renewal = Renewal(material) else {
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
        let policy = ReplayPolicy(rotation: endpoints.rotation, grace: endpoints.rotationGrace)
        if let open = material.open, let refusal = try await deferred(open, record, policy) { return .failed(refusal) }
        await takeTurn(record, remote.profile)
        defer { leaveTurn(id) }
        // Looked at again after waiting for the turn.
        if let reticence { return .failed(reticence) }
        if let resting = resting(record) { return .failed(resting) }
        return try await converse(renewal, consumer, material, remote, policy)
    }

    /// Puts off a refresh that an earlier run has sent, where asking again could end the grant before its time.
    ///
    /// - Returns: Why nothing is sent now; `nil` when it may be.
    private func deferred(
        _ open: OpenRefresh, _ record: GrantRecord, _ policy: ReplayPolicy
    ) async throws -> Refusal? {
        guard let known = freshness[record.grant.id], known.trouble?.isOpen != true else { return nil }
        let remaining = known.remaining(time)
        if let remaining, remaining <= 0 { return nil }
        let backoff = RefreshSchedule.backoff(failures: 1, retryAfter: nil, jitter: time.jitter())
        // A crash is no answer: where that costs nothing the token is asked about again, however often the hub was
        // interrupted.
        let sent = policy.rotation == .grace || policy.rotation == .none ? 1 : open.attempts
        switch policy.next(sent: sent, elapsed: elapsed(since: open), remaining: remaining, backoff: backoff) {
        case .now: return nil
        case .after(let seconds):
            let attempt = RefreshAttempt(failures: 0, sent: open.attempts, doubts: Doubts())
            let rest = RefreshAttempt.Rest(
                seconds: seconds, verdict: .ambiguous, reason: "the answer to a refresh was lost", scope: .grant)
            guard case .failed(let refusal) = try await self.rest(record, attempt, rest) else { return nil }
            return refusal
        }
    }

    /// Seconds since a refresh was first sent; `nil` when no clock tells.
    private func elapsed(since open: OpenRefresh) -> Double? {
        if open.boot == configuration.boot, let started = open.startedUptime, started <= time.uptime().seconds {
            return time.uptime().seconds - started
        }
        let elapsed = time.now().timeIntervalSince(open.startedAt)
        return wall.isPlausible(time.now()) && elapsed >= 0 ? elapsed : nil
    }

    private func converse(
        _ renewal: Renewal, _ consumer: Consumer, _ material: RefreshMaterial, _ remote: RemoteProvider,
        _ policy: ReplayPolicy
    ) async throws -> RefreshResult {
        let (record, id) = (material.record, material.record.grant.id)
        let trouble = freshness[id]?.trouble
        var attempt = RefreshAttempt(
            failures: trouble?.failures ?? 0, sent: material.open?.attempts ?? 0, doubts: trouble?.doubts ?? Doubts())
        var firstSent = material.open
        var consumer = consumer
        while true {
            // Without room for the reply nothing is sent: the only copy of a rotated token must find its place.
            try vault.ensureReserve()
            let sending = Sending(at: time.now(), uptime: time.uptime())
            let intent = OpenRefresh(
                grant: id, generation: record.grant.generation, tokenHash: renewal.hash, boot: configuration.boot,
                startedAt: sending.at, startedUptime: sending.uptime?.seconds)
            guard try await vault.write({ try $0.beginRefresh(intent) }) else { return .ended }
            freshness[id]?.isUnanswered = true
            firstSent = firstSent ?? intent
            Failpoint.refreshIntent.pass()
            let (answer, usedSecret) = try await ask(renewal, consumer, material, remote)
            let conditions = RefreshAttempt.Conditions(
                policy: policy, elapsed: firstSent.flatMap(elapsed(since:)), remaining: freshness[id]?.remaining(time),
                uptime: time.uptime(), jitter: time.jitter())
            switch attempt.received(answer, conditions) {
            case .sendAgain:
                // What was begun is on the disk, so that the next start sends the token again.
                if let reticence { return .failed(reticence) }
            case .finish(let reply):
                Failpoint.refreshParsed.pass()
                let result = try await finish(reply, of: material, sent: sending, remote)
                if !consumer.formerSecrets.isEmpty { await noteChangeOver(of: consumer, usedSecret) }
                return result
            case .end(let reason):
                try await end(
                    record, from: [.active], to: .needsReauth, reason: reason, by: .agent, action: "token.refresh")
                return .ended
            case .rest(let rest):
                // A secret that was changed while the old one was under way says nothing about the new one.
                if rest.scope == .consumer, reticence == nil,
                    let newest = try await vault.read({ [id = consumer.id] in try $0.heldConsumer(id: id) }),
                    newest.key != consumer.key || !newest.secret.matches(consumer.secret)
                {
                    consumer = newest
                    continue
                }
                return try await self.rest(record, attempt, rest)
            }
        }
    }

    /// Sends the token and makes the reply durable before it is read.
    private func ask(
        _ renewal: Renewal, _ consumer: Consumer, _ material: RefreshMaterial, _ remote: RemoteProvider
    ) async throws -> (RefreshAnswer, usedSecret: Int) {
        let grant = material.record.grant
        let reply: RawReply
        do {
            reply =
                switch renewal {
                case .refreshToken(let token):
                    try await remote.refresh(token, consumer: consumer, dpopKey: material.tokens?.dpopKey)
                case .clientCredentials:
                    try await remote.clientCredentials(
                        consumer: consumer, scopes: grant.scopes, dpopKey: material.tokens?.dpopKey)
                }
        } catch let failure as ProviderFailure {
            return (RefreshAnswer(failure), 0)
        }
        Failpoint.refreshAnswered.pass()
        if reply.isSuccess {
            try await keep(UnkeptReply(generation: grant.generation, body: reply.body), of: grant.id)
            Failpoint.refreshStaged.pass()
        }
        let verdict = RefreshVerdict.classify(
            .reply(
                status: reply.status, contentType: reply.contentType, retryAfter: reply.retryAfter,
                body: reply.body.revealBytes()), options: remote.tokenReplyOptions,
            now: Int(time.now().timeIntervalSince1970))
        return (RefreshAnswer(verdict, to: reply), reply.usedSecret)
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
        let isThisBoot = open.boot == configuration.boot
        let sent = Sending(at: open.startedAt, uptime: isThisBoot ? open.startedUptime.map { .seconds($0) } : nil)
        return try await finish(reply, of: material, sent: sent, remote)
    }

    private func finish(
        _ reply: TokenReply, of material: RefreshMaterial, sent: Sending, _ remote: RemoteProvider
    ) async throws -> RefreshResult {
        let (record, now) = (material.record, time.now())
        let (id, generation) = (record.grant.id, record.grant.generation)
        let issued = IssuedTokens.oauth2(
            reply, replacing: .generation(material.tokens), scopes: record.grant.scopes, sent: sent,
            boot: configuration.boot, profile: remote.profile)
        let refreshed = try await committed {
            guard try $0.replaceTokens(of: id, expecting: generation, with: issued) else { return nil as GrantRecord? }
            try $0.audit(
                .about(
                    record.grant, by: .agent, "token.refresh", "refreshed",
                    ["generation": .integer(Int64(generation + 1))]),
                at: now)
            try $0.tellRecovery(of: record, at: now)
            return try $0.grant(id: id)
        }
        Failpoint.refreshReplaced.pass()
        guard let refreshed else {
            // The owner ended the grant meanwhile; what the provider has just issued must not live on.
            await disclaim(issued.tokens, of: record)
            return .ended
        }
        freshness[id] = freshness(of: refreshed)
        active?[id] = refreshed
        recovered(record)
        logger.info(
            "token refreshed",
            metadata: ["grant.id": "\(id)", "generation": "\(refreshed.grant.generation)"])
        return .refreshed
    }
}
