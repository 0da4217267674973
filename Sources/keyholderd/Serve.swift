// Nothing is served before the lock is held, the vault has proved durable, and the configuration is right.

import ArgumentParser
import Delegation
import FoundationEssentials
import Logging
import Sealing
import Settings
import Vault

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the home in KEYHOLDER_HOME (the default).")

    @Option(help: "trace, debug, info, notice, warning or error.") var logLevel = "info"

    func run() async throws {
        guard let level = Logger.Level(rawValue: logLevel) else {
            throw Refusal(.usage, "--log-level \(quoted(logLevel)) is not a level", hint: "use info")
        }
        let home = try HomeFolder(environment: ProcessInfo.processInfo.environment)
        try Self.checkPrivacy(of: home)
        let lock = try HomeLock(home)
        var logger = Logger(label: "keyholderd", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = level
        let vault: Vault
        do {
            vault = try await Vault.open(at: home.vault)
        } catch VaultError.readOnly(let path) {
            throw StartFailure.readOnly(path)
        } catch VaultError.missing(let path) {
            throw Refusal(.notFound, "there is no vault at \(quoted(path))", hint: "run 'keyholder init'")
        } catch let error as VaultError {
            throw StartFailure.vault(error.description)
        }
        let configuration: AgentConfiguration
        let text = try SettingsFile.read(home.configuration)
        do throws(SettingsError) {
            configuration = try AgentConfiguration(yaml: text, file: home.configuration)
        } catch {
            throw Refusal(.usage, error.description)
        }
        // Said now, and not with the first provider that cannot be reached.
        if let file = configuration.caFile { _ = try SettingsFile.read(file, maximumSize: 4 << 20) }
        if vault.protection.kind == .file {
            do {
                try await vault.unseal(with: try KeySource.readFile(at: home.vaultKey))
            } catch let error as VaultError {
                throw StartFailure.vault("\(error) (\(quoted(home.vaultKey)))")
            }
        }
        try await Composition(home: home, vault: vault, configuration: configuration, logger: logger).run()
        try vault.close()
        // Held until here, so that nobody opens the vault before it is closed.
        _ = consume lock
    }

    /// A home that others can write to is not ours to trust.
    private static func checkPrivacy(of home: HomeFolder) throws {
        // That there is none is said by the lock, which comes next.
        guard PrivateFile.isPrivateFolder(home.path) != false else {
            throw Refusal(
                .failure, "the home \(quoted(home.path)) belongs to another user or is open to others",
                hint: "chown it to the daemon's user and chmod it to 700")
        }
    }
}
