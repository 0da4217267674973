// A hub without a battery boots in 1970: what the wall clock says is held against the last time that the vault saw.

import FoundationEssentials

/// Which wall-clock times can be true.
struct WallClock: Sendable {
    /// No hub that runs this program was ever set to an earlier time.
    private static let floor = Date(timeIntervalSince1970: 1_760_000_000)
    /// How many seconds may a clock that is set be found to have been ahead?
    private static let tolerance = 86_400.0
    /// For how many seconds may a hub have been off? After that no token lives anyway.
    private static let longestPause = 400 * 86_400.0

    /// The latest time that the vault believes in; `nil` in a new home.
    let lastSeen: Date?

    /// Whether `now` can be the time.
    func isPlausible(_ now: Date) -> Bool {
        guard now >= Self.floor else { return false }
        guard let lastSeen, lastSeen >= Self.floor else { return true }
        let since = now.timeIntervalSince(lastSeen)
        return since >= -Self.tolerance && since <= Self.longestPause
    }
}
