// Where to approve is printed, and whoever looks at a terminal is told when it is done; ending the command gives nothing
// up, because the daemon is who waits.

import ArgumentParser
import Delegation
import FoundationEssentials
import StrictJSON

extension GrantCommand {
    struct Request: AsyncParsableCommand {
        enum Flow: String, ExpressibleByArgument, CaseIterable {
            case redirect
            case oob
            case device
            case client
        }

        static let configuration = CommandConfiguration(
            abstract: "Ask a provider for a grant; the owner approves on the provider's page.",
            discussion: """
                redirect: a browser on this machine comes back here. oob: the page shows a PIN to type. device: a code to
                type in on any other device, for example a phone. client: for the hub itself, nobody is asked.
                """)
        @Argument(help: "The device.") var name: String
        @Option(help: "Another provider than the one in the device's profile.") var provider: String?
        @Option(help: "redirect, oob, device or client; left out, the first of them that the provider has but oob.")
        var flow: Flow?
        @Option(help: "Ask for this operation only; may be given several times.") var scope: [String] = []
        @Flag(help: "Never hand out the access token; only 'keyholder sign' and commands use it.") var signOnly = false
        @Flag(name: .customLong("qr"), help: "Draw the QR code of the page also when this is no terminal.")
        var drawsQR =
            false
        @Option(help: "Wait so long for the approval.") var wait: String?
        @OptionGroup var output: Output

        func validate() throws {
            if drawsQR, output.json { throw ValidationError("--json prints no QR code; leave out --qr") }
        }

        func run() async throws {
            let patience = try wait.map(seconds)
            let body: JSON = .compact([
                "device": .string(name), "provider": provider.map(JSON.string),
                "flow": (flow?.rawValue).map(JSON.string), "scope": scope.isEmpty ? nil : .strings(scope),
                "sign_only": signOnly ? true : nil,
            ])
            let answer = try await Daemon.ask(.POST, "/v1/grants", body)
            let prompt = DevicePrompt(answer)
            output.print(answer) { words($0, prompt) }
            if let prompt, !output.json {
                prompt.draw(isForced: drawsQR)
                guard patience == nil, Console.isTerminal else { return try await wait(patience, answer) }
                Console.error("waiting for the approval; Ctrl-C ends the waiting and not the request")
                return try await wait(prompt.remaining, answer)
            }
            try await wait(patience, answer)
        }

        private func words(_ answer: JSON, _ prompt: DevicePrompt?) -> [String] {
            if let prompt { return prompt.words }
            guard let url = answer["authorize_url"]?.string else {
                return ["\(name): \(answer["grant"]?.cell("state") ?? "-")"]
            }
            let then: [String] =
                switch answer["finish"]?.string {
                case "verifier": ["then type the PIN that it shows: keyholder grant finish \(name)"]
                case "redirected":
                    ["then copy the address that the browser ends at: keyholder grant finish \(name) --redirected"]
                default: []
                }
            return ["open this page and approve:", "", "  \(url)", ""] + then
        }

        private func wait(_ patience: Int?, _ answer: JSON) async throws {
            guard let patience, answer["grant"]?["state"]?.string == Grant.State.pending.rawValue,
                let id = answer["grant"]?["id"]?.string
            else { return }
            let shown = try await Daemon.ask(
                .GET, GrantCommand.path(name) + "?wait=\(patience)&grant=\(id)", wait: patience)
            if !output.json { Console.error("\(name): \(shown["grant"]?.cell("state") ?? "-")") }
            try GrantCommand.requireActive(shown, name)
        }
    }
}

/// What a person needs to approve on another device (RFC 8628 §3.3).
private struct DevicePrompt {
    let userCode: String
    let page: String
    let complete: String?
    private let expiresAt: Date?

    /// `nil` when the answer is about another flow.
    init?(_ answer: JSON) {
        guard let code = answer["user_code"]?.string, let page = answer["verification_uri"]?.string else { return nil }
        // The provider chose these texts; what is not plain is not shown as if it were.
        userCode = Self.plain(code)
        self.page = Self.plain(page)
        complete = answer["verification_uri_complete"]?.string
        expiresAt = answer["expires_at"]?.string.flatMap { try? Date($0, strategy: .iso8601) }
    }

    private static func plain(_ text: String) -> String {
        String(text.unicodeScalars.map { (0x20...0x7E).contains($0.value) ? Character($0) : "?" })
    }

    /// Whole seconds for which the code is still good.
    var remaining: Int {
        guard let expiresAt else { return 600 }
        return Int(max(1, min(86_400, expiresAt.timeIntervalSinceNow.rounded(.up))))
    }

    var words: [String] {
        let edge = String(repeating: "\u{2500}", count: userCode.count + 4)
        let minutes = remaining / 60
        return [
            "open this page on any device:", "", "  \(page)", "", "and type this code:", "",
            "  \u{250C}\(edge)\u{2510}", "  \u{2502}  \(userCode)  \u{2502}", "  \u{2514}\(edge)\u{2518}", "",
            "it is good for \(minutes > 1 ? "\(minutes) minutes" : "a minute at most")",
        ]
    }

    /// Draws the page's address, with the code in it if there is such an address and it fits.
    func draw(isForced: Bool) {
        guard isForced || Console.isTerminal else { return }
        let room = Console.columns ?? Int.max
        guard
            let code = [complete, page].lazy.compactMap({ $0 }).compactMap(QRCode.init).first(where: {
                $0.columns <= room
            })
        else { return Console.error("note: the terminal is too narrow for the page's QR code") }
        Console.draw("")
        for line in code.lines(isColoured: Console.isTerminal) { Console.draw(line) }
        Console.draw("")
    }
}
