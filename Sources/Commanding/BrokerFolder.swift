// The broker's folder holds everything the distribution's Mosquitto needs to serve this home and nobody else: TLS by
// the home's own authority, every login and right by the dynamic-security plugin.

import Delegation
import FoundationEssentials
import Glibc
package import Sealing
import StrictJSON

/// The files below `broker/` of a home.
package struct BrokerFolder: Sendable {
    /// The folder itself.
    package let path: String

    /// Names a folder.
    package init(path: String) { self.path = path }

    /// The home's certificate authority, PEM.
    package var authorityFile: String { "\(path)/ca.pem" }

    /// What `mosquitto -c` is started with.
    package var configurationFile: String { "\(path)/mosquitto.conf" }

    /// The hub's login at the broker, and its client id.
    package static let hubUser = "hub"

    /// Makes the folder and its files.
    ///
    /// - Parameters:
    ///   - place: Where to make it now, when it will be moved to ``path`` later.
    ///   - site: The `<site>` of every topic.
    ///   - host: What the broker listens on and is reached as; stands in its certificate.
    ///   - port: The TLS port.
    ///   - password: The hub's password.
    /// - Throws: ``Refusal`` when a file cannot be written or Mosquitto's plugin is not installed.
    package func create(
        at place: String, site: String, host: String, port: Int, password: Secret
    ) throws {
        let plugin = try Self.pluginPath()
        guard mkdir(place, 0o700) == 0 else {
            throw Refusal(.failure, "cannot create \(quoted(place)): \(String(cString: strerror(errno)))")
        }
        let authority = try Certificate.authority(name: "Keyholder \(site)")
        let names = Set([host, "localhost", "127.0.0.1"]).sorted()
        let server = try authority.issueServer(name: "broker of \(site)", hosts: names)
        let document = try DynamicSecurity.initialDocument(site: site, hubUser: Self.hubUser, password: password)
        try write(place, "ca.pem", Array(authority.pem.utf8))
        // The authority's own key is not kept: this home needs one certificate, and a new home makes new ones.
        try write(place, "server.pem", Array(server.pem.utf8))
        try write(place, "server.key", server.keyPEM.revealBytes())
        try write(place, "dynamic-security.json", Array(document.prettyText.utf8))
        try write(place, "mosquitto.conf", Array(configuration(host: host, port: port, plugin: plugin).utf8))
    }

    private func configuration(host: String, port: Int, plugin: String) -> String {
        """
        # Written by 'keyholder init'. Start with: mosquitto -c \(configurationFile)
        listener \(port) \(host == "localhost" ? "127.0.0.1" : host)
        cafile \(path)/ca.pem
        certfile \(path)/server.pem
        keyfile \(path)/server.key
        tls_version tlsv1.2
        allow_anonymous false
        plugin \(plugin)
        plugin_opt_config_file \(path)/dynamic-security.json
        # A login is one client: nobody can connect with another's client id and swallow its messages.
        use_username_as_clientid true
        # Without it a command waits for a delayed TCP acknowledgement.
        set_tcp_nodelay true
        # Nothing live may rest in the broker.
        persistence false
        max_packet_size 65536
        log_dest stderr
        user \(Self.userName())

        """
    }

    private static func userName() -> String {
        getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "root"
    }

    private static func pluginPath() throws(Refusal) -> String {
        let name = "mosquitto_dynamic_security.so"
        // An unreadable folder holds no plugin either.
        let folders = ["/usr/lib", "/usr/local/lib"].flatMap { root in
            [root]
                + ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted().map { "\(root)/\($0)" }
        }
        for folder in folders where FileManager.default.isReadableFile(atPath: "\(folder)/\(name)") {
            return "\(folder)/\(name)"
        }
        throw Refusal(.failure, "Mosquitto's plugin \(name) is not installed", hint: "run 'apt-get install mosquitto'")
    }

    private func write(_ place: String, _ name: String, _ bytes: [UInt8]) throws(PrivateFileError) {
        try PrivateFile.create("\(place)/\(name)", Secret(bytes))
    }
}
