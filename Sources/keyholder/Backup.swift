// The daemon writes a backup, because only it opens the vault; a restore is the daemon's program, while it does not serve.

import ArgumentParser
import Delegation
import Glibc
import StrictJSON

struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a copy of the vault into a new file.",
        discussion: "The vault's key is not in it. A backup that is restored is in quarantine until you lift that.")
    @Argument(help: "The new file; what is there already stays.") var file: String
    @OptionGroup var output: Output

    func run() async throws {
        let answer = try await Daemon.ask(.POST, "/v1/backup", ["path": .string(try Self.absolute(file))])
        output.print(answer) { ["wrote \($0["backup"]?.cell("path") ?? file)"] }
        guard !output.json else { return }
        Console.error(
            answer["backup"]?["key_source"]?.string == "file"
                ? "note: the vault's key is not in it; keep vault.key as well, but not in the same place"
                : "note: it opens with the passphrase of today, which is not in it")
        Console.error("note: keep config.yaml, broker/ and device-profiles/ of the home as well")
    }

    private static func absolute(_ file: String) throws(Refusal) -> String {
        guard !file.isEmpty else { throw Refusal(.usage, "the name of the file is empty") }
        guard !file.hasPrefix("/") else { return file }
        guard let folder = getcwd(nil, 0) else {
            throw Refusal(.failure, "the folder that this runs in is gone", hint: "give a path that begins with '/'")
        }
        defer { free(folder) }
        return "\(String(cString: folder))/\(file)"
    }
}

struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put a backup in the place of the vault; the daemon must not be running.",
        discussion: "Runs 'keyholderd restore'.")
    @Argument(help: "The backup.") var file: String
    @Flag(help: "Move a vault that is there aside first.") var replace = false
    @OptionGroup var output: Output

    func run() throws {
        // After '--', so that no file's name is taken for an option.
        try DaemonProgram.run(
            ["restore"] + (replace ? ["--replace"] : []) + (output.json ? ["--json"] : []) + ["--", file])
    }
}
