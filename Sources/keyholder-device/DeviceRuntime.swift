// A command is acted on at most once: the verifier burns its counter first, the state is kept next, and only then is the
// receipt signed. A crash in between leaves the hub with "unknown", never with a false receipt.

import Broker
import CommandProtocol
import Delegation
import FoundationEssentials
import Sealing
import StrictJSON

/// One boot of the device.
struct DeviceRuntime: Sendable {
    private let folder: DeviceFolder
    private let key: Ed25519PrivateKey
    private let membership: DeviceFolder.Membership
    private var verifier: CommandVerifier
    private var keySet: SignedKeySet
    private var thing: Thing
    private var sequence: Int64 = 0
    private var hasProved = false
    private let start = ContinuousClock.now

    init(folder: DeviceFolder, identity: DeviceFolder.Identity, membership: DeviceFolder.Membership) throws {
        self.folder = folder
        self.membership = membership
        key = identity.key
        keySet = try folder.keySet()
        thing = Thing(profile: identity.profile, kept: try folder.thingState())
        verifier = CommandVerifier(
            device: identity.id, hub: membership.hub, site: membership.site,
            trusted: keySet.keySet.signers(for: identity.id), policy: identity.profile.policy)
    }

    var onlineTopic: String { Topic.online(membership.site, verifier.device) }

    var subscriptions: [Subscription] {
        [
            Subscription(filter: Topic.command(membership.site, verifier.device)),
            Subscription(filter: Topic.challenge(membership.site, verifier.device), noLocal: true),
            Subscription(filter: Topic.keys(membership.site)),
        ]
    }

    /// Milliseconds since this boot; the clock counts suspend.
    private var uptime: Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }

    /// The wall clock, unless it is older than the join bundle and so certainly wrong.
    private var wallClock: Int? {
        let now = Int(Date().timeIntervalSince1970)
        return now >= membership.issuedAt ? now : nil
    }

    private mutating func nextSequence() -> Int64 {
        sequence += 1
        return sequence
    }

    mutating func handle(_ event: BrokerEvent, session: BrokerSession) async throws {
        switch event {
        case .connected:
            Console.out("connected session=\(verifier.session)")
            await publishHello(on: session)
            await publishState(on: session)
            await send(Array("online".utf8), to: onlineTopic, retain: true, on: session)
        case .disconnected(let error): Console.out("disconnected \(error)")
        case .message(let message): try await handle(message, session: session)
        }
    }

    private mutating func handle(_ message: BrokerMessage, session: BrokerSession) async throws {
        switch Topic(parsing: message.topic)?.kind {
        case .command: try await handleCommand(message, session: session)
        case .challenge: await handleChallenge(message, session: session)
        case .keys: handleKeySet(message)
        case .acknowledgement, .hello, .state, .token, .online, nil: break
        }
    }

    private mutating func handleCommand(_ message: BrokerMessage, session: BrokerSession) async throws {
        let verdict = verifier.receive(
            topic: message.topic, retained: message.retained, message: message.payload, uptime: uptime,
            wallClock: wallClock)
        switch verdict {
        case .accepted(let command):
            thing.perform(command.claims.op, command.claims.args)
            try folder.keep(state: thing.state)
            // Not at the connection: a login proves nothing of the hub, and an enrolment may have to be repeated until then.
            if !hasProved {
                try folder.burnCode()
                hasProved = true
            }
            let result = command.claims.op == Self.ping ? [] : thing.state.members ?? []
            Console.out("executed \(command.claims.op) ctr=\(command.claims.ctr) state=\(thing.state.text)")
            await acknowledge(command, .executed, result: result, on: session)
            await publishState(on: session)
        case .duplicate(let hash, let cached):
            Console.out("rejected DUP sha256=\(Base64.encode(hash, as: .url))")
            if let cached { await send(cached, to: acknowledgementTopic, on: session) }
        case .rejected(let code, let answer):
            Console.out("rejected \(code.rawValue)")
            guard let answer else { return }
            if code == .session { await publishHello(on: session) }
            await acknowledge(answer, .rejected, code: code, on: session)
        }
    }

    static let ping = "dac.ping"

    private var acknowledgementTopic: String { Topic.acknowledgement(membership.site, verifier.device) }

    private mutating func acknowledge(
        _ command: ReceivedCommand, _ status: AcknowledgementStatus, result: [JSON.Member] = [],
        code: RejectionCode? = nil, on session: BrokerSession
    ) async {
        let claims = AcknowledgementClaims(
            answering: command, by: verifier.device, session: verifier.session, seq: nextSequence(), status: status,
            result: result, code: code, uptime: uptime)
        guard let message = signed({ () throws(ProtocolFault) in try claims.sign(key: key) }) else { return }
        verifier.recordAcknowledgement(message, for: command.hash)
        await send(message, to: acknowledgementTopic, on: session)
    }

    private mutating func handleChallenge(_ message: BrokerMessage, session: BrokerSession) async {
        do throws(ProtocolFault) {
            let challenge = try verifier.answerChallengeRequest(
                topic: message.topic, retained: message.retained, message: message.payload, uptime: uptime)
            await send(try challenge.sign(key: key), to: message.topic, on: session)
        } catch {
            Console.out("challenge request ignored: \(error)")
        }
    }

    private mutating func handleKeySet(_ message: BrokerMessage) {
        do {
            let next = try SignedKeySet.verify(message.payload, after: keySet)
            guard next.keySet.version > keySet.keySet.version else { return }
            try folder.keep(next)
            keySet = next
            verifier.adopt(next)
            Console.out("key set version=\(next.keySet.version)")
        } catch {
            Console.out("key set ignored: \(error)")
        }
    }

    private mutating func publishHello(on session: BrokerSession) async {
        let hello = verifier.hello(uptime: uptime, seq: nextSequence(), firmware: "keyholder-device 1")
        guard let message = signed({ () throws(ProtocolFault) in try hello.sign(key: key) }) else { return }
        await send(message, to: Topic.hello(membership.site, verifier.device), retain: true, on: session)
    }

    private mutating func publishState(on session: BrokerSession) async {
        let state = DeviceState(
            iss: verifier.device, ses: verifier.session, seq: nextSequence(), up: uptime, state: thing.state)
        guard let message = signed({ () throws(ProtocolFault) in try state.sign(key: key) }) else { return }
        await send(message, to: Topic.state(membership.site, verifier.device), retain: true, on: session)
    }

    private func signed(_ make: () throws(ProtocolFault) -> [UInt8]) -> [UInt8]? {
        do throws(ProtocolFault) {
            return try make()
        } catch {
            Console.out("not signed: \(error)")
            return nil
        }
    }

    private func send(_ message: [UInt8], to topic: String, retain: Bool = false, on session: BrokerSession) async {
        do throws(BrokerError) {
            try await session.publish(topic, message, qos: 1, retain: retain)
        } catch {
            // The hub asks again, or learns it at the next hello; nothing is sent late.
            Console.out("not sent: \(error)")
        }
    }
}
