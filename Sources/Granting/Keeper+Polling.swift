// While the owner types a code in elsewhere, the hub asks no more often than it was told. What is asked about is on the
// disk, so that a restart goes on asking.

import Delegation
import FoundationEssentials
import Logging
import OAuth
import ProviderClient
import Sealing
import Vault

extension Keeper {
    /// Begins to ask about a device code.
    func beginPolling(_ pending: PendingApproval, _ consumer: Consumer, _ remote: RemoteProvider) {
        guard polls[pending.grant] == nil else { return }
        // Ends with the code, the grant or the program: whoever forgets the grant or stops cancels it.
        polls[pending.grant] = Task {
            await self.poll(pending, consumer, remote)
            self.polls[pending.grant] = nil
            self.wake()
        }
    }

    /// Goes on asking about the codes of an earlier run.
    func resumePolling() async throws {
        let waiting = try await vault.read { transaction in
            try transaction.pendingApprovals(flow: .device).compactMap { pending -> (PendingApproval, Consumer)? in
                guard let record = try transaction.grant(id: pending.grant),
                    let consumer = try transaction.heldConsumer(id: record.consumer)
                else { return nil }
                return (pending, consumer)
            }
        }
        for (pending, consumer) in waiting {
            guard let remote = try? remote(pending.provider) else { continue }
            beginPolling(pending, consumer, remote)
        }
    }

    private func poll(_ pending: PendingApproval, _ consumer: Consumer, _ remote: RemoteProvider) async {
        guard let prompt = pending.device else { return }
        let begun = time.uptime()
        var polling = DevicePolling(
            interval: prompt.interval, lifetime: Int(max(1, patience(with: pending.grant, until: pending.expiresAt))),
            options: remote.devicePollingOptions)
        var pause = polling.interval
        while !isStopping {
            do { try await time.sleep(.seconds(pause)) } catch { return }
            // A paused or sealed hub asks later; the code waits as long as the provider lets it.
            if reticence != nil || vault.isSealed { continue }
            redeeming.insert(pending.grant)
            let step = await ask(pending, consumer, remote, &polling, elapsed: time.uptime() - begun)
            redeeming.remove(pending.grant)
            guard let step else { return }
            pause = step
        }
    }

    /// - Returns: Seconds until the next question; `nil` when there is none.
    private func ask(
        _ pending: PendingApproval, _ consumer: Consumer, _ remote: RemoteProvider, _ polling: inout DevicePolling,
        elapsed: Duration
    ) async -> Int? {
        let sent = Sending(at: time.now(), uptime: time.uptime())
        let interval = polling.interval
        do {
            // Its secret may have been changed since the code was asked for.
            let consumer = try await vault.read { try $0.heldConsumer(id: consumer.id) } ?? consumer
            let outcome = try await answer(pending, consumer, remote)
            switch polling.received(outcome, elapsed: elapsed, now: Int(time.now().timeIntervalSince1970)) {
            case .wait(let seconds):
                if polling.interval != interval {
                    let slower = polling.interval
                    try await vault.write { try $0.setPendingInterval(slower, of: pending.grant) }
                }
                return seconds
            case .finish(let reply):
                try await finishPolling(pending, reply, sent, consumer, remote)
            case .stop(.denied): _ = try await endPolling(pending, to: .denied, "the owner said no")
            case .stop(.expired): _ = try await endPolling(pending, to: .needsReauth, "it was not approved in time")
            case .stop(.refused(let code)):
                _ = try await endPolling(pending, to: .needsReauth, "the provider refused: \(code)")
            case .stop(.suspicious(let reason)):
                _ = try await endPolling(pending, to: .needsReauth, "the provider's answers cannot be used: \(reason)")
            }
        } catch VaultError.sealed {
            return interval
        } catch {
            logger.error(
                "asking about a device code failed",
                metadata: ["grant.id": "\(pending.grant)", "error": "\(error)"])
            _ = try? await endPolling(pending, to: .needsReauth, "the approval failed: \(error)")
        }
        return nil
    }

    private func answer(
        _ pending: PendingApproval, _ consumer: Consumer, _ remote: RemoteProvider
    ) async throws -> RefreshOutcome {
        do {
            let reply = try await remote.poll(
                deviceCode: pending.handle, consumer: consumer, dpopKey: pending.dpopKey)
            Failpoint.devicePolled.pass()
            return .reply(
                status: reply.status, contentType: reply.contentType, retryAfter: reply.retryAfter,
                body: reply.body.revealBytes())
        } catch let failure as ProviderFailure {
            return failure.mayHaveTakenEffect
                ? .ambiguous(reason: failure.description) : .notSent(reason: failure.description)
        }
    }

    private func finishPolling(
        _ pending: PendingApproval, _ reply: TokenReply, _ sent: Sending, _ consumer: Consumer, _ remote: RemoteProvider
    ) async throws {
        guard let record = try await vault.read({ try $0.grant(id: pending.grant) }) else { return }
        let issued = IssuedTokens.oauth2(
            reply, replacing: .none(dpopKey: pending.dpopKey), scopes: pending.scopes, sent: sent,
            boot: configuration.boot, profile: remote.profile)
        _ = try await activate(record, issued)
    }

    private func endPolling(_ pending: PendingApproval, to state: Grant.State, _ reason: String) async throws {
        guard let record = try await vault.read({ try $0.grant(id: pending.grant) }) else { return }
        // The task that runs this is not to be cancelled by it.
        polls[pending.grant] = nil
        try await end(
            record, from: [.pending], to: state, reason: reason, by: .agent,
            action: state == .denied ? "grant.deny" : "grant.approve")
    }
}
