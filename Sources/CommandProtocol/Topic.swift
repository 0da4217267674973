// Every topic of DAC/1 is written and read here, so that both sides mean the same one.

/// A topic of DAC/1, taken apart.
package struct Topic: Hashable, Sendable {
    /// What a topic carries; the raw value is its last level.
    package enum Kind: String, Sendable, CaseIterable {
        case command = "cmd"
        case acknowledgement = "ack"
        case hello
        case challenge = "chal"
        case state
        case token
        case online
        case keys
    }

    package let kind: Kind
    package let site: SiteID
    /// The device, or `nil` for the key set, which is for all.
    package let device: DeviceID?

    /// Takes a topic name apart; `nil` unless it is exactly one that DAC/1 defines.
    package init?(parsing name: String) {
        // Longer than the longest legal topic; bounds the splitting.
        guard name.utf8.count <= 160 else { return nil }
        let levels = name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard levels.count == 4 || levels.count == 5, levels[0] == "dac", levels[1] == "v1",
            let site = SiteID(rawValue: levels[2]), let kind = levels.last.flatMap(Kind.init)
        else { return nil }
        if levels.count == 4 {
            guard kind == .keys else { return nil }
            device = nil
        } else {
            guard kind != .keys, let id = DeviceID(rawValue: levels[3]) else { return nil }
            device = id
        }
        self.kind = kind
        self.site = site
    }

    private static func name(_ site: SiteID, _ device: DeviceID, _ kind: Kind) -> String {
        "dac/v1/\(site.rawValue)/\(device.rawValue)/\(kind.rawValue)"
    }

    /// Commands, hub to device; QoS 1, never retained.
    package static func command(_ site: SiteID, _ device: DeviceID) -> String { name(site, device, .command) }

    /// Acknowledgements, device to hub; QoS 1, never retained.
    package static func acknowledgement(_ site: SiteID, _ device: DeviceID) -> String {
        name(site, device, .acknowledgement)
    }

    /// Signed greetings, device to hub; QoS 1, retained.
    package static func hello(_ site: SiteID, _ device: DeviceID) -> String { name(site, device, .hello) }

    /// Challenge requests and challenges, both ways; QoS 1, never retained.
    package static func challenge(_ site: SiteID, _ device: DeviceID) -> String { name(site, device, .challenge) }

    /// Signed state, device to all; QoS 1, retained.
    package static func state(_ site: SiteID, _ device: DeviceID) -> String { name(site, device, .state) }

    /// Sealed access tokens, hub to device; QoS 1, never retained.
    package static func token(_ site: SiteID, _ device: DeviceID) -> String { name(site, device, .token) }

    /// The last will, retained and unsigned: a hint, never an input to a decision.
    package static func online(_ site: SiteID, _ device: DeviceID) -> String { name(site, device, .online) }

    /// The root-signed key set of a site; QoS 1, retained.
    package static func keys(_ site: SiteID) -> String { "dac/v1/\(site.rawValue)/keys" }
}
