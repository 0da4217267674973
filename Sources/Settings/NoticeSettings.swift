// Where notices go. They hold no secret, but they tell when a home is unguarded: over plain HTTP they stay in the house.

/// How people are told what they should know; nothing is told anywhere unless the file says so.
package struct NoticeSettings: Sendable, Equatable {
    /// A program that is run for each notice; absolute.
    package let command: String?
    /// Where each notice is posted to.
    package let webhook: String?
    /// Whether the home's broker carries them.
    package let mqtt: Bool
    /// Whether Home Assistant gets a sensor over the home's broker.
    package let homeAssistant: Bool

    /// Nothing is told anywhere.
    package static let none = NoticeSettings()

    /// Names the channels.
    package init(command: String? = nil, webhook: String? = nil, mqtt: Bool = false, homeAssistant: Bool = false) {
        self.command = command
        self.webhook = webhook
        self.mqtt = mqtt
        self.homeAssistant = homeAssistant
    }

    init(_ section: StrictSection) {
        command = section.text("command", required: false, allowed: "an absolute path of a program") { path in
            path.hasPrefix("/") && !path.hasSuffix("/") && !path.utf8.contains(0)
        }
        webhook = section.text(
            "webhook", required: false,
            allowed: "an https URL, or an http URL of this machine or the home's own network, without user or fragment",
            check: Self.isWebhook)
        mqtt = section.flag("mqtt") ?? Self.none.mqtt
        homeAssistant = section.flag("home_assistant") ?? Self.none.homeAssistant
        section.finish()
    }

    /// Https anywhere; http where the way does not leave the house, because that is how Home Assistant comes.
    private static func isWebhook(_ text: String) -> Bool {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains("#"),
            let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) })
        else { return false }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
        // A backslash is a slash to some readers of URLs; so nobody may read another host than this.
        guard !authority.contains("@"), !text.contains("\\") else { return false }
        // The digits after a colon outside brackets are a port, which an address needs.
        let hasPort = authority.split(separator: "]", omittingEmptySubsequences: false).last?.contains(":") == true
        guard let address = AgentConfiguration.Address(hasPort ? String(authority) : "\(authority):80") else {
            return false
        }
        return scheme == "https://" || HomeNetwork.holds(address.host)
    }
}

/// Tells the hosts of a house from those of the internet by how they are written.
private enum HomeNetwork {
    /// Endings that no public name has (RFC 6762, RFC 8375, ICANN's `internal`, and what most routers give out).
    private static let endings = [".local", ".lan", ".home.arpa", ".internal"]

    static func holds(_ host: String) -> Bool {
        let host = host.lowercased()
        if host.contains(":") { return holds(IPv6: host) }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        if let last = labels.last, last.first?.isNumber == true { return holds(IPv4: labels) }
        // A name of one label is looked up in the house only.
        guard !labels.contains(where: \.isEmpty) else { return false }
        return labels.count == 1 || endings.contains { host.hasSuffix($0) }
    }

    /// Loopback, private and link-local (RFC 1122, 1918, 3927), in the one spelling that everybody reads alike.
    private static func holds(IPv4 labels: [Substring]) -> Bool {
        let bytes = labels.compactMap { label in UInt8(label).flatMap { String($0) == label ? $0 : nil } }
        guard bytes.count == 4, labels.count == 4 else { return false }
        return switch (bytes[0], bytes[1]) {
        case (127, _), (10, _), (172, 16...31), (192, 168), (169, 254): true
        default: false
        }
    }

    /// Loopback, unique local and link-local (RFC 4291, 4193).
    private static func holds(IPv6 host: String) -> Bool {
        guard host != "::1" else { return true }
        // The first sixteen bits; an address that begins with "::" has none of those wanted.
        guard
            let first = host.split(separator: ":", omittingEmptySubsequences: false).first.flatMap({
                $0.count == 4 ? UInt16($0, radix: 16) : nil
            })
        else { return false }
        return first & 0xFE00 == 0xFC00 || first & 0xFFC0 == 0xFE80
    }
}
