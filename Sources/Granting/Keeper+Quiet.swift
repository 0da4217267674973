// Before the vault is sealed or the program ends, what is under way gets its time, and no more than that: whoever waits
// here is let go by the clock even when a provider never answers.

import Delegation

extension Keeper {
    /// How long does a pause outlast the wait for what is under way?
    private static let pauseBeforeSealing = Duration.seconds(5)

    /// Waits until no refresh, no redemption and no revocation is under way, `patience` at most.
    package func settle(within patience: Duration) async {
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
        return nil
    }

    func noteQuiet() {
        guard isQuiet else { return }
        for continuation in waitingForQuiet { continuation.finish() }
        waitingForQuiet = []
    }

    private var isQuiet: Bool { refreshes.isEmpty && redeeming.isEmpty && farewells == 0 }
}
