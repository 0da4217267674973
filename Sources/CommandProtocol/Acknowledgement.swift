// An acknowledgement is bound to the exact bytes of one command; a final status is said once.

package import Sealing
package import StrictJSON

/// How far a device got with a command.
package enum AcknowledgementStatus: String, Sendable, CaseIterable {
    case accepted
    case executed
    case failed
    case rejected

    /// Whether nothing may follow.
    package var isFinal: Bool { self != .accepted }
}

/// The claims of an acknowledgement.
package struct AcknowledgementClaims: Sendable, Equatable {
    package let iss: DeviceID
    package let aud: HubID
    /// SHA-256 of the exact command, 32 bytes.
    package let cmd: [UInt8]
    /// The command's `jti`.
    package let jti: String
    /// The device's session now.
    package let ses: String
    /// The command's counter.
    package let ctr: Int64
    /// Strictly increasing within the session.
    package let seq: Int64
    package let st: AcknowledgementStatus
    /// The result, an object; `gap` and `code` have a meaning of their own.
    package let res: JSON
    /// The device's uptime, milliseconds.
    package let up: Int64

    /// How many counters were skipped before this command.
    package var gap: Int64? { res["gap"]?.integer }

    /// Why the command was rejected.
    package var code: String? { res["code"]?.string }

    /// Answers a command; `gap` is added to the result when counters were skipped, `code` when the command is rejected.
    package init(
        answering command: ReceivedCommand, by device: DeviceID, session: String, seq: Int64,
        status: AcknowledgementStatus, result: [JSON.Member] = [], code: RejectionCode? = nil, uptime: Int64
    ) {
        var members = result.filter { $0.name != "gap" && $0.name != "code" }
        if let code { members.append(JSON.Member("code", .string(code.rawValue))) }
        if command.gap > 0 { members.append(JSON.Member("gap", .integer(command.gap))) }
        iss = device
        aud = command.claims.iss
        cmd = command.hash
        jti = command.claims.jti
        ses = session
        ctr = command.claims.ctr
        self.seq = seq
        st = status
        res = .object(members)
        up = uptime
    }

    /// Reads the payload of an acknowledgement whose signature was checked; names are still to be compared.
    init(parsing payload: [UInt8]) throws(ProtocolFault) {
        let claims = try ClaimSet(
            parsing: payload, required: ["v", "iss", "aud", "cmd", "jti", "ses", "ctr", "seq", "st", "res", "up"])
        try claims.requireVersion()
        iss = DeviceID(asSent: try claims.text("iss"))
        aud = HubID(asSent: try claims.text("aud"))
        guard let cmd = Base64.decode(try claims.text("cmd"), as: .url), cmd.count == 32 else {
            throw .member("cmd", allowed: "32 bytes in base64url")
        }
        self.cmd = cmd
        jti = try claims.nonce("jti")
        ses = try claims.nonce("ses")
        ctr = try claims.integer("ctr", atLeast: 1)
        seq = try claims.integer("seq")
        guard let st = AcknowledgementStatus(rawValue: try claims.text("st")) else {
            throw .member("st", allowed: "accepted, executed, failed or rejected")
        }
        self.st = st
        res = try claims.object("res")
        up = try claims.integer("up")
    }

    /// The payload, members in the order of the specification.
    package var payload: JSON {
        [
            "v": 1, "iss": .string(iss.rawValue), "aud": .string(aud.rawValue),
            "cmd": .string(Base64.encode(cmd, as: .url)), "jti": .string(jti), "ses": .string(ses),
            "ctr": .integer(ctr), "seq": .integer(seq), "st": .string(st.rawValue), "res": res, "up": .integer(up),
        ]
    }

    /// Signs with the device's key, after checking that a hub could read it.
    ///
    /// - Throws: ``ProtocolFault/member(_:allowed:)`` for a result with numbers DAC/1 does not know,
    ///   ``ProtocolFault/size(_:allowed:)`` above 2,048 bytes.
    package func sign(key: Ed25519PrivateKey) throws(ProtocolFault) -> [UInt8] {
        _ = try AcknowledgementClaims(parsing: payload.bytes)
        return try Envelope.sign(payload, type: .acknowledgement, key: key)
    }
}
