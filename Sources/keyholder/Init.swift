// Only the daemon opens the vault, so making a home is the daemon's work; this hands over to it.

import ArgumentParser

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create a home: vault, keys, configuration, broker files.",
        discussion: "Runs 'keyholderd init', which see for what each option means.")

    @Option(help: "What the home is called.") var name: String?
    @Option(help: "file or passphrase.") var keySource: String?
    @Option(help: "A file of mode 0600 with the passphrase; without it the passphrase is asked for.")
    var passphraseFile: String?
    @Option(help: "Where the home's provider listens, host:port.") var listen: String?
    @Option(help: "Where approvals come home, host:port.") var redirect: String?
    @Option(help: "The broker, host:port.") var broker: String?
    @Option(help: "How long an access token of the home's provider lives, such as 10m.") var accessTokenLifetime:
        String?
    @OptionGroup var output: Output

    func run() throws {
        let options = [
            ("--name", name), ("--key-source", keySource), ("--passphrase-file", passphraseFile), ("--listen", listen),
            ("--redirect", redirect), ("--broker", broker), ("--access-token-lifetime", accessTokenLifetime),
        ]
        var arguments = ["init"]
        for case (let option, let value?) in options { arguments += ["\(option)=\(value)"] }
        if output.json { arguments.append("--json") }
        try DaemonProgram.run(arguments)
    }
}
