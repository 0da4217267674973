// Nobody waits for a provider for ever: whoever asked is let go, and what was begun goes on.

import Delegation
import ServiceLifecycle

extension Keeper {
    /// Refreshes a grant for somebody who waits; whoever comes while that is under way waits for the same refresh.
    ///
    /// Who waits is let go after `patience`, or when the daemon stops; the refresh goes on.
    func refresh(_ id: GrantID, patience: Duration) async -> RefreshResult {
        hurried.insert(id)
        lanes.hurry(id)
        admit()
        let refresh = beginRefresh(id)
        let (results, continuation) = AsyncStream<RefreshResult>.makeStream()
        // Both end with the refresh or with their sleep, whoever still listens.
        Task {
            continuation.yield(await refresh.value)
            continuation.finish()
        }
        let time = time
        let timer = Task {
            do { try await time.sleep(patience) } catch { return }
            continuation.finish()
        }
        defer { timer.cancel() }
        return await withGracefulShutdownHandler {
            for await result in results { return result }
            return .failed(Refusal(.provider, "the provider has not answered yet", hint: "try again in a moment"))
        } onGracefulShutdown: {
            continuation.finish()
        }
    }
}
