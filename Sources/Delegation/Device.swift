// A device is known by the keys it showed when it was enrolled; nothing it says later changes them.

package import FoundationEssentials

/// A device of the home.
package struct Device: Sendable, Equatable {
    /// How far its enrolment is.
    package enum State: String, Sendable, CaseIterable {
        /// Its broker identity exists and its join bundle was handed out; it has not proved itself yet.
        case enrolling
        /// It answered a signed round trip.
        case enrolled
        /// Removed: its broker identity is gone and its key is revoked.
        case removed
    }

    /// DAC/1 device id, made by the device, at least 64 random bits.
    package let id: String
    package let name: DeviceName
    package let profile: ProfileReference
    package let state: State
    /// Ed25519 public key, 32 bytes.
    package let identityKey: [UInt8]
    /// X25519 public key, 32 bytes.
    package let sealingKey: [UInt8]
    package let createdAt: Date
    package let enrolledAt: Date?

    /// Assembles a device.
    package init(
        id: String, name: DeviceName, profile: ProfileReference, state: State, identityKey: [UInt8],
        sealingKey: [UInt8], createdAt: Date, enrolledAt: Date?
    ) {
        self.id = id
        self.name = name
        self.profile = profile
        self.state = state
        self.identityKey = identityKey
        self.sealingKey = sealingKey
        self.createdAt = createdAt
        self.enrolledAt = enrolledAt
    }
}
