// A name that came through one of these initialisers can be put into a topic: no separator, no wildcard, bounded.

import Sealing

private enum Name {
    /// `[a-z0-9-]{1,64}`, looked at byte by byte so that no other spelling of a letter counts.
    static func isValid(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
            }
    }
}

/// The name of a site: one home behind one broker.
package struct SiteID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String
    package var description: String { rawValue }

    /// Accepts `[a-z0-9-]{1,64}`.
    package init?(rawValue: String) {
        guard Name.isValid(rawValue) else { return nil }
        self.rawValue = rawValue
    }
}

/// The name of a device, unique because it is random.
package struct DeviceID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String
    package var description: String { rawValue }

    /// Accepts `[a-z0-9-]{1,64}`.
    package init?(rawValue: String) {
        guard Name.isValid(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    /// Takes a claim as it was sent, so that a wrong name is told from a wrong type; it must be compared before use.
    init(asSent text: String) { rawValue = text }

    /// A new name of 64 random bits: `dev-` and 16 hex digits.
    package static func random() -> DeviceID { DeviceID(asSent: "dev-" + Hex.encode(Random.bytes(8))) }
}

/// The name of a hub, the issuer of commands.
package struct HubID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String
    package var description: String { rawValue }

    /// Accepts `[a-z0-9-]{1,64}`.
    package init?(rawValue: String) {
        guard Name.isValid(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    /// Takes a claim as it was sent, so that a wrong name is told from a wrong type; it must be compared before use.
    init(asSent text: String) { rawValue = text }

    /// A new name of 32 random bits: `hub-` and 8 hex digits.
    package static func random() -> HubID { HubID(asSent: "hub-" + Hex.encode(Random.bytes(4))) }
}

/// Sixteen random bytes written as 22 base64url characters: `jti`, `ses`, `non` and `chn`.
package enum Nonce {
    /// A new value.
    package static func random() -> String { Base64.encode(Random.bytes(16), as: .url) }

    /// Whether the text is the one spelling of sixteen bytes.
    package static func isValid(_ text: String) -> Bool {
        text.utf8.count == 22 && Base64.decode(text, as: .url)?.count == 16
    }
}
