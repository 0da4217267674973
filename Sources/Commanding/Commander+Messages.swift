// Every message is verified or counted as foreign; none of them can do more than that.

import Broker
import CommandProtocol
import Delegation
import Logging
import Sealing
import StrictJSON
import Vault

extension Commander {
    /// What is to be done after an event, beside the loop that takes events in.
    struct Received {
        /// A device that just said hello and has yet to prove itself.
        var newcomer: DeviceID?
        /// Whether the broker has just been connected.
        var isConnected = false
    }

    /// Takes in what the broker session tells.
    func received(_ event: BrokerEvent) async -> Received {
        switch event {
        case .connected(let refused):
            logger.info("broker connected", metadata: ["broker.refused": "\(refused.map(\.filter))"])
            do {
                try await publishKeySet()
            } catch {
                logger.warning("key set not published", metadata: ["error": "\(error)"])
            }
            // Answered by the broker through this very loop, so it is not awaited here; the group waits for it.
            return Received(isConnected: true)
        case .disconnected(let error):
            logger.warning("broker disconnected", metadata: ["error": "\(error)"])
        case .message(let message):
            if message.topic == DynamicSecurity.responseTopic { receivedControl(message) }
            guard let topic = Topic(parsing: message.topic), let id = topic.device, topic.site == site else { break }
            return Received(newcomer: await received(message, kind: topic.kind, from: id))
        }
        return Received()
    }

    private func received(_ message: BrokerMessage, kind: Topic.Kind, from id: DeviceID) async -> DeviceID? {
        guard let hub, links[id] != nil else {
            if kind != .online { await foreignMessage(message, device: id, why: "unknown device") }
            return nil
        }
        let now = configuration.elapsed()
        switch kind {
        case .acknowledgement: await receivedAcknowledgement(message, from: id, at: now)
        case .challenge: await receivedChallenge(message, from: id, hub: hub, at: now)
        case .command: await receivedCommand(message, to: id)
        case .hello:
            do throws(ProtocolFault) {
                guard let key = links[id]?.key else { return nil }
                let hello = try Hello.verify(message.payload, key: key, device: id, hub: hub)
                guard links[id]?.greeted(hello, at: now) == true else { return nil }
                logger.info("device hello", metadata: ["device.id": "\(id)"])
                return links[id]?.isEnrolled == false ? id : nil
            } catch {
                await foreignMessage(message, device: id, why: error.description)
            }
        case .state:
            do throws(ProtocolFault) {
                guard let key = links[id]?.key else { return nil }
                links[id]?.reported(try DeviceState.verify(message.payload, key: key, device: id))
            } catch {
                await foreignMessage(message, device: id, why: error.description)
            }
        // `online` is an unsigned hint; the others are not subscribed to.
        case .online, .token, .keys: break
        }
        return nil
    }

    private func receivedAcknowledgement(_ message: BrokerMessage, from id: DeviceID, at now: Duration) async {
        let verdict = links[id]?.acknowledgements.receive(
            topic: message.topic, retained: message.retained, message: message.payload)
        switch verdict {
        case .acknowledged(let claims):
            links[id]?.acknowledged(claims, at: now)
            let signed = SignedAcknowledgement(claims: claims, message: message.payload)
            if !acknowledgements.deliver(signed, to: claims.cmd) { await late(claims, from: id) }
        case .ignored(let code): await ignored(message, from: id, code)
        case nil: break
        }
    }

    /// An acknowledgement that closes no command: the device's word about somebody else's message, or foreign itself.
    private func ignored(_ message: BrokerMessage, from id: DeviceID, _ code: AcknowledgementCode) async {
        // Only about a command we do not know; a replayed word about a known one tells nothing new.
        let claims =
            code == .unknownCommand
            ? links[id]?.acknowledgements.authentic(
                topic: message.topic, retained: message.retained, message: message.payload) : nil
        guard let claims, claims.st == .rejected else {
            return await foreignMessage(message, device: id, why: code.rawValue)
        }
        await recordGated(id) { suppressed in
            AuditEntry(
                actor: .device(id.rawValue), action: "device.rejected", subject: name(of: id), authority: "receipt",
                outcome: claims.st.rawValue,
                detail: .compact([
                    "code": claims.code.map { .string(RejectionCode(rawValue: $0)?.rawValue ?? quoted($0)) },
                    "sha256": .string(Base64.encode(claims.cmd, as: .url)),
                    "suppressed_before": .integer(Int64(suppressed)),
                ]))
        }
    }

