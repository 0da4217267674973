// A command names one device, one session, one counter and one deadline; it can be obeyed once or not at all.

package import Sealing
package import StrictJSON

/// The claims of a command.
package struct CommandClaims: Sendable, Equatable {
    /// The hub that issues the command.
    package let iss: HubID
    /// The one device it is for.
    package let aud: DeviceID
    /// 16 random bytes, base64url.
    package let jti: String
    /// The device's session, 16 bytes that it minted at boot, base64url.
    package let ses: String
    /// 1…2^53−1, strictly increasing per session and signing key.
    package let ctr: Int64
    /// Hub wall clock when signed, seconds since 1970.
    package let iat: Int64
    /// Hub wall clock when it ends, seconds since 1970.
    package let exp: Int64
    /// Device uptime after which the command is dead, milliseconds.
    package let due: Int64
    /// The key-set version the signer holds current.
    package let kv: Int64
    /// The absolute operation, e.g. `lock.lock`.
    package let op: String
    /// The arguments, an object.
    package let args: JSON
    /// The device's challenge, for high-risk operations.
    package let chn: String?
    /// Who asked: `user:<name>`, `app:…` or `ha`.
    package let sub: String?
    /// SHA-256 of the access token the command was asked under, base64url.
    package let ath: String?

    /// Puts the claims of a command together; `jti` is made anew unless given.
    package init(
        iss: HubID, aud: DeviceID, jti: String = Nonce.random(), ses: String, ctr: Int64, iat: Int64, exp: Int64,
        due: Int64, kv: Int64, op: String, args: JSON = .object([]), chn: String? = nil, sub: String? = nil,
        ath: String? = nil
    ) {
        self.iss = iss
        self.aud = aud
        self.jti = jti
        self.ses = ses
        self.ctr = ctr
        self.iat = iat
        self.exp = exp
        self.due = due
        self.kv = kv
        self.op = op
        self.args = args
        self.chn = chn
        self.sub = sub
        self.ath = ath
    }

    /// Reads the payload of a command whose signature was checked; names are still to be compared.
    init(parsing payload: [UInt8]) throws(ProtocolFault) {
        let claims = try ClaimSet(
            parsing: payload,
            required: ["v", "iss", "aud", "jti", "ses", "ctr", "iat", "exp", "due", "kv", "op", "args"],
            optional: ["chn", "sub", "ath"])
        try claims.requireVersion()
        iss = HubID(asSent: try claims.text("iss"))
        aud = DeviceID(asSent: try claims.text("aud"))
        jti = try claims.nonce("jti")
        ses = try claims.nonce("ses")
        ctr = try claims.integer("ctr", atLeast: 1)
        iat = try claims.integer("iat")
        exp = try claims.integer("exp")
        due = try claims.integer("due")
        kv = try claims.integer("kv")
        op = try claims.text("op")
        args = try claims.object("args")
        chn = try claims.optionalText("chn")
        sub = try claims.optionalText("sub")
        ath = try claims.optionalText("ath")
    }

    /// The payload, members in the order of the specification.
    package var payload: JSON {
        .compact([
            "v": 1, "iss": .string(iss.rawValue), "aud": .string(aud.rawValue), "jti": .string(jti),
            "ses": .string(ses), "ctr": .integer(ctr), "iat": .integer(iat), "exp": .integer(exp),
            "due": .integer(due), "kv": .integer(kv), "op": .string(op), "args": args,
            "chn": chn.map(JSON.string), "sub": sub.map(JSON.string), "ath": ath.map(JSON.string),
        ])
    }
}

/// A command ready to publish; publishing the same bytes again is safe, signing again is not.
package struct SignedCommand: Sendable, Equatable {
    package let claims: CommandClaims
    /// The exact message.
    package let bytes: [UInt8]
    /// SHA-256 of the message, 32 bytes: what the acknowledgement is bound to.
    package let hash: [UInt8]
    /// The id of the key that signed.
    package let keyID: String
}

/// Signs commands.
package enum CommandSigner {
    /// Signs one command, after checking that a device could read it.
    ///
    /// - Throws: ``ProtocolFault/member(_:allowed:)`` for a claim out of range, ``ProtocolFault/size(_:allowed:)`` above
    ///   2,048 bytes.
    package static func sign(_ claims: CommandClaims, key: Ed25519PrivateKey) throws(ProtocolFault) -> SignedCommand {
        let payload = claims.payload
        _ = try CommandClaims(parsing: payload.bytes)
        let bytes = try Envelope.sign(payload, type: .command, key: key)
        return SignedCommand(
            claims: claims, bytes: bytes, hash: HashFunction.sha256.digest(bytes), keyID: key.publicKey.keyID)
    }
}
