// Identifiers are types: a device's name is not its id, and neither is ever an unchecked text of a peer.

/// The name a person gave a device: `[a-z0-9]` then `[a-z0-9-]`, at most 32 characters.
package struct DeviceName: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String

    /// Accepts a well-formed name only.
    package init?(rawValue: String) {
        guard isSlug(rawValue, maximum: 32) else { return nil }
        self.rawValue = rawValue
    }

    /// Accepts a well-formed name or says what is allowed.
    package init(checking text: String) throws(Refusal) {
        guard let name = DeviceName(rawValue: text) else {
            throw Refusal(
                .usage, "device name \(quoted(text)) is not allowed",
                hint: "use 1 to 32 characters out of a-z, 0-9 and '-', not starting with '-'")
        }
        self = name
    }

    package var description: String { rawValue }
}

/// The name of a provider profile, such as `home` or `ecobee`: the same form as a device's name.
package struct ProviderName: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String

    /// Accepts a well-formed name only.
    package init?(rawValue: String) {
        guard isSlug(rawValue, maximum: 64) else { return nil }
        self.rawValue = rawValue
    }

    /// Accepts a well-formed name or says what is allowed.
    package init(checking text: String) throws(Refusal) {
        guard let name = ProviderName(rawValue: text) else {
            throw Refusal(
                .usage, "provider name \(quoted(text)) is not allowed",
                hint: "use 1 to 64 characters out of a-z, 0-9 and '-', not starting with '-'")
        }
        self = name
    }

    package var description: String { rawValue }
}

/// Names one delegation for its whole life, across refreshes.
package struct GrantID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package var description: String { rawValue }
}

/// `locks/demo-lock`: the kind of thing and the model, which is also the profile's file below `device-profiles/`.
package struct ProfileReference: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String
    package let kind: String
    package let model: String

    /// The folders of `device-profiles/` that hold device profiles.
    package static let kinds = ["locks", "thermostats", "alarms", "appliances"]

    /// Accepts `<kind>/<model>` with a known kind.
    package init?(rawValue: String) {
        let parts = rawValue.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, Self.kinds.contains(parts[0]), isSlug(parts[1], maximum: 64) else { return nil }
        self.rawValue = rawValue
        kind = parts[0]
        model = parts[1]
    }

    package var description: String { rawValue }
}

func isSlug(_ text: String, maximum: Int) -> Bool {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, bytes.count <= maximum, first != UInt8(ascii: "-") else { return false }
    return bytes.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }
}

/// Whether both are the same bytes; Swift's `==` takes U+212A KELVIN SIGN for "K", a device does not.
func isSame(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }

/// The text in quotes, shortened, with everything a terminal would act on replaced.
package func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(80).map { scalar -> Character in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: "\u{FFFD}"
        default: Character(scalar)
        }
    }
    return "\"\(String(shown))\(text.unicodeScalars.count > 80 ? "…" : "")\""
}
