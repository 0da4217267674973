// The hub believes an acknowledgement only when the device signed it, for this hub, in this session, about a command
// that is open; a final status never changes.

package import Sealing

/// Why the hub ignored an acknowledgement, in the order in which it looks.
package enum AcknowledgementCode: String, Error, Sendable, CaseIterable {
    case topic = "A_TOPIC"
    case retained = "A_RETAINED"
    case size = "A_SIZE"
    case format = "A_FORMAT"
    case header = "A_HEADER"
    case revoked = "A_REVOKED"
    case signature = "A_SIG"
    case payload = "A_PAYLOAD"
    case audience = "A_AUD"
    case issuer = "A_ISS"
    case session = "A_SES"
    case sequence = "A_SEQ"
    case unknownCommand = "A_UNKNOWN_CMD"
    /// The command is known, but its `jti` or counter is another.
    case mismatch = "A_BIND"
    /// The command already has its final status.
    case final = "A_FINAL"
}

/// What the hub makes of a message on an acknowledgement topic.
package enum AcknowledgementVerdict: Sendable, Equatable {
    /// Genuine and new.
    case acknowledged(AcknowledgementClaims)
    /// Ignored and counted.
    case ignored(AcknowledgementCode)
}

/// A command the hub waits to hear about.
package struct PendingCommand: Sendable, Equatable {
    package let jti: String
    package let ctr: Int64
    /// The final status once there is one.
    package var final: AcknowledgementStatus?

    /// Describes a published command.
    package init(jti: String, ctr: Int64, final: AcknowledgementStatus? = nil) {
        self.jti = jti
        self.ctr = ctr
        self.final = final
    }
}

/// The hub's side of one device's acknowledgement topic.
package struct AcknowledgementVerifier: Sendable {
    package let device: DeviceID
    package let hub: HubID
    package let site: SiteID
    /// The device's key from its enrolment.
    package let key: Ed25519PublicKey
    /// The device's session as last proven; `nil` before the first.
    package private(set) var session: String?
    /// The highest sequence number seen in this session.
    package private(set) var sequence: Int64
    /// Commands by the hash of their bytes.
    package private(set) var pending: [[UInt8]: PendingCommand]
    /// Whether the device's key is revoked.
    package var isRevoked: Bool
    /// How many messages were ignored, by code.
    package private(set) var ignored: [AcknowledgementCode: Int64] = [:]

    /// Starts with what the hub has stored about the device.
    package init(
        device: DeviceID, hub: HubID, site: SiteID, key: Ed25519PublicKey, session: String? = nil,
        sequence: Int64 = 0, pending: [[UInt8]: PendingCommand] = [:], isRevoked: Bool = false
    ) {
        self.device = device
        self.hub = hub
        self.site = site
        self.key = key
        self.session = session
        self.sequence = sequence
        self.pending = pending
        self.isRevoked = isRevoked
    }

    /// Takes over the session of a verified hello or challenge; a new one counts its sequence from the start.
    package mutating func adopt(session: String) {
        guard session != self.session else { return }
        self.session = session
        sequence = 0
    }

    /// Waits for the acknowledgement of a command that is about to be published.
    package mutating func expect(_ command: SignedCommand) {
        pending[command.hash] = PendingCommand(jti: command.claims.jti, ctr: command.claims.ctr)
    }

    /// Stops waiting for a command.
    package mutating func forget(_ hash: [UInt8]) { pending[hash] = nil }

    /// Decides about one message.
    package mutating func receive(topic: String, retained: Bool, message: [UInt8]) -> AcknowledgementVerdict {
        do throws(AcknowledgementCode) {
            let claims = try authenticate(topic: topic, retained: retained, message: message)
            guard claims.ses == session else { throw .session }
            guard claims.seq > sequence else { throw .sequence }
            guard let command = pending[claims.cmd] else { throw .unknownCommand }
            guard command.jti == claims.jti, command.ctr == claims.ctr else { throw .mismatch }
            guard command.final == nil else { throw .final }
            sequence = claims.seq
            if claims.st.isFinal { pending[claims.cmd]?.final = claims.st }
            return .acknowledged(claims)
        } catch {
            ignored[error, default: 0] &+= 1
            return .ignored(error)
        }
    }

    /// What the device signed in a message that ``receive(topic:retained:message:)`` ignored, if it did sign it.
    ///
    /// It binds no command of ours, but tells what the device made of somebody else's.
    package func authentic(topic: String, retained: Bool, message: [UInt8]) -> AcknowledgementClaims? {
        // Why it is not authentic was counted already.
        guard let claims = try? authenticate(topic: topic, retained: retained, message: message),
            claims.ses == session
        else { return nil }
        return claims
    }

    private func authenticate(
        topic: String, retained: Bool, message: [UInt8]
    ) throws(AcknowledgementCode) -> AcknowledgementClaims {
        guard topic.utf8.elementsEqual(Topic.acknowledgement(site, device).utf8) else { throw .topic }
        guard !retained else { throw .retained }
        let claims: AcknowledgementClaims
        do throws(ProtocolFault) {
            let envelope = try Envelope(parsing: message, type: .acknowledgement)
            guard envelope.keyID == key.keyID else { throw .header(.acknowledgement) }
            guard !isRevoked else { throw .unknownKey(envelope.keyID) }
            guard envelope.isSigned(by: key) else { throw .signature }
            claims = try AcknowledgementClaims(parsing: envelope.payload)
        } catch {
            throw Self.code(for: error)
        }
        guard claims.aud == hub else { throw .audience }
        guard claims.iss == device else { throw .issuer }
        return claims
    }

    private static func code(for fault: ProtocolFault) -> AcknowledgementCode {
        switch fault {
        case .size: .size
        case .format: .format
        case .header: .header
        case .unknownKey: .revoked
        case .signature: .signature
        default: .payload
        }
    }
}
