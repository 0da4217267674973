// The state a vector starts from becomes a verifier's state without being judged: vectors may hold bad keys on purpose.

import Sealing
import StrictJSON

/// The state of a vector, as the conformance documents write it.
struct VectorState {
    let object: JSON

    init(_ object: JSON) { self.object = object }

    func integer(_ name: String) throws(ProtocolFault) -> Int64 {
        guard let number = object[name]?.integer else { throw .member(name, allowed: "an integer") }
        return number
    }

    func text(_ name: String) throws(ProtocolFault) -> String {
        guard let text = object[name]?.string else { throw .member(name, allowed: "a string") }
        return text
    }

    private func device() throws(ProtocolFault) -> DeviceID { DeviceID(asSent: try text("dev")) }
    private func hub() throws(ProtocolFault) -> HubID { HubID(asSent: try text("hub")) }

    private func site(_ name: String) throws(ProtocolFault) -> SiteID {
        guard let site = SiteID(rawValue: name) else { throw .member("site", allowed: "a name") }
        return site
    }

    func commandVerifier() throws(ProtocolFault) -> CommandVerifier {
        var counters: [String: Int64] = [:]
        for member in object["last"]?.members ?? [] { counters[member.name] = member.value.integer }
        var latest: [String: [UInt8]] = [:]
        for member in object["lastmsg"]?.members ?? [] { latest[member.name] = member.value.string.map(Self.hash) }
        return CommandVerifier(
            device: try device(), hub: try hub(), site: try site(try text("site")), session: try text("ses"),
            trusted: TrustedSigners(
                version: try integer("kv"), signers: signers(), revoked: Set(object["revoked"]?.strings ?? [])),
            policy: try policy(), counters: counters, latest: latest)
    }

    private func signers() -> [String: TrustedSigners.Signer] {
        var table: [String: TrustedSigners.Signer] = [:]
        for member in object["keys"]?.members ?? [] {
            let raw = member.value["x"]?.string.flatMap { Base64.decode($0, as: .url) } ?? []
            table[member.name] = TrustedSigners.Signer(
                key: try? Ed25519PublicKey(rawBytes: raw), operations: Set(member.value["ops"]?.strings ?? []))
        }
        return table
    }

    private func policy() throws(ProtocolFault) -> CommandPolicy {
        let lifetime = try integer("max_ttl_ms")
        var operations: [String: OperationArguments] = [:]
        for name in object["caps"]?.strings ?? [] { operations[name] = name == "climate.set" ? Self.climate : .none }
        return CommandPolicy(
            operations: operations, highRisk: Set(object["high"]?.strings ?? []), maximumLifetime: lifetime,
            maximumHighRiskLifetime: object["max_ttl_high_ms"]?.integer ?? lifetime, skew: try integer("skew"))
    }

    private static let climate = OperationArguments([
        OperationArguments.Argument("t_mC", .integer(min: 5_000, max: 35_000)),
        OperationArguments.Argument("mode", .choice(["auto", "cool", "heat", "off"]), required: false),
    ])

    /// The last message is written as itself or as its hash.
    private static func hash(_ text: String) -> [UInt8] {
        if let hash = Base64.decode(text, as: .url), hash.count == 32 { return hash }
        return HashFunction.sha256.digest(text.utf8)
    }

    func acknowledgementVerifier(topic: String) throws(ProtocolFault) -> AcknowledgementVerifier {
        let site =
            if let name = object["site"]?.string { try site(name) } else if let topic = Topic(parsing: topic) {
                topic.site
            } else { throw ProtocolFault.topic(topic) }
        var pending: [[UInt8]: PendingCommand] = [:]
        for member in object["pending"]?.members ?? [] {
            guard let hash = Base64.decode(member.name, as: .url), let jti = member.value["jti"]?.string,
                let ctr = member.value["ctr"]?.integer
            else { throw .member("pending", allowed: "commands by hash") }
            let final = member.value["final"]?.string.flatMap(AcknowledgementStatus.init)
            pending[hash] = PendingCommand(jti: jti, ctr: ctr, final: final)
        }
        let raw = Base64.decode(try text("devx"), as: .url) ?? []
        guard let key = try? Ed25519PublicKey(rawBytes: raw) else { throw .member("devx", allowed: "a key") }
        return AcknowledgementVerifier(
            device: try device(), hub: try hub(), site: site, key: key, session: try text("ses"),
            sequence: try integer("seq"), pending: pending, isRevoked: object["devrevoked"]?.bool ?? false)
    }
}
