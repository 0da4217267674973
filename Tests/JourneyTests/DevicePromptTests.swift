// A person who approves on a phone sees a page, a code, and something to point the camera at; a provider's texts cannot
// draw anything else.

import Foundation
import StrictJSON
import Testing

@Suite(.serialized) struct DevicePromptTests {
    private static let page = "https://provider.example/device"

    private static func asked(code: String = "WDJB-MJHT", complete: String? = page + "?user_code=WDJB-MJHT") -> JSON {
        .compact([
            "grant": ["id": "g", "device": "hallway", "state": "pending"], "verification_uri": .string(page),
            "verification_uri_complete": complete.map(JSON.string), "user_code": .string(code), "interval": 5,
            "expires_at": "2100-01-01T00:00:00Z",
        ])
    }

    /// The lines of a QR code among others.
    private static func code(in lines: [String]) -> [String] {
        lines.filter { $0.count > 20 && $0.allSatisfy { " \u{2588}\u{2580}\u{2584}".contains($0) } }
    }

    /// The lines with a part of a code, on a terminal, which ends them with two characters.
    private static func drawn(in output: String) -> [String] {
        output.split(whereSeparator: \.isNewline).map(String.init).filter { $0.contains("\u{2588}") }
    }

    @Test(
        "with --qr a code is drawn: a square with a quiet zone and its three finder patterns", .timeLimit(.minutes(1)))
    func square() async throws {
        let daemon = try await StandInDaemon.start(answering: Self.asked())
        let run = try await daemon.keyholder("grant", "request", "hallway", "--flow", "device", "--qr")
        #expect(run.status == 0, "\(run.errors)")
        let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.contains("  \(Self.page)"))
        #expect(lines.contains { $0.contains("  WDJB-MJHT  ") })
        #expect(!run.output.contains("\u{1B}"))
        // Two modules in each character, light ones drawn.
        let modules = Self.code(in: lines).flatMap { line in
            [line.map { $0 == " " || $0 == "\u{2584}" }, line.map { $0 == " " || $0 == "\u{2580}" }]
        }
        let side = try modules.first.orThrow("no code in \(run.output)").count
        #expect(modules.count == side + 1)
        #expect((side - 8 - 17) % 4 == 0, "\(side) is not the side of a code with a quiet zone of four modules")
        for row in modules.prefix(4) + modules.suffix(5) { #expect(!row.contains(true)) }
        for row in modules { #expect(!(row.prefix(4) + row.suffix(4)).contains(true)) }
        let finder = "1111111100000110111011011101101110110000011111111".enumerated().map { ($0.offset, $0.element) }
        for (top, left) in [(4, 4), (4, side - 11), (side - 11, 4)] {
            let found = (0..<49).map { modules[top + $0 / 7][left + $0 % 7] ? "1" : "0" }.joined()
            #expect(found == String(finder.map(\.1)), "\(top), \(left): \(found)")
        }
        try await daemon.stop()
    }

    @Test("without a terminal there is no code and no waiting, and JSON has neither", .timeLimit(.minutes(1)))
    func piped() async throws {
        let daemon = try await StandInDaemon.start(answering: Self.asked())
        let words = try await daemon.keyholder("grant", "request", "hallway", "--flow", "device")
        #expect(words.status == 0)
        #expect(words.output.contains(Self.page) && words.output.contains("WDJB-MJHT"))
        #expect(Self.code(in: words.output.components(separatedBy: "\n")).isEmpty)
        let json = try await daemon.keyholder("grant", "request", "hallway", "--flow", "device", "--json")
        #expect(json.json["verification_uri"]?.string == Self.page)
        #expect(json.json["user_code"]?.string == "WDJB-MJHT")
        #expect(daemon.asked.count == 2 && daemon.asked.allSatisfy { $0.contains("\"flow\":\"device\"") })
        let both = try await daemon.keyholder("grant", "request", "hallway", "--flow", "device", "--json", "--qr")
        #expect(both.status == 2 && both.errors.hasPrefix("error: "))
        try await daemon.stop()
    }

    @Test("on a terminal the code is black on white, and the command waits for the approval", .timeLimit(.minutes(1)))
    func onTerminal() async throws {
        let daemon = try await StandInDaemon.start(answering: Self.asked())
        let run = try await daemon.onTerminal("grant request hallway --flow device")
        let coloured = Self.drawn(in: run.output)
        #expect(coloured.count > 15)
        #expect(coloured.allSatisfy { $0.hasPrefix("\u{1B}[38;5;231;48;5;16m") && $0.contains("\u{1B}[0m") })
        #expect(run.output.contains("waiting for the approval"))
        #expect(daemon.asked.contains { $0.hasPrefix("GET /v1/grants/hallway?wait=") }, "\(daemon.asked)")
        // It still waits for its owner when the daemon stops waiting.
        #expect(run.status == 5, "\(run.output)")
        try await daemon.stop()
    }

    @Test("a page whose code is wider than the terminal is drawn without the user code, or not at all")
    func tooWide() async throws {
        let long = Self.page + "?user_code=" + String(repeating: "x", count: 1500)
        let daemon = try await StandInDaemon.start(answering: Self.asked(complete: long))
        let run = try await daemon.onTerminal("grant request hallway --flow device")
        let widths = Self.drawn(in: run.output).map { line in
            line.count { " \u{2588}\u{2580}\u{2584}".contains($0) }
        }
        #expect(!widths.isEmpty && widths.allSatisfy { $0 <= 80 })
        try await daemon.stop()
    }

    @Test(
        "what a provider writes into its code or page reaches the terminal as plain text only", .timeLimit(.minutes(1)))
    func hostileTexts() async throws {
        let daemon = try await StandInDaemon.start(
            answering: Self.asked(code: "\u{1B}[2J\u{202E}AB\u{0441}D", complete: "https://x.example/\u{1B}]0;x\u{7}"))
        for run in [
            try await daemon.keyholder("grant", "request", "hallway", "--flow", "device", "--qr"),
            try await daemon.onTerminal("grant request hallway --flow device"),
        ] {
            #expect(run.output.contains("?[2J?AB?D"), "\(run.output)")
            #expect(!run.output.contains("\u{1B}[2J") && !run.output.contains("\u{1B}]"))
            #expect(!run.output.contains("\u{202E}") && !run.output.contains("\u{7}"))
        }
        try await daemon.stop()
    }
}
