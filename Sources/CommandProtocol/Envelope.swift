// What is in an envelope is believed only after `isSigned(by:)`; until then it offers nothing but the key id to look up.

package import Sealing
package import StrictJSON

/// A message of DAC/1 as it travels: JWS compact with a constant protected header.
package struct Envelope: Sendable {
    /// The key that claims to have signed; not yet proven.
    package let keyID: String
    private let signature: [UInt8]
    private let signingInput: [UInt8]
    /// The payload bytes; believe them only after ``isSigned(by:)``.
    package let payload: [UInt8]

    /// Takes a message apart: size, then format, then header bytes.
    ///
    /// - Throws: ``ProtocolFault/size(_:allowed:)``, ``ProtocolFault/format(_:)`` or ``ProtocolFault/header(_:)``, in
    ///   this order.
    package init(parsing message: [UInt8], type: MessageType) throws(ProtocolFault) {
        let compact = try CompactSerialization(parsing: message, limit: type.maximumSize)
        guard let keyID = type.keyID(inProtectedHeader: compact.header) else { throw .header(type) }
        self.keyID = keyID
        signature = compact.signature
        signingInput = compact.signingInput
        payload = compact.payload
    }

    /// Whether the holder of `key` signed exactly this message.
    package func isSigned(by key: Ed25519PublicKey) -> Bool { key.isValid(signature, for: signingInput) }

    /// Signs a payload.
    ///
    /// - Throws: ``ProtocolFault/size(_:allowed:)`` when the message would be larger than its type allows.
    package static func sign(
        _ payload: JSON, type: MessageType, key: Ed25519PrivateKey
    ) throws(ProtocolFault) -> [UInt8] {
        let input = CompactSerialization.signingInput(
            header: type.protectedHeader(keyID: key.publicKey.keyID), payload: payload.bytes)
        let message = CompactSerialization.message(signingInput: input, signature: try key.signature(over: input))
        guard message.count <= type.maximumSize else { throw .size(message.count, allowed: type.maximumSize) }
        return message
    }

    /// The payload of a message that must be signed by one known key.
    static func open(_ message: [UInt8], type: MessageType, key: Ed25519PublicKey) throws(ProtocolFault) -> [UInt8] {
        let envelope = try Envelope(parsing: message, type: type)
        guard envelope.keyID == key.keyID else { throw .unknownKey(envelope.keyID) }
        guard envelope.isSigned(by: key) else { throw .signature }
        return envelope.payload
    }
}

extension Ed25519PrivateKey {
    /// Signs, with this target's error.
    func signature(over message: [UInt8]) throws(ProtocolFault) -> [UInt8] {
        do throws(SealingError) {
            return try sign(message)
        } catch {
            throw .signing(error.description)
        }
    }
}
