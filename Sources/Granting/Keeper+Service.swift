// First what an interrupted run has left, then what is due; between two looks it sleeps until something is, a minute at
// most, because a wall clock that is set does not wake anybody.

import Delegation
import FoundationEssentials
import Logging
import ServiceLifecycle
import Vault

extension Keeper: Service {
    /// How long may a change of the wall clock go unnoticed?
    private static let longestNap = 60.0
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
            var pause = Self.longestNap
            if vault.isSealed {
                // A sealed hub has no secret in memory.
                unkept = [:]
                await sleepUntilUnsealed()
                pausedUntil = nil
                hasRecovered = false
                continue
            }
            if let pausedUntil, pausedUntil > time.uptime() {
                await sleep(seconds: (pausedUntil - time.uptime()).seconds)
                continue
            }
            do {
                if !hasRecovered {
                    try await recover()
                    hasRecovered = true
                }
                pause = min(pause, try await beginWhatIsDue())
            } catch VaultError.sealed {
                continue
            } catch {
                logger.error("cannot read the grants", metadata: ["error": "\(error)"])
            }
            await sleep(seconds: max(pause, 0.01))
        }
    }

    /// Finishes what an interrupted run has begun: replies that were kept first, they need no network.
    private func recover() async throws {
        let (open, waiting) = try await vault.read { transaction in
            let waiting = try transaction.grants().filter { record in
                try record.grant.state == .pending && !transaction.hasPendingApproval(record.grant.id)
            }
            return (try transaction.openRefreshes(), waiting)
        }
        for record in waiting where !redeeming.contains(record.grant.id) {
            try await end(
                record, from: [.pending], to: .needsReauth, reason: "the approval was interrupted", by: .agent,
                action: "grant.approve")
        }
        for id in open {
            logger.notice("finishing an interrupted refresh", metadata: ["grant.id": "\(id)"])
            // Not awaited: a reply that turns out to be useless is asked for again, and a shutdown must not wait for that.
            _ = beginRefresh(id)
        }
    }

    /// - Returns: Seconds until the next thing is due.
    private func beginWhatIsDue() async throws -> Double {
        let (active, deadlines) = try await vault.read { transaction in
            (try transaction.activeGrants(), try transaction.pendingDeadlines())
        }
        for id in unkept.keys where refreshes[id] == nil && !active.contains(where: { $0.grant.id == id }) {
            try await disclaimUnkept(id)
        }
        var next = Double.infinity
        for record in active where record.isRefreshable && refreshes[record.grant.id] == nil {
            note(record)
            let consumer = restingConsumers[record.consumer].map { ($0 - time.uptime()).seconds } ?? 0
            guard let due = freshness[record.grant.id]?.due(time).map({ max($0, consumer) }) else { continue }
            if due > 0 { next = min(next, due) } else { _ = beginRefresh(record.grant.id) }
        }
        for (id, deadline) in deadlines where !redeeming.contains(id) {
            let left = deadline.timeIntervalSince(time.now())
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
