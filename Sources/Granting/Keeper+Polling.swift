// While the owner types a code in elsewhere, the hub asks no more often than it was told. What is asked about is on the
// disk, so that a restart goes on asking.

import Delegation
import FoundationEssentials
import Logging
import OAuth
import ProviderClient
import Sealing
import Vault

/// A device code that is asked about; the code itself stays in the vault between two questions.
private struct Asked: Sendable {
    let pending: PendingApproval
    let consumer: Consumer
}

extension Keeper {
    /// Begins to ask about a device code.
    func beginPolling(_ pending: PendingApproval) {
        guard polls[pending.grant] == nil, let prompt = pending.device else { return }
        let (id, provider) = (pending.grant, pending.provider)
        let left = patience(with: id, until: pending.expiresAt)
        // Ends with the code, the grant or the program: whoever forgets the grant or stops cancels it.
        polls[id] = Task {
            await self.poll(id, at: provider, interval: prompt.interval, lifetime: left)
            self.polls[id] = nil
            self.wake()
        }
    }

    /// Goes on asking about the codes of an earlier run.
    func resumePolling() async throws {
        for pending in try await vault.read({ try $0.pendingApprovals(flow: .device) }) { beginPolling(pending) }
    }

    private func poll(_ id: GrantID, at provider: ProviderName, interval: Int, lifetime: Double) async {
        guard let remote = try? remote(provider) else { return }
        let begun = time.uptime()
        var polling = DevicePolling(
            interval: interval, lifetime: Int(min(max(1, lifetime), 86_400)), options: remote.devicePollingOptions)
        var pause = polling.interval
        while !isStopping {
            do { try await time.sleep(.seconds(pause)) } catch { return }
            // A paused or sealed hub asks later; the code waits as long as the provider lets it.
            if reticence != nil || vault.isSealed { continue }
            redeeming.insert(id)
            let step = await ask(id, remote, &polling, elapsed: time.uptime() - begun)
            redeeming.remove(id)
            guard let step else { return }
            pause = step
        }
    }

    /// - Returns: Seconds until the next question; `nil` when there is none.
    private func ask(
        _ id: GrantID, _ remote: RemoteProvider, _ polling: inout DevicePolling, elapsed: Duration
    ) async -> Int? {
        let sent = Sending(at: time.now(), uptime: time.uptime())
        let interval = polling.interval
        do {
            // Read for each question: its secret may have been changed, and a sealed hub has none in memory.
            let found = try await vault.read { transaction -> Asked? in
                guard let pending = try transaction.pendingApproval(of: id),
                    let record = try transaction.grant(id: id),
                    let consumer = try transaction.heldConsumer(id: record.consumer)
                else { return nil }
                return Asked(pending: pending, consumer: consumer)
            }
            guard let found else { return nil }
            let pending = found.pending
            let outcome = try await answer(pending, found.consumer, remote)
            switch polling.received(outcome, elapsed: elapsed, now: Int(time.now().timeIntervalSince1970)) {
            case .wait(let seconds):
                await remember(polling.interval, insteadOf: interval, of: id)
                return seconds
            case .finish(let reply): try await finishPolling(pending, reply, sent, remote)
            case .stop(.denied): try await endPolling(id, to: .denied, "the owner said no")
            case .stop(.expired): try await endPolling(id, to: .needsReauth, "it was not approved in time")
            case .stop(.refused(let code)):
                try await endPolling(id, to: .needsReauth, "the provider refused: \(code)")
            case .stop(.suspicious(let reason)):
                try await endPolling(id, to: .needsReauth, "the provider's answers cannot be used: \(reason)")
            }
        } catch VaultError.sealed {
            return interval
        } catch {
            logger.error("asking about a device code failed", metadata: ["grant.id": "\(id)", "error": "\(error)"])
            try? await endPolling(id, to: .needsReauth, "the approval failed: \(error)")
        }
        return nil
    }

    /// Keeps how slowly to ask over a restart; that it could not be kept ends nothing.
    private func remember(_ interval: Int, insteadOf earlier: Int, of id: GrantID) async {
        guard interval != earlier else { return }
        do {
            try await vault.write { try $0.setPendingInterval(interval, of: id) }
        } catch {
            logger.warning("cannot keep an interval", metadata: ["grant.id": "\(id)", "error": "\(error)"])
        }
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
        _ pending: PendingApproval, _ reply: TokenReply, _ sent: Sending, _ remote: RemoteProvider
    ) async throws {
        guard let record = try await vault.read({ try $0.grant(id: pending.grant) }) else { return }
        let issued = IssuedTokens.oauth2(
            reply, replacing: .none(dpopKey: pending.dpopKey), scopes: pending.scopes, sent: sent,
            boot: configuration.boot, profile: remote.profile)
        _ = try await activate(record, issued)
    }

    private func endPolling(_ id: GrantID, to state: Grant.State, _ reason: String) async throws {
        guard let record = try await vault.read({ try $0.grant(id: id) }) else { return }
        // The task that runs this is not to be cancelled by it.
        polls[id] = nil
        try await end(
            record, from: [.pending], to: state, reason: reason, by: .agent,
            action: state == .denied ? "grant.deny" : "grant.approve")
    }
}
