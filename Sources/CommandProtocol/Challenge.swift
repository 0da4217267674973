// A challenge answers one request of the hub: its nonce makes the session and uptime in it provably fresh.

package import Sealing
package import StrictJSON

/// The hub's question for a fresh challenge, session and uptime.
package struct ChallengeRequest: Sendable, Equatable {
    package let iss: HubID
    package let aud: DeviceID
    /// 16 random bytes of the hub, base64url; answered once.
    package let non: String

    /// Asks a device, with a new nonce unless given.
    package init(iss: HubID, aud: DeviceID, non: String = Nonce.random()) {
        self.iss = iss
        self.aud = aud
        self.non = non
    }

    /// The payload, members in the order of the specification.
    package var payload: JSON {
        ["v": 1, "iss": .string(iss.rawValue), "aud": .string(aud.rawValue), "non": .string(non)]
    }

    /// Signs with the key that signs commands.
    package func sign(key: Ed25519PrivateKey) throws(ProtocolFault) -> [UInt8] {
        try Envelope.sign(payload, type: .challenge, key: key)
    }

    init(parsing payload: [UInt8]) throws(ProtocolFault) {
        let claims = try ClaimSet(parsing: payload, required: ["v", "iss", "aud", "non"])
        try claims.requireVersion()
        iss = HubID(asSent: try claims.text("iss"))
        aud = DeviceID(asSent: try claims.text("aud"))
        non = try claims.nonce("non")
    }
}

/// The device's answer: a one-shot challenge, and where it stands at this moment.
package struct Challenge: Sendable, Equatable {
    package let iss: DeviceID
    package let aud: HubID
    /// The nonce of the request.
    package let non: String
    /// The device's session.
    package let ses: String
    /// What a high-risk command must carry.
    package let chn: String
    /// Uptime when issued, milliseconds.
    package let up: Int64
    /// How long the challenge lives from `up` on, milliseconds.
    package let ttl: Int64

    /// The payload, members in the order of the specification.
    package var payload: JSON {
        [
            "v": 1, "iss": .string(iss.rawValue), "aud": .string(aud.rawValue), "non": .string(non),
            "ses": .string(ses), "chn": .string(chn), "up": .integer(up), "ttl": .integer(ttl),
        ]
    }

    /// Signs with the device's key.
    package func sign(key: Ed25519PrivateKey) throws(ProtocolFault) -> [UInt8] {
        try Envelope.sign(payload, type: .challenge, key: key)
    }

    /// Reads the answer of `device` to a request of `hub`; the hub's own requests on the same topic fail here.
    ///
    /// - Parameters:
    ///   - message: The bytes as received.
    ///   - key: The device's key from its enrolment.
    ///   - device: The device that was asked.
    ///   - hub: The hub that asked.
    ///   - nonce: The nonce of the request that is open.
    /// - Returns: The challenge, with a session and uptime no older than the request.
    /// - Throws: ``ProtocolFault`` at the first thing that is wrong.
    package static func verify(
        _ message: [UInt8], key: Ed25519PublicKey, device: DeviceID, hub: HubID, nonce: String
    ) throws(ProtocolFault) -> Challenge {
        let claims = try ClaimSet(
            parsing: try Envelope.open(message, type: .challenge, key: key),
            required: ["v", "iss", "aud", "non", "ses", "chn", "up", "ttl"])
        try claims.requireVersion()
        let challenge = Challenge(
            iss: DeviceID(asSent: try claims.text("iss")), aud: HubID(asSent: try claims.text("aud")),
            non: try claims.nonce("non"), ses: try claims.nonce("ses"), chn: try claims.nonce("chn"),
            up: try claims.integer("up"), ttl: try claims.integer("ttl", atLeast: 1))
        guard challenge.aud == hub else { throw .audience(found: challenge.aud.rawValue, allowed: hub.rawValue) }
        guard challenge.iss == device else { throw .issuer(found: challenge.iss.rawValue, allowed: device.rawValue) }
        guard challenge.non == nonce else { throw .nonce(challenge.non) }
        return challenge
    }
}

extension CommandVerifier {
    /// Answers a challenge request that came on the device's challenge topic; the answer is still to be signed.
    ///
    /// The device's own answers come back on that topic and fail as signed by an unknown key. A failure is never
    /// answered.
    ///
    /// - Parameters:
    ///   - topic: The topic it came on.
    ///   - retained: Whether the broker had kept it.
    ///   - message: The exact bytes.
    ///   - uptime: Milliseconds since boot.
    /// - Returns: The answer, alive from now on.
    /// - Throws: ``ProtocolFault`` at the first thing that is wrong.
    package mutating func answerChallengeRequest(
        topic: String, retained: Bool, message: [UInt8], uptime: Int64
    ) throws(ProtocolFault) -> Challenge {
        guard topic.utf8.elementsEqual(Topic.challenge(site, device).utf8) else { throw .topic(topic) }
        guard !retained else { throw .retained }
        let envelope = try Envelope(parsing: message, type: .challenge)
        guard let signer = trusted.signer(envelope.keyID) else { throw .unknownKey(envelope.keyID) }
        guard let key = signer.key, envelope.isSigned(by: key) else { throw .signature }
        let request = try ChallengeRequest(parsing: envelope.payload)
        guard request.aud == device else { throw .audience(found: request.aud.rawValue, allowed: device.rawValue) }
        guard request.iss == hub else { throw .issuer(found: request.iss.rawValue, allowed: hub.rawValue) }
        guard challenges.open(requestNonce: request.non) else { throw .nonce(request.non) }
        return Challenge(
            iss: device, aud: hub, non: request.non, ses: session, chn: issueChallenge(uptime: uptime), up: uptime,
            ttl: ChallengeBook.lifetime)
    }
}
