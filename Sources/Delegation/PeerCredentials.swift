// The kernel says who is at the other end of a Unix socket; both ends look before they trust.

/// What `SO_PEERCRED` returns on Linux (`struct ucred`, which the C library hides from Swift): three 32-bit numbers.
package struct PeerCredentials: Sendable, Equatable {
    package let process: Int32
    package let user: UInt32
    package let group: UInt32

    /// The socket level and name to ask with.
    package static let option: (level: Int32, name: Int32) = (1, 17)
}