    private func receivedChallenge(_ message: BrokerMessage, from id: DeviceID, hub: HubID, at now: Duration) async {
        guard let key = links[id]?.key else { return }
        for open in challenges.keys where open.device == id {
            // Only the answer to an open request verifies; the nonce tells which one it is.
            guard
                let challenge = try? Challenge.verify(
                    message.payload, key: key, device: id, hub: hub, nonce: open.nonce)
            else { continue }
            links[id]?.challenged(challenge, at: now)
            _ = challenges.deliver(challenge, to: open)
            return
        }
        await foreignMessage(message, device: id, why: "not the answer to an open challenge request")
    }

    /// A message on a command topic that is not ours: whoever sent it, the owner should know.
    private func receivedCommand(_ message: BrokerMessage, to id: DeviceID) async {
        let hash = Base64.encode(HashFunction.sha256.digest(message.payload), as: .url)
        let known: String?
        do {
            known = try await vault.read { try $0.command(withHash: hash) }
        } catch {
            logger.error("cannot look up a foreign command", metadata: ["error": "\(error)"])
            return
        }
        await foreignMessage(
            message, device: id, why: known.map { "a copy of command \($0)" } ?? "not sent by this hub")
    }

    /// Writes a foreign message down, within the flood gate's limits.
    func foreignMessage(_ message: BrokerMessage, device id: DeviceID, why: String) async {
        await recordGated(id) { suppressed in
            logger.warning("foreign message", metadata: ["topic": "\(message.topic)", "why": "\(why)"])
            return AuditEntry(
                actor: .init(description: "unknown"), action: "wire.foreign", subject: name(of: id), authority: "none",
                outcome: "ignored",
                detail: [
                    "topic": .string(message.topic), "why": .string(why),
                    "bytes": .integer(Int64(message.payload.count)),
                    "sha256": .string(Base64.encode(HashFunction.sha256.digest(message.payload), as: .url)),
                    "suppressed_before": .integer(Int64(suppressed)),
                ])
        }
    }

    private func name(of id: DeviceID) -> String { links[id]?.name.rawValue ?? id.rawValue }

    /// Writes a line down if the device's gate lets it through; `entry` is told how many were left out before.
    private func recordGated(_ id: DeviceID, _ entry: (Int) -> AuditEntry) async {
        // Names of devices that do not exist cost nothing to make up, so they share one gate.
        let gate = links[id] == nil ? nil : id
        let (isAdmitted, suppressed) = foreign[gate, default: FloodGate(limit: 20)].admit(at: configuration.elapsed())
        guard isAdmitted else { return }
        await record(entry(suppressed))
    }

    /// Notes the final word about a command that was given up as unknown before.
    private func late(_ claims: AcknowledgementClaims, from id: DeviceID) async {
        guard claims.st.isFinal else { return }
        await recordGated(id) { _ in
            AuditEntry(
                actor: .device(id.rawValue), action: "command.late", subject: name(of: id), authority: "receipt",
                outcome: claims.st.rawValue, detail: ["command": .string(claims.jti)])
        }
    }

    /// Appends to the audit log; a log that cannot be written is itself logged, loudly.
    func record(_ entry: AuditEntry) async {
        // Nothing can be written then, and nothing that needs a secret happens either.
        guard !vault.isSealed else { return }
        let now = configuration.now()
        do {
            try await vault.write { try $0.audit(entry, at: now) }
        } catch {
            logger.error("audit failed", metadata: ["action": "\(entry.action)", "error": "\(error)"])
        }
    }

    /// Publishes the newest key set for every device.
    func publishKeySet() async throws {
        guard let session, let site, let keySet = try await vault.read({ try $0.currentKeySet() }) else { return }
        try await session.publish(Topic.keys(site), Array(keySet.document.utf8), qos: 1, retain: true)
    }
}
