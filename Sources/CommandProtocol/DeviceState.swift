// Only a signed state is shown to anybody as the state of a device.

package import Sealing
package import StrictJSON

/// A device's signed state.
package struct DeviceState: Sendable, Equatable {
    package let iss: DeviceID
    /// The session minted at boot.
    package let ses: String
    /// Strictly increasing within the session.
    package let seq: Int64
    /// Uptime when signed, milliseconds.
    package let up: Int64
    /// The state, an object; its numbers are integers in [0, 2^53).
    package let state: JSON

    /// Describes a state.
    package init(iss: DeviceID, ses: String, seq: Int64, up: Int64, state: JSON) {
        self.iss = iss
        self.ses = ses
        self.seq = seq
        self.up = up
        self.state = state
    }

    /// The payload, members in the order of the specification.
    package var payload: JSON {
        [
            "v": 1, "iss": .string(iss.rawValue), "ses": .string(ses), "seq": .integer(seq), "up": .integer(up),
            "state": state,
        ]
    }

    /// Whether this is later than `other`, or from another session, where only a fresh challenge can tell.
    package func mayReplace(_ other: DeviceState) -> Bool { ses != other.ses || seq > other.seq }

    /// Signs with the device's key, after checking that a hub could read it.
    ///
    /// - Throws: ``ProtocolFault/member(_:allowed:)`` for numbers DAC/1 does not know, ``ProtocolFault/size(_:allowed:)``
    ///   above 2,048 bytes.
    package func sign(key: Ed25519PrivateKey) throws(ProtocolFault) -> [UInt8] {
        _ = try DeviceState(parsing: payload.bytes)
        return try Envelope.sign(payload, type: .state, key: key)
    }

    private init(parsing payload: [UInt8]) throws(ProtocolFault) {
        let claims = try ClaimSet(parsing: payload, required: ["v", "iss", "ses", "seq", "up", "state"])
        try claims.requireVersion()
        iss = DeviceID(asSent: try claims.text("iss"))
        ses = try claims.nonce("ses")
        seq = try claims.integer("seq")
        up = try claims.integer("up")
        state = try claims.object("state")
    }

    /// Reads a state that `device` signed.
    ///
    /// - Throws: ``ProtocolFault`` at the first thing that is wrong.
    package static func verify(
        _ message: [UInt8], key: Ed25519PublicKey, device: DeviceID
    ) throws(ProtocolFault) -> DeviceState {
        let state = try DeviceState(parsing: try Envelope.open(message, type: .state, key: key))
        guard state.iss == device else { throw .issuer(found: state.iss.rawValue, allowed: device.rawValue) }
        return state
    }
}
