// A join bundle holds the device's password: it is written to a private file, or printed when no file is named.

import ArgumentParser
import Delegation
import Sealing
import StrictJSON

struct DeviceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "Devices of the home.",
        subcommands: [Enroll.self, List.self, Show.self, Remove.self])

    struct Enroll: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Enrol a device from its label.",
            discussion: """
                Makes the device's own login at the broker, probes it, and writes the join bundle. The device is enrolled
                when it has joined with the bundle and answered a signed round trip; --wait waits for that.
                """)
        @Argument(help: "What the device is called here.") var name: String
        @Option(help: "The text of the label, or @FILE, or '-' for standard input.") var label: String
        @Option(help: "Use this profile instead of the label's.") var profile: String?
        @Option(help: "Where to write the join bundle (mode 0600); without it, standard output.") var out: String?
        @Option(help: "Wait so long for the device to prove itself.") var wait: String?
        @OptionGroup var output: Output

        func run() async throws {
            let patience = try wait.map(seconds)
            let text = try readLabel()
            do throws(PrivateFileError) {
                if let out { try PrivateFile.checkReplaceable(out) }
            } catch {
                throw Refusal(.usage, error.description, hint: "nothing was enrolled")
            }
            let body: JSON = .compact([
                "name": .string(name), "label": .string(text), "profile": profile.map(JSON.string),
            ])
            let answer = try await Daemon.ask(.POST, "/v1/devices", body)
            guard let bundle = answer["join"]?.string else { throw Refusal(.failure, "the daemon sent no join bundle") }
            if let out {
                do throws(PrivateFileError) {
                    try PrivateFile.replace(out, Secret(text: bundle))
                } catch {
                    throw Refusal(
                        .failure, error.description, hint: "run the same command again; it makes a new bundle")
                }
                if !output.json {
                    Console.error("join bundle written to \(out); give it to the device, then remove it")
                }
            }
            var device = answer["device"] ?? [:]
            if let patience {
                device =
                    try await Daemon.ask(
                        .GET, "/v1/devices/\(name.percentEncoded)?wait=\(patience)", wait: patience)["device"] ?? device
            }
            let result: JSON = ["device": device, "join": .string(out ?? bundle)]
            output.print(result) { _ in
                out == nil
                    ? [bundle] : ["\(name): \(device.cell("state")) (\(device.cell("profile")), \(device.cell("id")))"]
            }
            if patience != nil, device["state"]?.string != Device.State.enrolled.rawValue {
                throw Refusal(
                    .unknownOutcome, "device \(quoted(name)) has not proved itself yet",
                    hint: "start it with the bundle; 'keyholder device show \(name) --wait 60s' goes on waiting")
            }
        }

        private func readLabel() throws -> String {
            if label == "-" { return try SecretInput.read(file: "-", what: "label").revealText() }
            guard label.hasPrefix("@") else { return label }
            let text = try TextFile.read(String(label.dropFirst()))
            return text.hasSuffix("\n") ? String(text.dropLast()) : text
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List devices.")
        @OptionGroup var output: Output

        func run() async throws {
            output.print(try await Daemon.ask(.GET, "/v1/devices")) { answer in
                table(
                    (answer["devices"]?.array ?? []).map {
                        [$0.cell("name"), $0.cell("state"), $0.cell("profile"), $0.cell("id")]
                    })
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a device and what it last signed.")
        @Argument var name: String
        @Option(help: "Wait so long for an enrolment to finish.") var wait: String?
        @OptionGroup var output: Output

        func run() async throws {
            let patience = try wait.map(seconds)
            let query = patience.map { "?wait=\($0)" } ?? ""
            let answer = try await Daemon.ask(
                .GET, "/v1/devices/\(name.percentEncoded)\(query)", wait: patience ?? 0)
            output.print(answer) { answer in
                let device = answer["device"] ?? [:]
                return table((device.members ?? []).map { [$0.name, device.cell($0.name)] })
            }
            if patience != nil, answer["device"]?["state"]?.string == Device.State.enrolling.rawValue {
                throw Refusal(.unknownOutcome, "device \(quoted(name)) has not proved itself yet")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take a device out of the home.")
        @Argument var name: String
        func run() async throws { _ = try await Daemon.ask(.DELETE, "/v1/devices/\(name.percentEncoded)") }
    }
}
