// How a grant fares is said in one word that people, logs and notices share.

package import Delegation
package import FoundationEssentials

/// How a grant fares with its provider.
package struct GrantHealth: Sendable, Equatable {
    /// What the last attempt to refresh came to.
    package enum Verdict: String, Sendable, CaseIterable {
        case well
        /// It will pass.
        case transient
        /// The provider may have rotated the token without an answer.
        case ambiguous
        /// Only the owner can help.
        case needsApproval = "needs_approval"
        /// The provider refuses the consumer.
        case clientBroken = "client_broken"
        /// The provider refuses what the profile makes the agent ask.
        case configuration
        /// This is not how a provider answers.
        case suspicious
    }

    package let verdict: Verdict
    /// What went wrong, for people; `nil` when it is well.
    package let reason: String?
    /// Failed attempts in a row.
    package let failures: Int
    /// Seconds until the next attempt or refresh; `nil` when there is none to come.
    package let nextAttempt: Int?
    /// What a refresh does to the refresh token at this provider; `nil` with OAuth 1.0a.
    package let rotation: OAuth2Endpoints.Rotation?
    /// When the owner will have to approve again if nothing changes; `nil` when that is not to be foreseen.
    package let approvalEnds: Date?
}
