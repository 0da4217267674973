// Whether a command may go out is asked once more in the transaction that takes its counter: a revocation that came
// first wins.

package import Delegation
package import FoundationEssentials
import StrictJSON
package import Vault

/// What a third party acts on when it has a command sent: its own access, next to the hub's grant.
package struct Mandate: Sendable {
    /// What a person allowed the third party.
    package let grant: GrantID
    /// The id of the device it acts on, whatever that is called.
    package let device: String
    /// SHA-256 of the third party's access token, 32 bytes; stands in the command as `ath`.
    package let accessTokenHash: [UInt8]
    /// Whether token and grant still hold.
    package let isStillGood: @Sendable (Transaction, Date) throws -> Bool

    /// Names the access and how to look at it again.
    package init(
        grant: GrantID, device: String, accessTokenHash: [UInt8],
        isStillGood: @escaping @Sendable (Transaction, Date) throws -> Bool
    ) {
        self.grant = grant
        self.device = device
        self.accessTokenHash = accessTokenHash
        self.isStillGood = isStillGood
    }
}

extension Commander {
    /// A command that may be sent, before it has a counter.
    struct Order: Sendable {
        let operation: String
        let args: JSON
        let isHighRisk: Bool
        let requester: Requester
        /// `nil` for the agent's own `dac.ping`.
        let authority: Authority?
        /// `nil` for whoever is local.
        let mandate: Mandate?
        let patience: Duration

        /// Of the token on which the command is sent: the third party's, where there is one.
        var accessTokenHash: [UInt8]? { mandate?.accessTokenHash ?? authority?.accessTokenHash }

        /// Looks again: the owner may have revoked while the device was asked.
        ///
        /// - Throws: ``Refusal`` that says what ended.
        func requireStillAllowed(on device: Device, in transaction: Transaction, at now: Date) throws {
            guard let known = try transaction.device(id: device.id), known.state == device.state else {
                throw Refusal(
                    .conflict, "device \(quoted(device.name.rawValue)) was removed meanwhile", hint: "nothing was sent")
            }
            if let grant = authority?.grant, try transaction.grant(id: grant)?.grant.state != .active {
                throw Refusal(
                    .notAuthorised, "the grant for device \(quoted(device.name.rawValue)) ended meanwhile",
                    hint: "nothing was sent")
            }
            guard let mandate else { return }
            // Its name may have become another device's since its access was looked up.
            guard mandate.device == device.id, try mandate.isStillGood(transaction, now) else {
                throw Refusal(
                    .notAuthorised, "the access of \(requester) ended meanwhile", hint: "nothing was sent")
            }
        }
    }
}
