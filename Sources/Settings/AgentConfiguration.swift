// `config.yaml` is decoded once, strictly, into this value; defaults stand in one place and are what `init` writes.

import Delegation

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
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
                (1...65_535).contains(port)
            else { return nil }
            var host = String(text[..<colon])
            if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
            guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }) else {
                return nil
            }
            self.init(host: host, port: port)
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
    /// Where grants come home after approval; loopback only (RFC 8252 §7.3).
    package let redirect: Address
    /// The broker.
    package let broker: Address
    /// How long the home's provider lets an OAuth 2 access token live.
    package let accessTokenLifetime: Duration

    /// What stands for a setting that is not in the file.
    package static let standard = AgentConfiguration(
        name: "Home", listen: Address(host: "127.0.0.1", port: 8420), redirect: Address(host: "127.0.0.1", port: 8421),
        broker: Address(host: "localhost", port: 8883), accessTokenLifetime: .seconds(600))

    /// Assembles a configuration.
    package init(
        name: String, listen: Address, redirect: Address, broker: Address, accessTokenLifetime: Duration
    ) {
        self.name = name
        self.listen = listen
        self.redirect = redirect
        self.broker = broker
        self.accessTokenLifetime = accessTokenLifetime
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
        let redirect = loopbackAddress("redirect")
        let broker = root.parsed("broker", required: false, allowed: "host:port") { Address($0) }
        let lifetime = root.duration("access_token_lifetime", in: .seconds(1)...(.seconds(86_400)), required: false)
        root.finish()
        guard faults.faults.isEmpty else { throw SettingsError(faults: faults.faults) }
        self.init(
            name: name ?? standard.name, listen: listen ?? standard.listen, redirect: redirect ?? standard.redirect,
            broker: broker ?? standard.broker, accessTokenLifetime: lifetime ?? standard.accessTokenLifetime)
    }

    /// The configuration as the file that `init` writes.
    package var yaml: String {
        """
        # Keyholder's configuration. It holds no secret. A key that is missing has the value shown in the README.
        name: \(quoted(name))
        # The home's provider and the app API (plain HTTP, so loopback only).
        listen: \(quoted(listen.text))
        # Where an approval comes home (loopback only).
        redirect: \(quoted(redirect.text))
        broker: \(quoted(broker.text))
        access_token_lifetime: \(accessTokenLifetime.short)

        """
    }
}
