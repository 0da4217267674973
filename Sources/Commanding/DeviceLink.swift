// What the hub believes about a device's current boot comes from the device's own signatures only. A hello may be old,
// whatever the broker says, so it names a session and never times a command; only what answers the hub does.

import CommandProtocol
import Delegation
import Sealing
import StrictJSON

/// The hub's side of one device.
struct DeviceLink: Sendable {
    /// When and where the device was last heard of.
    struct Contact: Sendable, Equatable {
        let session: String
        /// Milliseconds since the device's boot.
        let uptime: Int64
        /// The hub's own running time when it was heard.
        let heardAt: Duration
        /// Whether the device said it in answer to the hub, so that it cannot be older than the question.
        let isLive: Bool
    }

    let id: DeviceID
    let name: DeviceName
    private(set) var isEnrolled: Bool
    let key: Ed25519PublicKey
    var acknowledgements: AcknowledgementVerifier
    private(set) var contact: Contact?
    /// The highest counter the device has burnt, by key id, in the session of `contact`.
    private(set) var burnt: [String: Int64] = [:]
    /// The key-set version the device holds.
    private(set) var keySetVersion: Int64 = 0
    private(set) var hello: Hello?
    private(set) var state: DeviceState?
    private var unknown: [[UInt8]] = []

    init?(_ device: Device, hub: HubID, site: SiteID) {
        // The vault holds only what enrolment accepted; a row that does not pass again is not talked to.
        guard let id = DeviceID(rawValue: device.id), let key = try? Ed25519PublicKey(rawBytes: device.identityKey)
        else {
            return nil
        }
        self.id = id
        name = device.name
        isEnrolled = device.state == .enrolled
        self.key = key
        acknowledgements = AcknowledgementVerifier(
            device: id, hub: hub, site: site, key: key, session: nil, sequence: 0)
    }

    mutating func enrolled() { isEnrolled = true }

    /// Takes in a verified hello.
    ///
    /// - Returns: Whether it told anything new.
    mutating func greeted(_ hello: Hello, at now: Duration) -> Bool {
        if let known = self.hello, known.ses == hello.ses, hello.seq <= known.seq { return false }
        self.hello = hello
        keySetVersion = hello.kv
        if contact?.session != hello.ses { adopt(session: hello.ses, uptime: hello.up, live: false, at: now) }
        for (keyID, counter) in hello.last { burnt[keyID] = max(burnt[keyID] ?? 0, counter) }
        return true
    }

    /// Takes in the verified answer to a challenge request of ours, which is fresh by its nonce.
    mutating func challenged(_ challenge: Challenge, at now: Duration) {
        adopt(session: challenge.ses, uptime: challenge.up, live: true, at: now)
    }

    /// Takes in a verified acknowledgement, which also tells the device's clock.
    mutating func acknowledged(_ claims: AcknowledgementClaims, at now: Duration) {
        guard let contact, claims.ses == contact.session, claims.up >= contact.uptime else { return }
        adopt(session: claims.ses, uptime: claims.up, live: true, at: now)
    }

    /// Takes in a verified state; an older one of the same session is ignored.
    mutating func reported(_ state: DeviceState) {
        if let known = self.state, !state.mayReplace(known) { return }
        self.state = state
    }

    /// Keeps waiting for a command that was given up as unknown, for a late word about it; the oldest is forgotten.
    mutating func keep(unknown hash: [UInt8]) {
        unknown.append(hash)
        if unknown.count > 32 { acknowledgements.forget(unknown.removeFirst()) }
    }

    /// Forgets that the contact was fresh, after the device said it was not.
    mutating func doubt() {
        contact = contact.map { Contact(session: $0.session, uptime: $0.uptime, heardAt: $0.heardAt, isLive: false) }
    }

    /// The device's uptime now, or a little less: whatever delays a message on its way only makes commands die earlier.
    func uptime(at now: Duration) -> Int64? {
        guard let contact, contact.isLive else { return nil }
        return contact.uptime + (now - contact.heardAt).milliseconds
    }

    private mutating func adopt(session: String, uptime: Int64, live: Bool, at now: Duration) {
        if contact?.session != session {
            burnt = [:]
            acknowledgements.adopt(session: session)
        }
        contact = Contact(session: session, uptime: uptime, heardAt: now, isLive: live)
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
