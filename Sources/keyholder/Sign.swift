// What is printed makes one request good, once; no secret is in it.

import ArgumentParser
import Delegation
import Sealing
import StrictJSON

struct Sign: AsyncParsableCommand {
    /// What still fits into a question to the daemon.
    private static let largestBody = 128 * 1024

    static let configuration = CommandConfiguration(
        abstract: "Print the Authorization header for one request; the secrets stay inside.",
        discussion: """
            With OAuth 1.0a that is the header's value. For a grant whose tokens are bound to a key (DPoP) there are two
            headers, one a line and each with its name, as 'curl --header @-' takes them.
            """)
    @Argument(help: "The device.") var name: String
    @Argument(help: "GET, POST, …") var method: String
    @Argument(help: "The URL, exactly as it will be requested.") var url: String
    @Option(help: "A field of the form body, name=value; may be given several times.") var form: [String] = []
    @Option(help: "A file with the body, which is no form; its hash is signed (oauth_body_hash).") var bodyFile: String?
    @Option(help: "What the API asked for in its DPoP-Nonce header.") var dpopNonce: String?
    @OptionGroup var output: Output

    func validate() throws {
        if bodyFile != nil, !form.isEmpty { throw ValidationError("a request has a form or another body, not both") }
    }

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
        let content = try bodyFile.map { try TextFile.bytes($0, limit: Self.largestBody) }
        let body: JSON = .compact([
            "method": .string(method), "url": .string(url), "form": .array(fields),
            "body": content.map { .string(Base64.encode($0, as: .url)) }, "nonce": dpopNonce.map(JSON.string),
        ])
        output.print(try await Daemon.ask(.POST, "/v1/devices/\(name.percentEncoded)/sign", body)) { answer in
            guard let proof = answer["dpop"]?.string else { return [answer.cell("authorization")] }
            return ["Authorization: \(answer.cell("authorization"))", "DPoP: \(proof)"]
        }
    }
}
