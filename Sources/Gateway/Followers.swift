// Whoever follows the log would hold up a shutdown for as long as nothing happens.

import ServiceLifecycle
import Vault

/// Ends what follows the vault as soon as the daemon is told to stop.
struct Followers: Service {
    let vault: Vault

    func run() async throws {
        // Cancelled or told: either way the daemon is about to end.
        try? await gracefulShutdown()
        vault.endChanges()
    }
}
