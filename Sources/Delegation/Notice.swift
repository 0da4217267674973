// A notice is told once for each trouble, and once more when it is over; its text holds no secret.

package import FoundationEssentials

/// Something that a person should know without having asked.
package struct Notice: Sendable, Equatable {
    /// What it is about.
    package enum Kind: String, Sendable, CaseIterable {
        /// The owner has to approve a grant again.
        case needsApproval = "needs_approval"
        /// The owner will have to, unless something is done before.
        case forecast
        /// A provider refuses the consumer itself.
        case clientBroken = "client_broken"
        /// A provider refuses what its profile makes the agent ask.
        case configuration
        /// Something happened that only an attacker or a fault explains.
        case suspicious
        /// The vault may be a copy or an old state.
        case quarantined
        /// What an earlier notice told is over.
        case wellAgain = "well_again"
    }

    /// The subject of what concerns the hub as a whole.
    package static let hub = "hub"

    /// Its place among all notices, from 1.
    package let seq: Int64
    package let at: Date
    package let kind: Kind
    /// A grant's id, a consumer's id, or ``hub``.
    package let subject: String
    package let device: DeviceName?
    package let provider: ProviderName?
    /// What a person reads.
    package let text: String
    /// What to do about it.
    package let hint: String?

    /// Assembles a notice.
    package init(
        seq: Int64, at: Date, kind: Kind, subject: String, device: DeviceName?, provider: ProviderName?, text: String,
        hint: String?
    ) {
        self.seq = seq
        self.at = at
        self.kind = kind
        self.subject = subject
        self.device = device
        self.provider = provider
        self.text = text
        self.hint = hint
    }
}
