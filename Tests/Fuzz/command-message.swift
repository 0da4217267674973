// First line a message as it came, second a payload that a trusted key signs here: nothing unsigned is obeyed, nothing
// signed is obeyed twice, and every message that reads can be written again.

import CommandProtocol
import Sealing
import StrictJSON

private let key: Ed25519PrivateKey? = Hex.decode("335985a54e7639ee54757865289fb5988a019f83860fc16ba75e0a58f4aac1f0")
    .flatMap { try? Ed25519PrivateKey(seed: Secret($0)) }

func commandMessage(_ input: [UInt8]) throws {
    let parts = lines(input, 2)
    guard let key, let site = SiteID(rawValue: "s1"), let device = DeviceID(rawValue: "dev-3b1e77c0a94d"),
        let hub = HubID(rawValue: "hub-7f3a9c21")
    else { return hold(false, "the example key and names can be read") }
    let topic = Topic.command(site, device)
    var verifier = CommandVerifier(
        device: device, hub: hub, site: site, session: "LocamSgv0BdcQ8RrFG4HFw",
        trusted: TrustedSigners(
            version: 7,
            signers: [key.publicKey.keyID: .init(key: key.publicKey, operations: ["lock.lock", "climate.set"])]),
        policy: CommandPolicy(
            operations: [
                "lock.lock": OperationArguments(),
                "climate.set": OperationArguments([
                    .init("t_mC", .integer(min: 5_000, max: 35_000)),
                    .init("mode", .choice(["auto", "off"]), required: false),
                ]),
            ], highRisk: []), counters: [key.publicKey.keyID: 41])
    func receive(_ message: [UInt8]) -> Verdict {
        verifier.receive(topic: topic, retained: false, message: message, uptime: 1_000_000, wallClock: 1_785_000_000)
    }
    _ = receive(parts[0])
    for type in MessageType.allCases { _ = try? Envelope(parsing: parts[0], type: type) }
    _ = Topic(parsing: text(parts[0]))
    if let payload = try? JSON(parsing: parts[1]) {
        for type in [MessageType.command, .hello, .state, .acknowledgement] {
            guard let message = try? Envelope.sign(payload, type: type, key: key) else { continue }
            hold(message.count <= type.maximumSize, "a message is bounded")
            let read = try? Envelope(parsing: message, type: type)
            hold(read?.payload == payload.bytes, "a signed payload comes back as it was")
            hold(read?.isSigned(by: key.publicKey) ?? false, "a signed message verifies")
            switch type {
            case .command:
                if case .accepted = receive(message) {
                    if case .accepted = receive(message) { hold(false, "a command is obeyed once") }
                }
            case .hello:
                guard let hello = try? Hello.verify(message, key: key.publicKey, device: device, hub: hub),
                    let again = try? hello.sign(key: key)
                else { continue }
                hold(
                    (try? Hello.verify(again, key: key.publicKey, device: device, hub: hub)) == hello,
                    "a hello reads back")
            case .state:
                guard let state = try? DeviceState.verify(message, key: key.publicKey, device: device),
                    let again = try? state.sign(key: key)
                else { continue }
                hold(
                    (try? DeviceState.verify(again, key: key.publicKey, device: device)) == state, "a state reads back")
            default:
                var acknowledgements = AcknowledgementVerifier(
                    device: device, hub: hub, site: site, key: key.publicKey, session: "LocamSgv0BdcQ8RrFG4HFw",
                    sequence: 10, pending: [:], isRevoked: false)
                _ = acknowledgements.receive(
                    topic: Topic.acknowledgement(site, device), retained: false, message: message)
            }
        }
    }
}
