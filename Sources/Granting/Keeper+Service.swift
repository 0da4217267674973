// First what an interrupted run has left, then what is due; between two looks it sleeps until something is, a minute at
// most, because a wall clock that is set does not wake anybody.

import Delegation
import FoundationEssentials
import Logging
import ServiceLifecycle
import Vault

extension Keeper: Service {
    /// How long may a change of the wall clock go unnoticed, in seconds?
    private static let longestNap = 60.0
    /// And while the wall clock cannot be right?
    private static let shortNap = 5.0
    /// By how many seconds must a wall clock jump to have been set?
    private static let clockJump = 60.0
    /// How long may a run that is cancelled, not shut down, still wait for replies? The daemon gives it 5 s.
    private static let patienceWhenCancelled = Duration.seconds(3)

    /// Keeps tokens fresh until shutdown, and then waits for the refreshes under way.
    package func run() async throws {
        isStopping = false
        await withGracefulShutdownHandler {
            await self.serve()
        } onGracefulShutdown: {
            // Ends with the one step it takes; `serve` returns because of it.
            Task { await self.stop() }
        }
        // A question that is under way may bring tokens; `settle` waits for it.
        for (id, poll) in polls where !redeeming.contains(id) { poll.cancel() }
        // Also a run that is cancelled sends nothing new while it waits.
        let isShutdown = isStopping
        isStopping = true
        defer { isStopping = isShutdown }
        retryKeeping()
        let patience = Task.isCancelled ? Self.patienceWhenCancelled : configuration.drainPatience
        // A task of its own, because in a cancelled one nothing waits; awaited here.
        await Task { await self.settle(within: patience) }.value
    }

    /// Makes the loop look again.
    func wake() {
        isWakeUpDue = true
        nap?.cancel()
    }

    private func stop() {
        isStopping = true
        wake()
    }

    private func serve() async {
        var hasRecovered = false
        while !isStopping, !Task.isCancelled {
            isWakeUpDue = false
            if vault.isSealed {
                // A sealed hub has no secret in memory.
                unkept = [:]
                active = nil
                await sleepUntilUnsealed()
                pausedUntil = nil
                hasRecovered = false
                continue
            }
            if let pausedUntil, pausedUntil > time.uptime() {
                await sleep(seconds: (pausedUntil - time.uptime()).seconds)
                continue
            }
            noticeClock()
            var pause = wall.isPlausible(time.now()) ? Self.longestNap : Self.shortNap
            do {
                if let reason = vault.quarantine {
                    try await tellQuarantine(reason)
                } else {
                    if !hasRecovered {
                        try await recover()
                        hasRecovered = true
                    }
                    pause = min(pause, try await beginWhatIsDue(), try await tellForecasts())
                    pause = min(pause, try await tellFarewells())
                }
            } catch VaultError.sealed {
                continue
            } catch {
                logger.error("cannot read the grants", metadata: ["error": "\(error)"])
            }
            await sleep(seconds: max(pause, 0.01))
        }
    }

    /// A clock that was set changes what is known of every token of an earlier boot, and may be what a provider's
    /// certificate waited for.
    private func noticeClock() {
        let offset = time.now().timeIntervalSince1970 - time.uptime().seconds
        defer { clockOffset = offset }
        guard let known = clockOffset, abs(offset - known) > Self.clockJump else { return }
        logger.notice("the clock was set", metadata: ["seconds": "\(Int(min(abs(offset - known), 1e12)))"])
        endRests()
    }

    private func tellQuarantine(_ reason: String) async throws {
        let now = time.now()
        _ = try await vault.write {
            try $0.openNotice(
                .quarantined, subject: Notice.hub, device: nil, provider: nil, text: "the hub does nothing: \(reason)",
                hint: "if no other hub uses this vault, run 'keyholder quarantine lift'", at: now)
        }
    }

