// An acknowledgement is believed for what it proves, which can be less than what it says: the broker may deliver a
// command twice and drop the first answer.

package import CommandProtocol
package import Delegation

/// What a device's signed, final word about a command proves.
package enum ProvenOutcome {
    /// What became of the command.
    ///
    /// A counter that was used may have been used by this very command. A session that is over may have been the one
    /// that acted on it, unless the session that says so was there before the command left.
    ///
    /// - Parameters:
    ///   - status: The acknowledgement's status; `accepted` is not final and proves nothing.
    ///   - code: Its code, when it rejects.
    ///   - uptime: The device's uptime when it signed, milliseconds.
    ///   - sincePublished: How long ago the command left.
    /// - Returns: The outcome, `unknown` where the device may have acted.
    package static func of(
        _ status: AcknowledgementStatus, code: String?, uptime: Int64, sincePublished: Duration
    ) -> Outcome {
        switch status {
        case .executed: return .executed
        case .failed: return .failed
        case .accepted: return .unknown
        case .rejected: break
        }
        switch code.flatMap(RejectionCode.init(rawValue:)) {
        case .counter: return .unknown
        case .session: return uptime > sincePublished.milliseconds ? .rejected : .unknown
        default: return .rejected
        }
    }
}
