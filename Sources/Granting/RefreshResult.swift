// What waiting for a refresh tells; whoever waited looks into the vault again for the tokens themselves.

import Delegation

/// What came of a refresh.
enum RefreshResult: Sendable {
    /// The grant has a newer generation.
    case refreshed
    /// The grant is not active (any more); the vault says why.
    case ended
    /// Nothing has changed.
    case failed(Refusal)
}
