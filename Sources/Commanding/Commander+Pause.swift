// Nobody seals the vault under a command that is on its way: its outcome could not be written down.

extension Commander {
    /// Notes that a command is no longer on its way.
    func leave() {
        underWay -= 1
        guard underWay == 0 else { return }
        for waiter in quiet { waiter.finish() }
        quiet = []
    }

    /// Refuses new commands and waits for those on their way, `patience` at most: their outcomes must be written down
    /// before the vault is sealed.
    package func pause(within patience: Duration) async {
        isPaused = true
        guard underWay > 0 else { return }
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        quiet.append(continuation)
        let clock = configuration.clock
        await withTaskGroup { group in
            group.addTask { for await _ in stream {} }
            // Cancelled as soon as it is quiet.
            group.addTask { try? await clock.sleep(for: patience) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Takes commands again.
    package func resume() { isPaused = false }
}
