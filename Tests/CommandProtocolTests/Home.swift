// One home with real keys; messages are built by hand here, so that wrong ones can be built too.

import CommandProtocol
import Sealing
import StrictJSON
import Testing

/// A hub, its keys, one device and the clocks both read.
struct Home {
    let agent = Ed25519PrivateKey()
    /// May only read.
    let reader = Ed25519PrivateKey()
    /// Revoked.
    let mallory = Ed25519PrivateKey()
    let deviceKey = Ed25519PrivateKey()
    let device = DeviceID.random()
    let hub = HubID.random()
    let site: SiteID
    let session = Nonce.random()
    let uptime: Int64 = 1_000_000
    let clock = 1_785_000_000

    init() throws { site = try #require(SiteID(rawValue: "home-1")) }

    var topic: String { Topic.command(site, device) }

    static let climate = OperationArguments([
        .init("t_mC", .integer(min: 5_000, max: 35_000)),
        .init("mode", .choice(["heat", "off"]), required: false),
        .init("boost", .boolean, required: false),
    ])

    var trusted: TrustedSigners {
        TrustedSigners(
            version: 7,
            signers: [
                agent.publicKey.keyID: .init(
                    key: agent.publicKey, operations: ["lock.lock", "lock.unlock", "climate.set"]),
                reader.publicKey.keyID: .init(key: reader.publicKey, operations: ["state.get"]),
                mallory.publicKey.keyID: .init(key: mallory.publicKey, operations: ["lock.lock"]),
            ], revoked: [mallory.publicKey.keyID])
    }

    func verifier() -> CommandVerifier {
        CommandVerifier(
            device: device, hub: hub, site: site, session: session, trusted: trusted,
            policy: CommandPolicy(
                operations: [
                    "lock.lock": .none, "lock.unlock": .none, "state.get": .none, "climate.set": Self.climate,
                ],
                highRisk: ["lock.unlock", "fw.erase"]),
            counters: [agent.publicKey.keyID: 41, reader.publicKey.keyID: 41])
    }

    func claims(
        ctr: Int64 = 42, op: String = "lock.lock", args: JSON = [:], chn: String? = nil, due: Int64? = nil
    ) -> CommandClaims {
        CommandClaims(
            iss: hub, aud: device, ses: session, ctr: ctr, iat: Int64(clock), exp: Int64(clock) + 8,
            due: due ?? uptime + 8_000, kv: 7, op: op, args: args, chn: chn)
    }

    func signed(_ claims: CommandClaims) throws -> SignedCommand { try CommandSigner.sign(claims, key: agent) }

    /// Delivers a message on the command topic at the home's time.
    func deliver(_ message: [UInt8], to verifier: inout CommandVerifier, after delay: Int64 = 0) -> Verdict {
        verifier.receive(
            topic: topic, retained: false, message: message, uptime: uptime + delay,
            wallClock: clock + Int(delay / 1_000))
    }
}

extension Verdict {
    /// `OK`, `DUP` or the code.
    var code: String {
        switch self {
        case .accepted: "OK"
        case .duplicate: "DUP"
        case .rejected(let code, _): code.rawValue
        }
    }

    /// What can be answered.
    var command: ReceivedCommand? {
        switch self {
        case .accepted(let command): command
        case .duplicate: nil
        case .rejected(_, let answer): answer
        }
    }
}

extension JSON {
    /// The object with some members replaced, added or, for `nil`, removed.
    func changing(_ changes: [(String, JSON?)]) -> JSON {
        var members = members ?? []
        for (name, value) in changes {
            let index = members.firstIndex { $0.name == name }
            switch (index, value) {
            case (let index?, let value?): members[index] = Member(name, value)
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name, value))
            case (nil, nil): break
            }
        }
        return .object(members)
    }
}

/// A compact JWS out of its raw parts, with no check at all.
func compact(header: String, payload: [UInt8], key: Ed25519PrivateKey) throws -> [UInt8] {
    let input = Array((Base64.encode(header.utf8, as: .url) + "." + Base64.encode(payload, as: .url)).utf8)
    return input + Array(("." + Base64.encode(try key.sign(input), as: .url)).utf8)
}
