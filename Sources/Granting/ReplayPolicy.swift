// A refresh token whose answer was lost is sent again only as its provider's rotation allows: where a replaced token
// still works at once, where using one again may end the grant not before the access token is about to die anyway.

import Delegation

/// When a refresh token may be sent once more although the provider may have replaced it (RELIABILITY: the refresh
/// problem).
struct ReplayPolicy {
    /// What to do with a token whose answer was lost.
    enum Step: Equatable {
        case now
        /// After so many seconds.
        case after(Double)
    }

    /// How often may a token be sent again within the provider's grace?
    private static let withinGrace = 3
    /// How many seconds before the access token dies is the last attempt made?
    private static let margin = 30.0

    let rotation: OAuth2Endpoints.Rotation
    /// Seconds for which a replaced token still works.
    let grace: Int

    /// The next step.
    ///
    /// - Parameters:
    ///   - sent: How often the token was sent already, at least once.
    ///   - elapsed: Seconds since it was sent first; `nil` when nobody knows, after a boot in 1970.
    ///   - remaining: Seconds that the access token still lives; `nil` when it does not expire.
    ///   - backoff: Seconds to wait where nothing else is known.
    /// - Returns: At once, or when.
    func next(sent: Int, elapsed: Double?, remaining: Double?, backoff: Double) -> Step {
        switch rotation {
        case .none: return sent < 2 ? .now : .after(backoff)
        case .grace:
            // Beyond the grace a replaced token is as dead as a strict provider's.
            if sent <= Self.withinGrace, let elapsed, elapsed + 1 < Double(grace) {
                return sent < 2 ? .now : .after(min(backoff, Double(grace) - elapsed - 1))
            }
        case .unknown: if sent < 2 { return .now }
        case .strict: break
        }
        guard let remaining, remaining > 0 else { return .after(backoff) }
        // What lives longer than this is waited out, what lives shorter is asked about while it still lives.
        return .after(max(remaining - min(Self.margin, remaining / 8), backoff))
    }
}
