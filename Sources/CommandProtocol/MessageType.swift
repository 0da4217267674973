// A protected header is a constant but for the key id: comparing bytes ends every confusion about algorithm and type.

/// The message types of DAC/1; the raw value is `typ`.
package enum MessageType: String, Sendable, CaseIterable {
    case command = "dac-cmd+jwt"
    case acknowledgement = "dac-ack+jwt"
    case hello = "dac-hello+jwt"
    case challenge = "dac-chal+jwt"
    case state = "dac-state+jwt"
    case keys = "dac-keys+jwt"
    case join = "dac-join+jwt"

    /// The most bytes a whole message of this type may have.
    package var maximumSize: Int {
        switch self {
        case .command, .acknowledgement, .hello, .challenge, .state: 2_048
        case .keys: 16_384
        case .join: 32_768
        }
    }

    /// The protected header, byte for byte, of a message signed by `keyID`; a join bundle has no key id.
    package func protectedHeader(keyID: String) -> [UInt8] {
        switch self {
        case .join: Array(#"{"alg":"HS256","typ":"dac-join+jwt"}"#.utf8)
        default: Array(#"{"alg":"Ed25519","kid":"\#(keyID)","typ":"\#(rawValue)"}"#.utf8)
        }
    }

    /// The key id in a protected header of this type, or `nil` when any byte differs from what it must be.
    func keyID(inProtectedHeader header: [UInt8]) -> String? {
        let start = #"{"alg":"Ed25519","kid":""#.utf8.count
        guard header.count >= start + Self.keyIDLength else { return nil }
        let keyID = String(decoding: header[start..<start + Self.keyIDLength], as: UTF8.self)
        guard Self.isKeyID(keyID), header == protectedHeader(keyID: keyID) else { return nil }
        return keyID
    }

    /// Eight bytes as base64url.
    private static let keyIDLength = 11

    /// Whether a text has the form of a key id: 11 characters of the base64url alphabet.
    static func isKeyID(_ text: String) -> Bool {
        text.utf8.count == keyIDLength
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
