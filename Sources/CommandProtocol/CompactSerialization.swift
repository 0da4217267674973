// Three base64url segments, each in its one spelling: two different byte strings are never the same message.

import Sealing

/// A JWS in compact serialisation (RFC 7515 §7.1), before anything in it is believed.
struct CompactSerialization {
    let header: [UInt8]
    let payload: [UInt8]
    let signature: [UInt8]
    /// The bytes the signature is over.
    let signingInput: [UInt8]

    init(parsing message: [UInt8], limit: Int) throws(ProtocolFault) {
        guard (1...limit).contains(message.count) else { throw .size(message.count, allowed: limit) }
        let segments = message.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard segments.count == 3 else { throw .format("compact serialisation") }
        guard let header = Base64.decode(segments[0], as: .url) else { throw .format("header segment") }
        guard let payload = Base64.decode(segments[1], as: .url) else { throw .format("payload segment") }
        guard let signature = Base64.decode(segments[2], as: .url) else { throw .format("signature segment") }
        self.header = header
        self.payload = payload
        self.signature = signature
        signingInput = Array(message[..<segments[1].endIndex])
    }

    /// The bytes that are to be signed.
    static func signingInput(header: [UInt8], payload: [UInt8]) -> [UInt8] {
        Array((Base64.encode(header, as: .url) + "." + Base64.encode(payload, as: .url)).utf8)
    }

    /// The whole message.
    static func message(signingInput: [UInt8], signature: [UInt8]) -> [UInt8] {
        signingInput + [UInt8(ascii: ".")] + Array(Base64.encode(signature, as: .url).utf8)
    }
}
