// A device moves from one key set to a later one only when enough of the keys it already trusts, and enough of the new
// ones, signed the step. It never moves back.

package import Sealing
import StrictJSON

/// A key set as it travels: general JSON serialisation of JWS (RFC 7515 §7.2.1), one signature for each root key.
package struct SignedKeySet: Sendable, Equatable {
    package let keySet: KeySet
    /// The exact document, to be stored and published.
    package let document: [UInt8]
    /// SHA-256 of the payload, 32 bytes: the next version's `prev`.
    package let hash: [UInt8]

    /// How many signatures are looked at; each costs a verification.
    private static let maximumSignatures = 32

    private init(keySet: KeySet, document: [UInt8], payload: [UInt8]) {
        self.keySet = keySet
        self.document = document
        hash = HashFunction.sha256.digest(payload)
    }

    /// Signs a key set with as many root keys as are at hand.
    ///
    /// - Throws: ``ProtocolFault`` for a key set that no device would read.
    package static func sign(_ keySet: KeySet, keys: [Ed25519PrivateKey]) throws(ProtocolFault) -> SignedKeySet {
        let payload = keySet.payload.bytes
        _ = try KeySet(parsing: payload)
        var signatures: [JSON] = []
        for key in keys {
            let header = MessageType.keys.protectedHeader(keyID: key.publicKey.keyID)
            let input = CompactSerialization.signingInput(header: header, payload: payload)
            let signature = try key.signature(over: input)
            signatures.append([
                "protected": .string(Base64.encode(header, as: .url)),
                "signature": .string(Base64.encode(signature, as: .url)),
            ])
        }
        let object: JSON = [
            "payload": .string(Base64.encode(payload, as: .url)), "signatures": .array(signatures),
        ]
        let document = object.bytes
        guard document.count <= MessageType.keys.maximumSize else {
            throw .size(document.count, allowed: MessageType.keys.maximumSize)
        }
        return SignedKeySet(keySet: keySet, document: document, payload: payload)
    }

    /// Reads a key set and checks the step from the trusted one.
    ///
    /// The document that is already trusted passes again. A version further ahead than one is taken too, as long as the
    /// trusted root signed it; then `prev` names a document this side never saw.
    ///
    /// - Parameters:
    ///   - document: The bytes as received or stored.
    ///   - trusted: The key set in force; `nil` only where the document came through an authenticated join bundle or
    ///     out of own storage.
    /// - Returns: The key set, to be stored and trusted from now on.
    /// - Throws: ``ProtocolFault`` at the first thing that is wrong.
    package static func verify(
        _ document: [UInt8], after trusted: SignedKeySet?
    ) throws(ProtocolFault) -> SignedKeySet {
        let (payload, signatures) = try parse(document)
        let keySet = try KeySet(parsing: payload)
        let next = SignedKeySet(keySet: keySet, document: document, payload: payload)
        if let trusted {
            guard keySet.version > trusted.keySet.version || next.hash == trusted.hash else {
                throw .keySetVersion(found: keySet.version, trusted: trusted.keySet.version)
            }
            if keySet.version == trusted.keySet.version + 1 {
                guard keySet.previous == trusted.hash else { throw .keySetPrevious }
            }
            try require(trusted.keySet.root, "trusted", signatures, payload)
        }
        try require(keySet.root, "new", signatures, payload)
        return next
    }

    private static func parse(_ document: [UInt8]) throws(ProtocolFault) -> ([UInt8], [String: [UInt8]]) {
        let limit = MessageType.keys.maximumSize
        guard (1...limit).contains(document.count) else { throw .size(document.count, allowed: limit) }
        let outer = try ClaimSet(parsing: document, required: ["payload", "signatures"])
        guard let payload = Base64.decode(try outer.text("payload"), as: .url) else { throw .format("payload") }
        let elements = try outer.elements("signatures")
        guard elements.count <= maximumSignatures else {
            throw .member("signatures", allowed: "at most \(maximumSignatures)")
        }
        var signatures: [String: [UInt8]] = [:]
        for element in elements {
            let members = try ClaimSet(element, required: ["protected", "signature"])
            guard let header = Base64.decode(try members.text("protected"), as: .url),
                let signature = Base64.decode(try members.text("signature"), as: .url)
            else { throw .format("signature") }
            guard let keyID = MessageType.keys.keyID(inProtectedHeader: header) else { throw .header(.keys) }
            guard signatures.updateValue(signature, forKey: keyID) == nil else { throw .repeatedKey(keyID) }
        }
        return (payload, signatures)
    }

    private static func require(
        _ root: KeySet.Root, _ name: String, _ signatures: [String: [UInt8]], _ payload: [UInt8]
    ) throws(ProtocolFault) {
        let found = root.keys.count { key in
            guard let signature = signatures[key.keyID] else { return false }
            let header = MessageType.keys.protectedHeader(keyID: key.keyID)
            return key.isValid(signature, for: CompactSerialization.signingInput(header: header, payload: payload))
        }
        guard found >= root.threshold else { throw .threshold(root: name, found: found, needed: root.threshold) }
    }
}
