// What protects the vault is said in words a person can act on, also when it does not.

import ArgumentParser
import Delegation
import Sealing
import StrictJSON

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "How the agent is.")
    @OptionGroup var output: Output

    func run() async throws {
        let status = try await Daemon.ask(.GET, "/v1/status")
        output.print(status) { status in
            let grants = (status["grants"]?.members ?? []).map { "\($0.value.text) \($0.name)" }.joined(separator: ", ")
            let protection = status["protection"]
            let strict = (status["strict"]?.array ?? []).map { "\($0.cell("device")) (\($0.cell("provider")))" }
            var rows = [
                ["home", status.cell("name")],
                ["vault", status["sealed"]?.bool == true ? "sealed" : "open"],
                ["broker", status.cell("broker")],
                ["provider", status.cell("provider")],
                ["people", status.cell("users")],
                ["devices", status.cell("devices")],
                ["grants", grants.isEmpty ? "none" : grants],
                ["key source", protection?.cell("key_source") ?? "-"],
                [
                    "stolen disk",
                    protection?["stolen_disk"]?.bool == true ? "protected" : "NOT protected: the key is on it",
                ],
                [
                    "memory",
                    protection?["locked_memory"]?.bool == true ? "secrets are locked" : "secrets may be swapped out",
                ],
            ]
            if !strict.isEmpty { rows.append(["power cut", "may cost a grant: \(strict.joined(separator: ", "))"]) }
            if let count = status["queued_revocations"]?.integer, count > 0 {
                rows.append(["to be told", "\(count) ended at providers that were not reached yet"])
            }
            if let reason = status["quarantine"]?.string { rows.append(["quarantine", reason]) }
            return table(rows) + (status["notices"]?.array ?? []).flatMap { NoticeWords.lines($0, isMarked: false) }
        }
        if !output.json, status["quarantine"]?.string != nil {
            Console.error("hint: nothing is refreshed; if no other hub uses this home, run 'keyholder quarantine lift'")
        }
        if !output.json, status["users"]?.integer == 0 {
            Console.error(
                "hint: nobody can approve yet: run 'keyholder user add NAME' or 'keyholder user invite'")
        }
    }
}

struct Seal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Drop the vault's key from memory; nothing works until unseal.")
    func run() async throws { _ = try await Daemon.ask(.POST, "/v1/seal", [:]) }
}

struct Unseal: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Open the vault.")
    @Option(help: "A file of mode 0600 with the passphrase, or '-' for standard input.") var passphraseFile: String?

    func run() async throws {
        let status = try await Daemon.ask(.GET, "/v1/status")
        var body: JSON = [:]
        if status["protection"]?["key_source"]?.string == "passphrase" {
            let passphrase = try SecretInput.read(file: passphraseFile, what: "passphrase")
            body = ["passphrase": .string(passphrase.revealText())]
        }
        _ = try await Daemon.ask(.POST, "/v1/unseal", body)
    }
}
