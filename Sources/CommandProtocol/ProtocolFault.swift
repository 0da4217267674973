// What a peer sent is quoted with control characters escaped and cut short; a secret is never quoted.

/// Why a document of DAC/1 was not made or not believed.
package enum ProtocolFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// The message came on another topic.
    case topic(String)
    /// The broker kept a message that is never retained.
    case retained
    /// The message is empty or has too many bytes.
    case size(Int, allowed: Int)
    /// The message is not the serialisation it should be; the text names the part.
    case format(String)
    /// The protected header is not the constant of this type.
    case header(MessageType)
    /// The key id is not known, or revoked.
    case unknownKey(String)
    /// The signature or authentication code is not that of the key.
    case signature
    /// The payload is not strict JSON.
    case payload(String)
    /// A member of the payload is missing, unknown or of the wrong kind.
    case member(String, allowed: String)
    /// The message is for somebody else.
    case audience(found: String, allowed: String)
    /// The message is from somebody else.
    case issuer(found: String, allowed: String)
    /// The nonce is not the one that was asked with, or was used before.
    case nonce(String)
    /// A key set is older than the one already trusted, or is another document of the same version.
    case keySetVersion(found: Int64, trusted: Int64)
    /// A key set does not continue the trusted one.
    case keySetPrevious
    /// Too few root keys signed a key set; the text says whose threshold is missed.
    case threshold(root: String, found: Int, needed: Int)
    /// One key appears twice where each counts once.
    case repeatedKey(String)
    /// A public key was refused on import.
    case key(String, why: String)
    /// A part of a label is missing or wrong.
    case label(field: String, found: String, allowed: String)
    /// A document is past its end; seconds since 1970.
    case expired(at: Int64, now: Int64)
    /// libcrypto could not sign; the text is its reason.
    case signing(String)

    package var description: String {
        switch self {
        case .topic(let name): "message on topic \(Self.quote(name))"
        case .retained: "retained message where none may be"
        case .size(let count, let allowed): "message of \(count) bytes, allowed are 1 to \(allowed)"
        case .format(let part): "\(part) is not in its one allowed form"
        case .header(let type): "protected header is not that of \(type.rawValue)"
        case .unknownKey(let keyID): "key \(Self.quote(keyID)) is unknown or revoked"
        case .signature: "signature does not verify"
        case .payload(let why): "payload refused: \(why)"
        case .member(let name, let allowed): "member \(Self.quote(name)) must be \(allowed)"
        case .audience(let found, let allowed): "message for \(Self.quote(found)), not for \(Self.quote(allowed))"
        case .issuer(let found, let allowed): "message from \(Self.quote(found)), not from \(Self.quote(allowed))"
        case .nonce(let found): "nonce \(Self.quote(found)) is not an open one"
        case .keySetVersion(let found, let trusted): "key set version \(found) cannot follow version \(trusted)"
        case .keySetPrevious: "key set does not continue the trusted one"
        case .threshold(let root, let found, let needed): "\(found) of \(needed) signatures of the \(root) root"
        case .repeatedKey(let keyID): "key \(Self.quote(keyID)) counted twice"
        case .key(let keyID, let why): "key \(Self.quote(keyID)) refused: \(why)"
        case .label(let field, let found, let allowed): "label: \(field) is \(found), must be \(allowed)"
        case .expired(let at, let now): "expired at \(at), now is \(now)"
        case .signing(let why): "cannot sign: \(why)"
        }
    }

    /// A peer's text made safe to print.
    static func quote(_ text: String) -> String { String(text.prefix(80)).debugDescription }
}
