// Only the access token itself, or one signed header, is printed; everything else stays with the daemon.

import ArgumentParser
import Delegation
import StrictJSON

struct Token: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a device's access token, for local programs; it is refreshed when needed.")
    @Argument(help: "The device.") var name: String
    @Option(help: "How long it must still be valid at least.") var minValid = "60s"
    @OptionGroup var output: Output

    func run() async throws {
        let body: JSON = ["min_valid": .integer(Int64(try seconds(minValid)))]
        output.print(try await Daemon.ask(.POST, "/v1/devices/\(name.percentEncoded)/token", body)) {
            [$0.cell("access_token")]
        }
    }
}

struct Sign: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print an OAuth 1.0a Authorization header for one request; the secrets stay inside.")
    @Argument(help: "The device.") var name: String
    @Argument(help: "GET, POST, …") var method: String
    @Argument(help: "The URL, exactly as it will be requested.") var url: String
    @Option(help: "A field of the form body, name=value; may be given several times.") var form: [String] = []
    @OptionGroup var output: Output

    func run() async throws {
        let fields = try form.map { field -> JSON in
            guard let equals = field.firstIndex(of: "=") else {
                throw ValidationError("\(quoted(field)) is not name=value")
            }
            return [
                "name": .string(String(field[..<equals])),
                "value": .string(String(field[field.index(after: equals)...])),
            ]
        }
        let body: JSON = ["method": .string(method), "url": .string(url), "form": .array(fields)]
        output.print(try await Daemon.ask(.POST, "/v1/devices/\(name.percentEncoded)/sign", body)) {
            [$0.cell("authorization")]
        }
    }
}
