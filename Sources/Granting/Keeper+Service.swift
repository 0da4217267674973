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

    /// Keeps tokens fresh until shutdown, and then waits for the refreshes under way.
    package func run() async throws {
        isStopping = false
        await withGracefulShutdownHandler {
            await self.serve()
        } onGracefulShutdown: {
            // Ends with the one step it takes; `serve` returns because of it.
            Task { await self.stop() }
        }
        await settle(within: configuration.drainPatience)
    }

    /// Waits for the refreshes under way, `patience` at most; before the vault is sealed, say, so that no reply is lost.
    package func settle(within patience: Duration) async {
        let running = Array(refreshes.values)
        guard !running.isEmpty else { return }
        let time = time
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for task in running { _ = await task.value } }
            group.addTask { try? await time.sleep(patience) }
            await group.next()
            group.cancelAll()
        }
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
                await sleepUntilUnsealed()
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
                try record.grant.state == .pending && transaction.pendingApproval(of: record.grant.id) == nil
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
            if try await vault.read({ try $0.hasStagedReply(id) }) {
                _ = await refresh(id)
            } else {
                _ = beginRefresh(id)
            }
        }
    }

    /// - Returns: Seconds until the next thing is due.
    private func beginWhatIsDue() async throws -> Double {
        let (active, deadlines) = try await vault.read { transaction in
            (try transaction.activeGrants(), try transaction.pendingDeadlines())
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
