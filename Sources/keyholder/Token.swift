// Only the access token itself is printed; everything else stays with the daemon.

import ArgumentParser
import Delegation
import StrictJSON

struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a device's access token, for local programs; it is refreshed when needed.",
        discussion: """
            With --audience, --resource or --scope the provider changes it for a narrower one (RFC 8693), if its profile
            says that it can.
            """)
    @Argument(help: "The device.") var name: String
    @Option(help: "How long it must still be valid at least.") var minValid: String?
    @Option(help: "Whom the narrower token is for; may be given several times.") var audience: [String] = []
    @Option(help: "The address of an API that it is for; may be given several times.") var resource: [String] = []
    @Option(help: "A scope of the narrower token; may be given several times.") var scope: [String] = []
    @OptionGroup var output: Output

    private var isNarrowed: Bool { !(audience + resource + scope).isEmpty }

    func validate() throws {
        if isNarrowed, minValid != nil {
            throw ValidationError(
                "--min-valid is not for a token that is got anew, with --audience, --resource or --scope")
        }
    }

    func run() async throws {
        let body: JSON =
            isNarrowed
            ? ["audience": .strings(audience), "resource": .strings(resource), "scope": .strings(scope)]
            : ["min_valid": .integer(Int64(try seconds(minValid ?? "60s")))]
        output.print(try await Daemon.ask(.POST, "/v1/devices/\(name.percentEncoded)/token", body)) {
            [$0.cell("access_token")]
        }
    }
}