    /// Finishes what an interrupted run has begun: replies that were kept first, they need no network.
    private func recover() async throws {
        Failpoint.recoverBegin.pass()
        let (open, waiting, seen) = try await vault.read { transaction in
            let waiting = try transaction.grants().filter { record in
                try record.grant.state == .pending && !transaction.hasPendingApproval(record.grant.id)
            }
            return (try transaction.openRefreshes(), waiting, try transaction.lastSeen())
        }
        wall = WallClock(lastSeen: seen)
        active = nil
        freshness = [:]
        for id in open.prefix(Self.mostRecovered) {
            logger.notice("finishing an interrupted refresh", metadata: ["grant.id": "\(id)"])
            // Not awaited: a reply that turns out to be useless is asked for again, and a shutdown must not wait for that.
            _ = beginRefresh(id)
        }
        for record in waiting where !redeeming.contains(record.grant.id) {
            try await end(
                record, from: [.pending], to: .needsReauth, reason: "the approval was interrupted", by: .agent,
                action: "grant.approve")
        }
        try await resumePolling()
    }

    /// Begins what is due, as far as turns are free.
    ///
    /// - Returns: Seconds until the next thing is due.
    private func beginWhatIsDue() async throws -> Double {
        let deadlines = try await vault.read { try $0.pendingDeadlines() }
        if active == nil { try await loadActive() }
        var grants = active ?? [:]
        for id in unkept.keys where refreshes[id] == nil && grants[id] == nil {
            try await disclaimUnkept(id)
        }
        var next = Double.infinity
        grants = active ?? grants
        // Each holds its secrets until it has had its turn, so not all begin at once.
        var begun = Dictionary(grouping: refreshes.keys.compactMap { grants[$0]?.grant.provider }) { $0 }
            .mapValues(\.count)
        for record in grants.values where record.isRenewable && refreshes[record.grant.id] == nil {
            note(record)
            guard let due = freshness[record.grant.id]?.due(time).map({ max($0, restLeft(record)) }) else { continue }
            if due > 0 {
                next = min(next, due)
            } else if begun[record.grant.provider, default: 0] < Self.longestQueue {
                begun[record.grant.provider, default: 0] += 1
                _ = beginRefresh(record.grant.id)
            }
        }
        for record in grants.values where !record.isRenewable && refreshes[record.grant.id] == nil {
            note(record)
            guard let known = freshness[record.grant.id], !known.isDoubtful(time), let left = known.remaining(time)
            else { continue }
            if left > 0 {
                next = min(next, left)
            } else {
                try await end(
                    record, from: [.active], to: .needsReauth, reason: "it has expired and cannot be refreshed",
                    by: .agent, action: "token.refresh")
            }
        }
        for (id, deadline) in deadlines where !redeeming.contains(id) {
            let left = patience(with: id, until: deadline)
            if left > 0 {
                next = min(next, left)
            } else if let record = try await vault.read({ try $0.grant(id: id) }) {
                try await end(
                    record, from: [.pending], to: .needsReauth, reason: "it was not approved in time", by: .agent,
                    action: "grant.approve")
            }
        }
        return next
    }

    /// Reads every active grant once; only this actor changes them, so they are kept in step from then on.
    private func loadActive() async throws {
        // Whatever is refreshed or approved while they are read is newer.
        active = [:]
        do {
            let found = try await vault.read { try $0.activeGrants() }
            let ids = Set(found.map(\.grant.id)).subtracting(ended)
            let known = Dictionary(found.map { ($0.grant.id, $0) }) { $1 }.filter { ids.contains($0.key) }
            active?.merge(known) { newer, _ in newer }
            ended = []
        } catch {
            active = nil
            throw error
        }
    }

    /// How many interrupted refreshes are begun at once? Crashes leave few; the loop comes to the rest.
    private static let mostRecovered = 32

    /// How many refreshes may be begun at one provider, those included that wait for their turn? Whoever takes a turn makes room, and the loop looks again.
    private static let longestQueue = 8

    private func sleep(seconds: Double) async {
        guard !isWakeUpDue, !isStopping else { return }
        let time = time
        // Awaited right here; a task of its own so that `wake` can end it.
        await rest(Task { try? await time.sleep(.seconds(seconds)) })
    }

    private func sleepUntilUnsealed() async {
        guard !isStopping else { return }
        let vault = vault
        // Awaited right here; a task of its own so that `stop` can end it.
        await rest(Task { await vault.waitUntilUnsealed() })
    }

    private func rest(_ task: Task<Void, Never>) async {
        nap = task
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
        nap = nil
    }
}
