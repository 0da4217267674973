// Before the vault is sealed or the program ends, what is under way gets its time, and no more than that: whoever waits
// here is let go by the clock even when a provider never answers.

package import Delegation
import StrictJSON
import Vault

extension Keeper {
    /// How long does a pause outlast the wait for what is under way?
    private static let pauseBeforeSealing = Duration.seconds(5)

    /// Waits until no refresh, no redemption and no revocation is under way, `patience` at most.
    package func settle(within patience: Duration) async {
        // Whoever still waits for a turn finds out that nothing is sent any more.
        admit()
        guard !isQuiet else { return }
        let (quiet, continuation) = AsyncStream<Never>.makeStream()
        // Nothing is awaited since the look above, so that no wake-up is lost.
        waitingForQuiet.append(continuation)
        let time = time
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in quiet {} }
            group.addTask { try? await time.sleep(patience) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Sends nothing new and waits for what is under way, `patience` at most; to be called before the vault is sealed.
    ///
    /// The pause ends by itself a few seconds after this returns, when the vault is unsealed, or with ``resume()``.
    package func pause(within patience: Duration) async {
        pausedUntil = time.uptime() + patience + Self.pauseBeforeSealing
        wake()
        retryKeeping()
        await settle(within: patience)
        pausedUntil = time.uptime() + Self.pauseBeforeSealing
        wake()
    }

    /// Ends a pause.
    package func resume() {
        pausedUntil = nil
        wake()
    }

    /// Why nothing new is sent at the moment, or `nil`.
    var reticence: Refusal? {
        if isStopping { return Refusal(.failure, "the daemon is stopping") }
        if let pausedUntil, pausedUntil > time.uptime() {
            return Refusal(.sealed, "the vault is being sealed", hint: "run 'keyholder unseal'")
        }
        if let reason = vault.quarantine { return .quarantined(reason) }
        return nil
    }

    /// Lets the vault be used again: the owner has said that no other hub uses the same grants.
    ///
    /// - Throws: ``Refusal``, of kind `notFound` when it is not quarantined, `sealed` while the vault is sealed.
    package func liftQuarantine(by requester: Requester) async throws {
        guard !vault.isSealed else { throw Refusal.sealed }
        let now = time.now()
        let reason = try await explained {
            try await vault.liftQuarantine { transaction, reason in
                _ = try transaction.closeNotice(
                    .quarantined, subject: Notice.hub, text: "the hub uses its vault again", at: now)
                try transaction.audit(
                    AuditEntry(
                        actor: requester, action: "vault.quarantine", subject: "vault", authority: "local",
                        outcome: "lifted", detail: ["reason": .string(reason)]),
                    at: now)
            }
        }
        guard reason != nil else { throw Refusal(.notFound, "the vault is not quarantined") }
        active = nil
        freshness = [:]
        wake()
    }

    func noteQuiet() {
        guard isQuiet else { return }
        for continuation in waitingForQuiet { continuation.finish() }
        waitingForQuiet = []
    }

    private var isQuiet: Bool { refreshes.isEmpty && redeeming.isEmpty && farewells.isEmpty }
}
