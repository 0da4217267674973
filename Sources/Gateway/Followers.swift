// Whoever follows the log or waits for a device would hold up a shutdown for as long as nothing happens.

import Commanding
import ServiceLifecycle
import Vault

/// Ends what follows or waits as soon as the daemon is told to stop.
struct Followers: Service {
    let vault: Vault
    let commander: Commander

    func run() async throws {
        // Cancelled or told: either way the daemon is about to end.
        try? await gracefulShutdown()
        vault.endChanges()
        await commander.endWaits()
    }
}
