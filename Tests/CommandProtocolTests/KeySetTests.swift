// Every way to slip a key into a device without the root's consent.

import CommandProtocol
import Sealing
import StrictJSON
import Testing

@Suite struct KeySetTests {
    private let rootA = Ed25519PrivateKey()
    private let rootB = Ed25519PrivateKey()
    private let rootC = Ed25519PrivateKey()
    private let agent = Ed25519PrivateKey()
    private let device = DeviceID.random()
    private let first: SignedKeySet

    init() throws {
        first = try SignedKeySet.sign(
            KeySet(
                version: 1, root: .init(keys: [rootA.publicKey, rootB.publicKey], threshold: 2),
                signers: [.init(key: agent.publicKey, ops: ["lock.lock"])]),
            keys: [rootA, rootB])
    }

    private func next(
        version: Int64 = 2, root: [Ed25519PrivateKey]? = nil, threshold: Int = 2, previous: [UInt8]? = nil,
        revoked: [String] = []
    ) -> KeySet {
        KeySet(
            version: version,
            root: .init(keys: (root ?? [rootA, rootB]).map(\.publicKey), threshold: threshold),
            signers: [.init(key: agent.publicKey, ops: ["lock.lock", "lock.unlock"], devs: [device.rawValue])],
            revoked: revoked, previous: previous ?? first.hash)
    }

    /// Signs a payload that the signer itself would refuse.
    private func document(_ payload: JSON, keys: [Ed25519PrivateKey], type: MessageType = .keys) throws -> [UInt8] {
        let encoded = Base64.encode(payload.bytes, as: .url)
        let signatures = try keys.map { key -> JSON in
            let header = Base64.encode(type.protectedHeader(keyID: key.publicKey.keyID), as: .url)
            let signature = try key.sign(Array("\(header).\(encoded)".utf8))
            return ["protected": .string(header), "signature": .string(Base64.encode(signature, as: .url))]
        }
        return JSON.object([.init("payload", .string(encoded)), .init("signatures", .array(signatures))]).bytes
    }

    @Test("a step signed by both roots is taken, and the document in force passes again")
    func goodStep() throws {
        let second = try SignedKeySet.sign(next(revoked: [rootC.publicKey.keyID]), keys: [rootA, rootB])
        let read = try SignedKeySet.verify(second.document, after: first)
        #expect(read == second)
        #expect(try SignedKeySet.verify(second.document, after: read) == read)
        #expect(try SignedKeySet.verify(first.document, after: nil) == first)
        let table = read.keySet.signers(for: device)
        #expect(table.version == 2)
        #expect(table.signers[agent.publicKey.keyID]?.operations == ["lock.lock", "lock.unlock"])
        #expect(table.revoked == [rootC.publicKey.keyID])
        #expect(read.keySet.signers(for: .random()).signers.isEmpty)
        #expect(first.keySet.signers(for: .random()).signers.count == 1)
    }

    @Test("a root changes hands when the old and the new one sign")
    func rootChange() throws {
        let second = try SignedKeySet.sign(
            next(root: [rootC], threshold: 1), keys: [rootA, rootB, rootC])
        let read = try SignedKeySet.verify(second.document, after: first)
        let third = try SignedKeySet.sign(
            next(version: 3, root: [rootC], threshold: 1, previous: second.hash), keys: [rootC])
        #expect(try SignedKeySet.verify(third.document, after: read).keySet.version == 3)
    }

