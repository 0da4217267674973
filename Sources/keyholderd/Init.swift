// A home appears whole or not at all: it is made in a folder beside its place and then moved there.

import ArgumentParser
import Commanding
import Delegation
import FoundationEssentials
import Glibc
import Sealing
import Settings
import StrictJSON
import Vault

struct Init: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Create a home in KEYHOLDER_HOME.")

    @Option(help: "What the home is called.") var name: String?
    @Option(help: "file: the vault opens by itself. passphrase: it opens when you say so.") var keySource = "file"
    @Option(help: "A file of mode 0600 with the passphrase; without it the passphrase is asked for.")
    var passphraseFile: String?
    @Option(help: "Where the home's provider listens, host:port, loopback.") var listen: String?
    @Option(help: "Where approvals come home, host:port, loopback.") var redirect: String?
    @Option(help: "The broker, host:port; the port is where Mosquitto will listen.") var broker: String?
    @Option(help: "How long an access token of the home's provider lives, such as 10m.") var accessTokenLifetime:
        String?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let home = try HomeFolder(environment: ProcessInfo.processInfo.environment)
        let configuration = try checkedConfiguration()
        guard let kind = KeySource.Kind(rawValue: keySource) else {
            throw Refusal(
                .usage, "--key-source \(quoted(keySource)) is not allowed",
                hint: "use one of \(KeySource.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard !FileManager.default.fileExists(atPath: home.vault) else {
            throw Refusal(.conflict, "there already is a home at \(quoted(home.path))", hint: "nothing was changed")
        }
        _ = try home.socket()
        let passphrase = kind == .passphrase ? try Passphrase.new(file: passphraseFile) : nil
        let parent = home.path.lastIndex(of: "/").map { String(home.path[..<$0]) } ?? ""
        try FileManager.default.createDirectory(
            atPath: parent.isEmpty ? "/" : parent, withIntermediateDirectories: true)
        let place = HomeFolder(path: "\(home.path).new-\(Random.alphanumerics(6))")
        guard mkdir(place.path, 0o700) == 0 else { throw Self.failed("create", place.path) }
        do {
            try await make(home, at: place, configuration: configuration, passphrase: passphrase)
            // Replaces an empty folder, such as a supervisor makes; anything else stops it.
            guard rename(place.path, home.path) == 0 else { throw Self.failed("create", home.path) }
        } catch {
            try? FileManager.default.removeItem(atPath: place.path)
            throw error
        }
        report(home, configuration: configuration, protection: Protection(kind: kind))
    }

    private static func failed(_ verb: String, _ path: String) -> Refusal {
        Refusal(
            errno == ENOTEMPTY || errno == EEXIST ? .conflict : .failure,
            "cannot \(verb) \(quoted(path)): \(String(cString: strerror(errno)))",
            hint: "choose another KEYHOLDER_HOME, or an empty folder")
    }

    /// Every option through the same strict reader that reads the file later.
    private func checkedConfiguration() throws -> AgentConfiguration {
        let standard = AgentConfiguration.standard
        let options = [
            ("name", name), ("listen", listen), ("redirect", redirect), ("broker", broker),
            ("access_token_lifetime", accessTokenLifetime),
        ]
        let yaml = options.compactMap { key, value in value.map { "\(key): \(JSON.string($0).text)" } }
        guard !yaml.isEmpty else { return standard }
        do throws(SettingsError) {
            return try AgentConfiguration(yaml: yaml.joined(separator: "\n"), file: "command line")
        } catch {
            throw Refusal(.usage, error.description)
        }
    }

    private func make(
        _ home: HomeFolder, at place: HomeFolder, configuration: AgentConfiguration, passphrase: Secret?
    ) async throws {
        let source = try passphrase.map(KeySource.passphrase) ?? KeySource.makeFile(at: place.vaultKey)
        let vault = try await Vault.create(at: place.vault, key: source, homeName: configuration.name)
        let password = Secret(text: Random.alphanumerics(32))
        let site = try await vault.write { transaction in
            let now = Date()
            try HubKeys.create(in: transaction, at: now)
            try transaction.insertKey(
                StoredKey(id: "broker", purpose: .broker, secret: password, createdAt: now, retiredAt: nil))
            let home = try transaction.home()
            try transaction.audit(
                AuditEntry(
                    actor: .agent, action: "home.create", subject: home.site, authority: "local", outcome: "created"),
                at: now)
            return home.site
        }
        try vault.close()
        try PrivateFile.create(place.configuration, Secret(text: configuration.yaml))
        try BrokerFolder(path: home.broker).create(
            at: place.broker, site: site, host: configuration.broker.host, port: configuration.broker.port,
            password: password)
    }

    private func report(_ home: HomeFolder, configuration: AgentConfiguration, protection: Protection) {
        let broker = BrokerFolder(path: home.broker).configurationFile
        if json {
            Console.out(
                JSON.object([
                    .init("home", .string(home.path)), .init("name", .string(configuration.name)),
                    .init("provider", .string("http://\(configuration.listen.text)")),
                    .init("broker_configuration", .string(broker)), .init("protection", protection.json),
                ]).prettyText)
        } else {
            Console.out("created \(quoted(configuration.name)) in \(home.path)")
            Console.out("start the broker:  mosquitto -c \(broker)")
            Console.out("start the daemon:  keyholderd")
            if protection.kind == .file {
                Console.error("note: the vault's key lies beside it; whoever steals the disk has both")
            }
        }
    }
}
