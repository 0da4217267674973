// A label that parses holds keys that passed the import checks; its code is a secret and never shown in an error.

package import Sealing

/// What a new device shows, as text or QR code, to whoever holds it in hand.
package struct Label: Sendable {
    package let device: DeviceID
    /// The identity key.
    package let key: Ed25519PublicKey
    /// The X25519 key for sealing, 32 bytes.
    package let seal: [UInt8]
    /// The one-time code, 16 bytes.
    package let code: Secret
    /// The device profile, e.g. `locks/demo-lock`.
    package let profile: String

    /// Puts a label together.
    ///
    /// - Throws: ``ProtocolFault/label(field:found:allowed:)`` for parts that ``init(parsing:)`` would refuse.
    package init(
        device: DeviceID, key: Ed25519PublicKey, seal: [UInt8], code: Secret, profile: String
    ) throws(ProtocolFault) {
        try Self.checkSealingKey(seal)
        guard code.count == 16 else {
            throw .label(field: "code", found: "\(code.count) bytes", allowed: "16 bytes in base64url")
        }
        guard Self.isProfile(profile) else {
            throw .label(
                field: "profile", found: ProtocolFault.quote(profile), allowed: "<kind>/<model> in a–z, 0–9 and hyphens"
            )
        }
        self.device = device
        self.key = key
        self.seal = seal
        self.code = code
        self.profile = profile
    }

    /// Reads a label.
    ///
    /// - Throws: ``ProtocolFault/label(field:found:allowed:)`` with the part that is wrong.
    package init(parsing text: String) throws(ProtocolFault) {
        guard text.utf8.count <= 512 else {
            throw .label(field: "text", found: "\(text.utf8.count) bytes", allowed: "at most 512 bytes")
        }
        guard text.hasPrefix(Self.start) else {
            // Not quoted: a label with a damaged beginning still holds the code.
            throw .label(field: "text", found: "something else", allowed: "\(Self.start)…")
        }
        var fields: [String: String] = [:]
        for part in text.dropFirst(Self.start.count).split(separator: "&", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2, Self.names.contains(pair[0]) else {
                // Without an equals sign the part may be the code itself.
                let found = pair.count == 2 ? ProtocolFault.quote(String(pair[0].prefix(16))) : "without a value"
                throw .label(field: "field", found: found, allowed: Self.names.joined(separator: ", "))
            }
            guard fields.updateValue(pair[1], forKey: pair[0]) == nil else {
                throw .label(field: pair[0], found: "there twice", allowed: "there once")
            }
        }
        for name in Self.names where fields[name] == nil {
            throw .label(field: name, found: "missing", allowed: "present")
        }
        let dev = fields["dev"] ?? ""
        guard let device = DeviceID(rawValue: dev) else {
            throw .label(field: "dev", found: ProtocolFault.quote(dev), allowed: "1 to 64 of a–z, 0–9 and hyphens")
        }
        guard let code = Base64.decode(fields["code"] ?? "", as: .url) else {
            throw .label(field: "code", found: "not base64url", allowed: "16 bytes in base64url")
        }
        try self.init(
            device: device, key: try Self.identityKey(fields["key"] ?? ""),
            seal: try Self.bytes("seal", fields["seal"] ?? ""), code: Secret(code), profile: fields["profile"] ?? "")
    }

    /// The text to show, code included: for the device's own display only.
    package func revealText() -> String {
        let code = code.reveal { Base64.encode(Array($0), as: .url) }
        let key = Base64.encode(key.rawBytes, as: .url)
        let seal = Base64.encode(seal, as: .url)
        return "\(Self.start)dev=\(device.rawValue)&key=\(key)&seal=\(seal)&code=\(code)&profile=\(profile)"
    }

    private static let start = "dac-label:v1?"
    private static let names = ["dev", "key", "seal", "code", "profile"]

    private static func bytes(_ field: String, _ text: String) throws(ProtocolFault) -> [UInt8] {
        guard let bytes = Base64.decode(text, as: .url) else {
            throw .label(field: field, found: "not base64url", allowed: "32 bytes in base64url")
        }
        return bytes
    }

    private static func identityKey(_ text: String) throws(ProtocolFault) -> Ed25519PublicKey {
        let raw = try bytes("key", text)
        do throws(SealingError) {
            return try Ed25519PublicKey(rawBytes: raw)
        } catch {
            throw .label(field: "key", found: error.description, allowed: "an Ed25519 key in base64url")
        }
    }

    private static func checkSealingKey(_ raw: [UInt8]) throws(ProtocolFault) {
        let allowed = "an X25519 key in base64url"
        // 2^255 − 19 in little endian is ED FF … FF 7F: a canonical key is below it.
        let isAbovePrime = raw.count == 32 && raw[31] == 0x7F && raw[0] >= 0xED && raw[1..<31].allSatisfy { $0 == 0xFF }
        guard raw.count == 32, raw[31] < 0x80, !isAbovePrime else {
            throw .label(field: "seal", found: "not canonical or not 32 bytes", allowed: allowed)
        }
        do throws(SealingError) {
            // Agreement is the one check for small order that libcrypto offers.
            _ = try X25519PrivateKey(rawSecret: .random(count: 32)).agree(with: raw)
        } catch {
            throw .label(field: "seal", found: error.description, allowed: allowed)
        }
    }

    private static func isProfile(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { SiteID(rawValue: String($0)) != nil }
    }
}