    @Test("a device that slept through versions takes a later one that its root signed")
    func skippedVersions() throws {
        let fifth = try SignedKeySet.sign(
            next(version: 5, previous: HashFunction.sha256.digest([1])), keys: [rootA, rootB])
        #expect(try SignedKeySet.verify(fifth.document, after: first).keySet.version == 5)
        let stolen = try SignedKeySet.sign(next(version: 5, root: [rootC], threshold: 1), keys: [rootC])
        #expect(throws: ProtocolFault.threshold(root: "trusted", found: 0, needed: 2)) {
            try SignedKeySet.verify(stolen.document, after: first)
        }
    }

    @Test("a lower version, and another document of the same version, are refused")
    func rollback() throws {
        let second = try SignedKeySet.sign(next(), keys: [rootA, rootB])
        let trusted = try SignedKeySet.verify(second.document, after: first)
        #expect(throws: ProtocolFault.keySetVersion(found: 1, trusted: 2)) {
            try SignedKeySet.verify(first.document, after: trusted)
        }
        let twin = try SignedKeySet.sign(next(revoked: [agent.publicKey.keyID]), keys: [rootA, rootB])
        #expect(throws: ProtocolFault.keySetVersion(found: 2, trusted: 2)) {
            try SignedKeySet.verify(twin.document, after: trusted)
        }
    }

    @Test("the wrong predecessor is refused")
    func wrongPrevious() throws {
        let second = try SignedKeySet.sign(next(previous: HashFunction.sha256.digest([1])), keys: [rootA, rootB])
        #expect(throws: ProtocolFault.keySetPrevious) { try SignedKeySet.verify(second.document, after: first) }
        let none = try document(next().payload.changing([("prev", "")]), keys: [rootA, rootB])
        #expect(throws: ProtocolFault.keySetPrevious) { try SignedKeySet.verify(none, after: first) }
    }

    @Test("the new root alone, one signature too few, and the agent cannot sign a step")
    func thresholds() throws {
        let byNew = try SignedKeySet.sign(next(root: [rootC], threshold: 1), keys: [rootC])
        #expect(throws: ProtocolFault.threshold(root: "trusted", found: 0, needed: 2)) {
            try SignedKeySet.verify(byNew.document, after: first)
        }
        let byOld = try SignedKeySet.sign(next(root: [rootC], threshold: 1), keys: [rootA, rootB])
        #expect(throws: ProtocolFault.threshold(root: "new", found: 0, needed: 1)) {
            try SignedKeySet.verify(byOld.document, after: first)
        }
        let short = try SignedKeySet.sign(next(), keys: [rootA])
        #expect(throws: ProtocolFault.threshold(root: "trusted", found: 1, needed: 2)) {
            try SignedKeySet.verify(short.document, after: first)
        }
        let byAgent = try SignedKeySet.sign(next(), keys: [agent, rootA])
        #expect(throws: ProtocolFault.threshold(root: "trusted", found: 1, needed: 2)) {
            try SignedKeySet.verify(byAgent.document, after: first)
        }
        let byNobody = try SignedKeySet.sign(next(), keys: [])
        #expect(throws: ProtocolFault.threshold(root: "new", found: 0, needed: 2)) {
            try SignedKeySet.verify(byNobody.document, after: nil)
        }
    }

    @Test("one key counts once, as a signature and in a root")
    func countedTwice() throws {
        let twice = try document(next().payload, keys: [rootA, rootA])
        #expect(throws: ProtocolFault.repeatedKey(rootA.publicKey.keyID)) {
            try SignedKeySet.verify(twice, after: first)
        }
        #expect(throws: ProtocolFault.repeatedKey(rootA.publicKey.keyID)) {
            try SignedKeySet.verify(try document(next(root: [rootA, rootA]).payload, keys: [rootA]), after: nil)
        }
    }

    @Test("a signature over another payload, or under another type, does not count")
    func foreignSignatures() throws {
        let good = try JSON(parsing: try document(next().payload, keys: [rootA, rootB]))
        let other = next(revoked: [rootB.publicKey.keyID]).payload.bytes
        let spliced = good.changing([("payload", .string(Base64.encode(other, as: .url)))])
        #expect(throws: ProtocolFault.threshold(root: "trusted", found: 0, needed: 2)) {
            try SignedKeySet.verify(spliced.bytes, after: first)
        }
        #expect(throws: ProtocolFault.header(.keys)) {
            try SignedKeySet.verify(try document(next().payload, keys: [rootA, rootB], type: .command), after: first)
        }
    }

    @Test("a key of small order, or under an id that is not its own, spoils the whole set")
    func badKeys() throws {
        let identity = [1] + [UInt8](repeating: 0, count: 31)
        let keyID = Base64.encode(JWKThumbprint.ed25519(identity).prefix(8), as: .url)
        func signers(_ kid: String, _ raw: [UInt8]) -> JSON {
            [["kid": .string(kid), "x": .string(Base64.encode(raw, as: .url)), "ops": [], "devs": []]]
        }
        let agentID = agent.publicKey.keyID
        for (kid, raw) in [(keyID, identity), (agentID, identity), (agentID, rootC.publicKey.rawBytes), (agentID, [])] {
            let payload = next().payload.changing([("signers", signers(kid, raw))])
            let bad = try document(payload, keys: [rootA, rootB])
            let fault = #expect(throws: ProtocolFault.self) { try SignedKeySet.verify(bad, after: first) }
            guard case .key(kid, _) = fault else {
                Issue.record("refused as \(String(describing: fault))")
                continue
            }
        }
    }

    @Test(
        "a payload of another form is refused",
        arguments: [
            ("ver", 0), ("ver", "2"), ("root", []), ("root", ["keys": [], "threshold": 0]),
            ("root", ["keys": [], "threshold": 1]), ("signers", [1]), ("revoked", ["short"]), ("revoked", [1]),
            ("prev", "AAAA"), ("prev", nil), ("lease", 1), ("signers", [:]),
        ] as [(String, JSON?)])
    func wrongForm(_ name: String, _ value: JSON?) throws {
        let bad = try document(next().payload.changing([(name, value)]), keys: [rootA, rootB])
        let fault = #expect(throws: ProtocolFault.self) { try SignedKeySet.verify(bad, after: first) }
        if case .threshold = fault { Issue.record("read as a key set") }
    }

    @Test("bytes of another form are refused and size is bounded")
    func wrongDocument() throws {
        let good = first.document
        for bytes in [[], Array("{}".utf8), good + [0x20, 0x7D], Array(good.dropLast())] {
            #expect(throws: ProtocolFault.self) { try SignedKeySet.verify(bytes, after: nil) }
        }
        let padded = good + [UInt8](repeating: 0x20, count: 16_385 - good.count)
        #expect(throws: ProtocolFault.size(16_385, allowed: 16_384)) { try SignedKeySet.verify(padded, after: nil) }
        #expect(try SignedKeySet.verify(Array(padded.dropLast()), after: nil).keySet == first.keySet)
        let many = JSON.object([
            .init("payload", "e30"), .init("signatures", .array(Array(repeating: [:], count: 33))),
        ])
        #expect(throws: ProtocolFault.member("signatures", allowed: "at most 32")) {
            try SignedKeySet.verify(many.bytes, after: nil)
        }
    }

    @Test("a revoked key signs nothing, though it is listed")
    func revoked() throws {
        let home = try Home()
        var verifier = home.verifier()
        let root = rootA
        let keySet = KeySet(
            version: 7, root: .init(keys: [root.publicKey], threshold: 1),
            signers: [.init(key: home.agent.publicKey, ops: ["lock.lock"])], revoked: [home.agent.publicKey.keyID])
        verifier.adopt(try SignedKeySet.sign(keySet, keys: [root]))
        #expect(home.deliver(try home.signed(home.claims()).bytes, to: &verifier).code == "E_KID")
    }

    @Test("a verifier never goes back to an older key set")
    func adoptOlder() throws {
        var verifier = try Home().verifier()
        verifier.adopt(first)
        #expect(verifier.trusted.version == 7)
    }
}
