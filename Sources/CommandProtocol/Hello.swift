// A hello says where a device stands; a retained one may be old, so nothing high-risk rests on it.

package import Sealing
package import StrictJSON

/// A device's signed greeting: its session, clock, counters and abilities.
package struct Hello: Sendable, Equatable {
    package let iss: DeviceID
    package let aud: HubID
    /// The session minted at boot.
    package let ses: String
    /// Uptime when signed, milliseconds.
    package let up: Int64
    /// The key-set version the device holds.
    package let kv: Int64
    /// The highest counter burnt, by key id.
    package let last: [String: Int64]
    /// The operations the device can do.
    package let caps: [String]
    /// The firmware, for people.
    package let fw: String
    /// Strictly increasing within the session.
    package let seq: Int64
    /// How many commands were rejected since boot, by code; a member that is left out when empty.
    package let rej: [String: Int64]

    /// Describes a device.
    package init(
        iss: DeviceID, aud: HubID, ses: String, up: Int64, kv: Int64, last: [String: Int64], caps: [String],
        fw: String, seq: Int64, rej: [String: Int64] = [:]
    ) {
        self.iss = iss
        self.aud = aud
        self.ses = ses
        self.up = up
        self.kv = kv
        self.last = last
        self.caps = caps
        self.fw = fw
        self.seq = seq
        self.rej = rej
    }

    /// The payload, members in the order of the specification, keys inside sorted.
    package var payload: JSON {
        // Typed, because a bare `nil` would become the JSON value null.
        let rejections: JSON? = rej.isEmpty ? Optional.none : Self.object(rej)
        return .compact([
            "v": 1, "iss": .string(iss.rawValue), "aud": .string(aud.rawValue), "ses": .string(ses),
            "up": .integer(up), "kv": .integer(kv), "last": Self.object(last), "caps": .strings(caps),
            "fw": .string(fw), "seq": .integer(seq), "rej": rejections,
        ])
    }

    private static func object(_ counts: [String: Int64]) -> JSON {
        .object(counts.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .integer($0.value)) })
    }

    /// Signs with the device's key.
    ///
    /// - Throws: ``ProtocolFault/size(_:allowed:)`` above 2,048 bytes.
    package func sign(key: Ed25519PrivateKey) throws(ProtocolFault) -> [UInt8] {
        try Envelope.sign(payload, type: .hello, key: key)
    }

    /// Reads a hello that `device` signed for `hub`.
    ///
    /// - Throws: ``ProtocolFault`` at the first thing that is wrong.
    package static func verify(
        _ message: [UInt8], key: Ed25519PublicKey, device: DeviceID, hub: HubID
    ) throws(ProtocolFault) -> Hello {
        let claims = try ClaimSet(
            parsing: try Envelope.open(message, type: .hello, key: key),
            required: ["v", "iss", "aud", "ses", "up", "kv", "last", "caps", "fw", "seq"], optional: ["rej"])
        try claims.requireVersion()
        let hello = Hello(
            iss: DeviceID(asSent: try claims.text("iss")), aud: HubID(asSent: try claims.text("aud")),
            ses: try claims.nonce("ses"), up: try claims.integer("up"), kv: try claims.integer("kv"),
            last: try claims.counts("last"), caps: try claims.texts("caps"), fw: try claims.text("fw"),
            seq: try claims.integer("seq"), rej: claims.has("rej") ? try claims.counts("rej") : [:])
        guard hello.aud == hub else { throw .audience(found: hello.aud.rawValue, allowed: hub.rawValue) }
        guard hello.iss == device else { throw .issuer(found: hello.iss.rawValue, allowed: device.rawValue) }
        return hello
    }
}

extension CommandVerifier {
    /// What this device says about itself now.
    ///
    /// - Parameters:
    ///   - uptime: Milliseconds since boot.
    ///   - seq: The next number of the device's signed messages in this session.
    ///   - firmware: A version for people.
    /// - Returns: The greeting, still to be signed.
    package func hello(uptime: Int64, seq: Int64, firmware: String) -> Hello {
        Hello(
            iss: device, aud: hub, ses: session, up: uptime, kv: trusted.version, last: counters,
            caps: policy.operations.keys.sorted(), fw: firmware, seq: seq,
            rej: Dictionary(uniqueKeysWithValues: rejections.map { ($0.key.rawValue, $0.value) }))
    }
}
