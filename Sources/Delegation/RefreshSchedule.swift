// A token is refreshed while the old one still lives, and not all at once.

/// When an access token is due to be refreshed.
package enum RefreshSchedule {
    /// Seconds after issue: at 80 % of the lifetime give or take a tenth, at least a minute before the end where the
    /// lifetime allows that, and never in the last eighth of a short one.
    ///
    /// - Parameters:
    ///   - lifetime: Seconds from issue to expiry.
    ///   - jitter: A random number from 0 to 1.
    /// - Returns: Seconds, at least 0.
    package static func delay(lifetime: Double, jitter: Double) -> Double {
        let spread = lifetime * (0.8 + (min(max(jitter, 0), 1) - 0.5) * 0.2)
        let latest = lifetime > 240 ? lifetime - 60 : lifetime * 0.875
        return max(0, min(spread, latest))
    }

    /// Seconds to wait before the attempt after `failures` failed ones: 2, 4, 8 … up to ten minutes, with up to half
    /// added by chance; a provider's `Retry-After` wins when it is longer.
    package static func backoff(failures: Int, retryAfter: Double?, jitter: Double) -> Double {
        let base = min(600, 2 * Double(1 << (min(max(failures, 1), 10) - 1)))
        return max(base * (1 + min(max(jitter, 0), 1) / 2), retryAfter ?? 0)
    }
}
