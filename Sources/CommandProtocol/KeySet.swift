// Every key in a key set passed the import checks, has the id its bytes say, and appears once in its list.

package import Sealing
package import StrictJSON

/// Who may sign for a site: root keys for the next key set, signers for commands.
package struct KeySet: Sendable, Equatable {
    /// The keys that sign key sets.
    package struct Root: Sendable, Equatable {
        package let keys: [Ed25519PublicKey]
        /// How many of the keys must sign.
        package let threshold: Int

        /// Names root keys and how many of them must sign.
        package init(keys: [Ed25519PublicKey], threshold: Int) {
            self.keys = keys
            self.threshold = threshold
        }
    }

    /// A key that signs commands.
    package struct Signer: Sendable, Equatable {
        package let key: Ed25519PublicKey
        /// The operations it may ask for.
        package let ops: [String]
        /// The devices it may ask, by id; `*` stands for all.
        package let devs: [String]

        /// Names a key and what it may do.
        package init(key: Ed25519PublicKey, ops: [String], devs: [String] = ["*"]) {
            self.key = key
            self.ops = ops
            self.devs = devs
        }
    }

    /// Strictly increasing, from 1.
    package let version: Int64
    package let root: Root
    package let signers: [Signer]
    /// Key ids, of signers and devices, that count no more.
    package let revoked: [String]
    /// SHA-256 of the payload of the version before, 32 bytes; `nil` for the first, on the wire an empty string.
    package let previous: [UInt8]?

    /// Puts a key set together.
    package init(version: Int64, root: Root, signers: [Signer], revoked: [String] = [], previous: [UInt8]? = nil) {
        self.version = version
        self.root = root
        self.signers = signers
        self.revoked = revoked
        self.previous = previous
    }

    /// What one device takes out of it.
    package func signers(for device: DeviceID) -> TrustedSigners {
        var table: [String: TrustedSigners.Signer] = [:]
        for signer in signers where signer.devs.contains("*") || signer.devs.contains(device.rawValue) {
            table[signer.key.keyID] = TrustedSigners.Signer(key: signer.key, operations: Set(signer.ops))
        }
        return TrustedSigners(version: version, signers: table, revoked: Set(revoked))
    }

    /// The payload, members in the order of the specification.
    package var payload: JSON {
        [
            "ver": .integer(version),
            "root": [
                "keys": .array(root.keys.map { .object(Self.members(of: $0)) }),
                "threshold": .integer(Int64(root.threshold)),
            ],
            "signers": .array(
                signers.map {
                    .object(
                        Self.members(of: $0.key) + [
                            JSON.Member("ops", .strings($0.ops)), JSON.Member("devs", .strings($0.devs)),
                        ])
                }),
            "revoked": .strings(revoked),
            "prev": .string(Base64.encode(previous ?? [], as: .url)),
        ]
    }

    private static func members(of key: Ed25519PublicKey) -> [JSON.Member] {
        [
            JSON.Member("kid", .string(key.keyID)),
            JSON.Member("x", .string(Base64.encode(key.rawBytes, as: .url))),
        ]
    }
}

extension KeySet {
    /// Reads a payload and checks every key in it.
    init(parsing payload: [UInt8]) throws(ProtocolFault) {
        let claims = try ClaimSet(parsing: payload, required: ["ver", "root", "signers", "revoked", "prev"])
        version = try claims.integer("ver", atLeast: 1)
        root = try Root(try claims.object("root"))
        var signers: [Signer] = []
        for element in try claims.elements("signers") {
            let members = try ClaimSet(element, required: ["kid", "x", "ops", "devs"])
            signers.append(
                Signer(
                    key: try Self.key(members), ops: try members.texts("ops"), devs: try members.texts("devs")))
        }
        try Self.requireDistinct(signers.map(\.key))
        self.signers = signers
        revoked = try claims.texts("revoked")
        guard revoked.allSatisfy(MessageType.isKeyID) else { throw .member("revoked", allowed: "an array of key ids") }
        let prev = try claims.text("prev")
        guard let hash = Base64.decode(prev, as: .url), hash.isEmpty || hash.count == 32 else {
            throw .member("prev", allowed: "32 bytes in base64url, or empty")
        }
        previous = hash.isEmpty ? nil : hash
    }

    static func key(_ members: ClaimSet) throws(ProtocolFault) -> Ed25519PublicKey {
        let keyID = try members.text("kid")
        guard let raw = Base64.decode(try members.text("x"), as: .url) else {
            throw .member("x", allowed: "32 bytes in base64url")
        }
        let key: Ed25519PublicKey
        do throws(SealingError) {
            key = try Ed25519PublicKey(rawBytes: raw)
        } catch {
            throw .key(keyID, why: error.description)
        }
        guard key.keyID.utf8.elementsEqual(keyID.utf8) else { throw .key(keyID, why: "its id is \(key.keyID)") }
        return key
    }

    static func requireDistinct(_ keys: [Ed25519PublicKey]) throws(ProtocolFault) {
        var seen: Set<String> = []
        for key in keys where !seen.insert(key.keyID).inserted { throw .repeatedKey(key.keyID) }
    }
}

extension KeySet.Root {
    fileprivate init(_ object: JSON) throws(ProtocolFault) {
        let claims = try ClaimSet(object, required: ["keys", "threshold"])
        var keys: [Ed25519PublicKey] = []
        for element in try claims.elements("keys") {
            keys.append(try KeySet.key(try ClaimSet(element, required: ["kid", "x"])))
        }
        try KeySet.requireDistinct(keys)
        self.keys = keys
        let threshold = try claims.integer("threshold", atLeast: 1)
        guard threshold <= Int64(keys.count) else { throw .member("threshold", allowed: "at most the number of keys") }
        self.threshold = Int(threshold)
    }
}
