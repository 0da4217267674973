// Checks run in the order DAC/1 prescribes and stop at the first failure; a counter is burnt before the operation is
// even looked up, so no message is acted on twice whatever follows.

import Sealing

/// A device's side of the command topic: decides about each message and remembers what it must.
///
/// A value without clock or I/O; one session of one device lives in it. `uptime` must never go back.
package struct CommandVerifier: Sendable {
    package let device: DeviceID
    package let hub: HubID
    package let site: SiteID
    /// The session this boot minted.
    package let session: String
    package let policy: CommandPolicy
    /// Who may sign; replaced by ``adopt(_:)``.
    package private(set) var trusted: TrustedSigners
    /// The highest counter burnt, by key id.
    package private(set) var counters: [String: Int64]
    /// How many messages were rejected since boot, by code.
    package private(set) var rejections: [RejectionCode: Int64] = [:]
    var challenges = ChallengeBook()
    private var latest: [String: Remembered]

    private struct Remembered {
        let hash: [UInt8]
        var acknowledgement: [UInt8]?
    }

    /// Starts a session, or takes one up again in its middle.
    ///
    /// `session` is 16 bytes in base64url, minted anew at each boot; `counters` holds the highest counter already burnt
    /// and `latest` the hash of the last message whose counter was burnt, both by key id.
    package init(
        device: DeviceID, hub: HubID, site: SiteID, session: String = Nonce.random(), trusted: TrustedSigners,
        policy: CommandPolicy, counters: [String: Int64] = [:], latest: [String: [UInt8]] = [:]
    ) {
        self.device = device
        self.hub = hub
        self.site = site
        self.session = session
        self.trusted = trusted
        self.policy = policy
        self.counters = counters
        self.latest = latest.mapValues { Remembered(hash: $0) }
    }

    /// Decides about one message.
    ///
    /// - Parameters:
    ///   - topic: The topic it came on.
    ///   - retained: Whether the broker had kept it.
    ///   - message: The exact bytes.
    ///   - uptime: Milliseconds since boot.
    ///   - wallClock: Seconds since 1970, or `nil` when the device does not trust its clock.
    /// - Returns: What to do with it; the counter is burnt when the verdict is ``Verdict/accepted(_:)``.
    package mutating func receive(
        topic: String, retained: Bool, message: [UInt8], uptime: Int64, wallClock: Int?
    ) -> Verdict {
        let keyID: String
        let claims: CommandClaims
        do throws(RejectionCode) {
            (keyID, claims) = try authenticate(topic: topic, retained: retained, message: message)
        } catch {
            count(error)
            return .rejected(error, answer: nil)
        }
        let hash = HashFunction.sha256.digest(message)
        let last = counters[keyID] ?? 0
        let isNext = claims.ses == session && claims.ctr > last
        let received = ReceivedCommand(
            claims: claims, hash: hash, keyID: keyID, gap: isNext ? claims.ctr - last - 1 : 0)
        do throws(RejectionCode) {
            guard claims.ses == session else { throw .session }
            if let remembered = latest[keyID], remembered.hash == hash {
                return .duplicate(hash: hash, cachedAck: remembered.acknowledgement)
            }
            guard claims.ctr > last else { throw .counter }
            try checkTime(of: claims, uptime: uptime, wallClock: wallClock)
            counters[keyID] = claims.ctr
            latest[keyID] = Remembered(hash: hash)
            try checkOperation(of: claims, keyID: keyID, uptime: uptime)
        } catch {
            count(error)
            return .rejected(error, answer: received)
        }
        return .accepted(received)
    }

    /// Everything up to `kv`: what fails here is never answered.
    private func authenticate(
        topic: String, retained: Bool, message: [UInt8]
    ) throws(RejectionCode) -> (String, CommandClaims) {
        guard topic.utf8.elementsEqual(Topic.command(site, device).utf8) else { throw .topic }
        guard !retained else { throw .retained }
        let envelope: Envelope
        do throws(ProtocolFault) {
            envelope = try Envelope(parsing: message, type: .command)
        } catch {
            switch error {
            case .size: throw .size
            case .header: throw .header
            default: throw .format
            }
        }
        guard let signer = trusted.signer(envelope.keyID) else { throw .keyID }
        guard let key = signer.key, envelope.isSigned(by: key) else { throw .signature }
        let claims: CommandClaims
        do throws(ProtocolFault) {
            claims = try CommandClaims(parsing: envelope.payload)
        } catch {
            throw .payload
        }
        guard claims.aud == device else { throw .audience }
        guard claims.iss == hub else { throw .issuer }
        guard claims.kv >= trusted.version else { throw .keySetOld }
        guard claims.kv <= trusted.version else { throw .keySetNew }
        return (envelope.keyID, claims)
    }

    private func checkTime(
        of claims: CommandClaims, uptime: Int64, wallClock: Int?
    ) throws(RejectionCode) {
        let isHighRisk = policy.highRisk.contains(claims.op)
        let maximum = isHighRisk ? policy.maximumHighRiskLifetime : policy.maximumLifetime
        guard uptime <= claims.due else { throw .expired }
        guard claims.due - uptime <= maximum else { throw .lifetime }
        guard let wallClock else { return }
        guard Int64(wallClock) <= claims.exp + policy.skew else { throw .expired }
        guard claims.iat <= Int64(wallClock) + policy.skew else { throw .future }
    }

    private mutating func checkOperation(
        of claims: CommandClaims, keyID: String, uptime: Int64
    ) throws(RejectionCode) {
        guard let arguments = policy.operations[claims.op] else { throw .operation }
        guard trusted.signer(keyID)?.operations.contains(claims.op) == true else { throw .scope }
        if policy.highRisk.contains(claims.op) {
            guard challenges.consume(claims.chn, uptime: uptime) else { throw .challenge }
        }
        guard arguments.fault(in: claims.args) == nil else { throw .arguments }
    }

    private mutating func count(_ code: RejectionCode) { rejections[code, default: 0] &+= 1 }

    /// Keeps the acknowledgement that a repetition of the command gets; the newest replaces the one before.
    ///
    /// A hash that is no longer the last of its key is ignored.
    package mutating func recordAcknowledgement(_ bytes: [UInt8], for hash: [UInt8]) {
        for (keyID, remembered) in latest where remembered.hash == hash { latest[keyID]?.acknowledgement = bytes }
    }

    /// Makes a challenge that the next high-risk command must carry; it lives 10 s of uptime and works once.
    package mutating func issueChallenge(uptime: Int64) -> String { challenges.issue(uptime: uptime) }

    /// Takes over a verified key set unless it is older; counters stay, so a key that comes back cannot replay.
    package mutating func adopt(_ keySet: SignedKeySet) {
        guard keySet.keySet.version >= trusted.version else { return }
        trusted = keySet.keySet.signers(for: device)
    }
}
