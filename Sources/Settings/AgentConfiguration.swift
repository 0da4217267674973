// `config.yaml` is decoded once, strictly, into this value; defaults stand in one place and are what `init` writes.

/// Everything the daemon is told by its configuration file. It holds no secret.
package struct AgentConfiguration: Sendable, Equatable {
    /// An address to listen on or to connect to.
    package struct Address: Sendable, Equatable {
        package let host: String
        package let port: Int

        /// Names a host and a port.
        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        /// Reads `host:port`, with brackets around an IPv6 address.
        package init?(_ text: String) {
            guard let colon = text.lastIndex(of: ":") else { return nil }
            let digits = text[text.index(after: colon)...]
            // Compared with the text, because `Int` also takes "+8420" and "08420".
            guard let port = Int(digits), String(port) == digits, (1...65_535).contains(port) else { return nil }
            let host = text[..<colon]
            let isBracketed = host.hasPrefix("[") && host.hasSuffix("]") && host.count > 2
            let name = isBracketed ? host.dropFirst().dropLast() : host
            guard !name.isEmpty, name.utf8.allSatisfy({ Self.allowed($0, inBrackets: isBracketed) }) else { return nil }
            self.init(host: String(name), port: port)
        }

        private static func allowed(_ byte: UInt8, inBrackets: Bool) -> Bool {
            switch byte {
            case UInt8(ascii: ":"): inBrackets
            case UInt8(ascii: "-"), UInt8(ascii: "_"): !inBrackets
            case UInt8(ascii: "."), 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: false
            }
        }

        /// Whether it can be reached from this machine only.
        package var isLoopback: Bool { host == "127.0.0.1" || host == "localhost" || host == "::1" }

        /// `host:port`.
        package var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// What the home is called on consent pages.
    package let name: String
    /// Where the home's provider and the app API listen; plain HTTP, so loopback only.
    package let listen: Address
    /// What browsers and apps call the home's provider, without a slash at the end, when something with TLS stands in
    /// front of it; `nil` for the address it listens on.
    package let publicURL: String?
    /// What apps call the app API, when that has a name of its own; `nil` for the provider's.
    package let apiURL: String?
    /// Where grants come home after approval; loopback only (RFC 8252 §7.3).
    package let redirect: Address
    /// The broker.
    package let broker: Address
    /// How long the home's provider lets an OAuth 2 access token live.
    package let accessTokenLifetime: Duration
    /// A PEM file with authorities that providers' certificates may come from, beside the system's; `nil` without.
    package let caFile: String?
    /// How people are told what they should know.
    package let notices: NoticeSettings

    /// What stands for a setting that is not in the file.
    package static let standard = AgentConfiguration(
        name: "Home", listen: Address(host: "127.0.0.1", port: 8420), publicURL: nil, apiURL: nil,
        redirect: Address(host: "127.0.0.1", port: 8421),
        broker: Address(host: "localhost", port: 8883), accessTokenLifetime: .seconds(600))

    /// Assembles a configuration.
    package init(
        name: String, listen: Address, publicURL: String? = nil, apiURL: String? = nil, redirect: Address,
        broker: Address, accessTokenLifetime: Duration, caFile: String? = nil, notices: NoticeSettings = .none
    ) {
        self.name = name
        self.listen = listen
        self.publicURL = publicURL
        self.apiURL = apiURL
        self.redirect = redirect
        self.broker = broker
        self.accessTokenLifetime = accessTokenLifetime
        self.caFile = caFile
        self.notices = notices
    }

    /// Reads `config.yaml`.
    ///
    /// - Throws: ``SettingsError`` with every fault of the file.
    package init(yaml: String, file: String) throws(SettingsError) {
        let faults = FaultList(file: file)
        guard let root = StrictSection.root(of: yaml, file: file, faults: faults) else {
            throw SettingsError(faults: faults.faults)
        }
        let standard = Self.standard
        let loopback = "a loopback address with port, such as 127.0.0.1:8420"
        func loopbackAddress(_ key: String) -> Address? {
            root.parsed(key, required: false, allowed: loopback) { text in
                Address(text).flatMap { $0.isLoopback ? $0 : nil }
            }
        }
        let name = root.text("name", required: false, allowed: "a text of at most 64 characters") { $0.count <= 64 }
        let listen = loopbackAddress("listen")
        func origin(_ key: String) -> String? {
            root.text(key, required: false, allowed: "an https address without path, such as https://home.example") {
                Self.isOrigin($0)
            }
        }
        let publicURL = origin("public_url")
        let apiURL = origin("api_url")
        let redirect = loopbackAddress("redirect")
        let broker = root.parsed("broker", required: false, allowed: "host:port") { Address($0) }
        let lifetime = root.duration("access_token_lifetime", in: .seconds(1)...(.seconds(86_400)), required: false)
        let caFile = root.text("ca_file", required: false, allowed: "an absolute path") { $0.hasPrefix("/") }
        let notices = root.section("notices", required: false).map(NoticeSettings.init)
        root.finish()
        guard faults.faults.isEmpty else { throw SettingsError(faults: faults.faults) }
        self.init(
            name: name ?? standard.name, listen: listen ?? standard.listen, publicURL: publicURL, apiURL: apiURL,
            redirect: redirect ?? standard.redirect,
            broker: broker ?? standard.broker, accessTokenLifetime: lifetime ?? standard.accessTokenLifetime,
            caFile: caFile, notices: notices ?? standard.notices)
    }

    /// The base URL of the home's provider, which is also its issuer.
    package var providerURL: String { publicURL ?? "http://\(listen.text)" }

    /// Https, a name in lower case, perhaps a port, and nothing after it (http on this machine only).
    private static func isOrigin(_ text: String) -> Bool {
        let scheme = ["https://", "http://"].first { text.hasPrefix($0) } ?? ""
        let rest = text.dropFirst(scheme.count)
        guard !scheme.isEmpty, rest == rest.lowercased(),
            let address = Address(rest.contains(":") ? String(rest) : "\(rest):443")
        else { return false }
        return scheme == "https://" || address.isLoopback
    }

    /// The configuration as the file that `init` writes.
    package var yaml: String {
        """
        # Keyholder's configuration. It holds no secret. A key that is missing has the value shown in the README.
        name: \(Self.yamlText(name))
        # The home's provider and the app API (plain HTTP, so loopback only).
        listen: \(Self.yamlText(listen.text))\(Self.line("public_url", publicURL))\(Self.line("api_url", apiURL))
        # Where an approval comes home (loopback only).
        redirect: \(Self.yamlText(redirect.text))
        broker: \(Self.yamlText(broker.text))
        access_token_lifetime: \(accessTokenLifetime.short)\(Self.line("ca_file", caFile))\(noticeLines)

        """
    }

    private var noticeLines: String {
        let lines = [
            notices.command.map { "command: \(Self.yamlText($0))" },
            notices.webhook.map { "webhook: \(Self.yamlText($0))" }, notices.mqtt ? "mqtt: true" : nil,
            notices.homeAssistant ? "home_assistant: true" : nil,
        ].compactMap { $0 }
        return lines.isEmpty ? "" : "\nnotices:" + lines.map { "\n  \($0)" }.joined()
    }

    private static func line(_ key: String, _ text: String?) -> String {
        text.map { "\n\(key): \(yamlText($0))" } ?? ""
    }

    /// A double-quoted scalar (YAML 1.2 §7.3.1); every character that a YAML file may not hold is escaped.
    private static func yamlText(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar -> String in
            switch scalar.value {
            case 0x22, 0x5C: "\\\(scalar)"
            // "&" and "*", because a reader that refuses aliases need not look what is quoted.
            case 0x26, 0x2A: "\\x" + hex(scalar.value, digits: 2)
            case 0x20...0x7E: String(scalar)
            case 0..<0x100: "\\x" + hex(scalar.value, digits: 2)
            // Line breaks of YAML 1.1, the byte order mark, and what is no character.
            case 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: "\\u" + hex(scalar.value, digits: 4)
            default: String(scalar)
            }
        }
        return "\"\(escaped.joined())\""
    }

    private static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
