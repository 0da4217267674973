// The exit code says what is proven: 0 only with the device's signed receipt, 5 when it may have acted.

import ArgumentParser
import Delegation
import StrictJSON

struct CommandCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "command", abstract: "Send a signed command and wait for the device's signed receipt.",
        discussion: "For example: keyholder command hallway climate.set t_mC=21500")
    @Argument(help: "The device.") var name: String
    @Argument(help: "The operation, such as lock.lock.") var operation: String
    @Argument(help: "Arguments, name=value.") var arguments: [String] = []
    @Option(help: "How long the command may live.") var timeout = "10s"
    @OptionGroup var output: Output

    func run() async throws {
        let patience = try seconds(timeout)
        guard patience >= 1 else { throw ValidationError("--timeout must be at least 1s") }
        let pairs = try arguments.map { argument -> JSON in
            guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
                throw ValidationError("\(quoted(argument)) is not name=value")
            }
            return [
                "name": .string(String(argument[..<equals])),
                "value": .string(String(argument[argument.index(after: equals)...])),
            ]
        }
        let body: JSON = ["op": .string(operation), "typed": .array(pairs), "timeout": .integer(Int64(patience))]
        let answer = try await Daemon.ask(
            .POST, "/v1/devices/\(name.percentEncoded)/commands", body, wait: patience)
        output.print(answer, words)
        let outcome = answer["outcome"]?.string.flatMap(Outcome.init(rawValue:)) ?? .unknown
        switch outcome {
        case .executed: return
        case .unknown:
            throw Refusal(
                .unknownOutcome, "no signed receipt came in time: \(operation) may have happened or not",
                hint: "look at the device, or ask for its state with 'keyholder device show \(name)'")
        case .rejected:
            throw Refusal(
                .rejected, "the device refused \(operation) with \(answer.cell("code"))", hint: "it did nothing")
        case .failed: throw Refusal(.failure, "the device tried \(operation) and failed")
        case .refused: throw Refusal(.notAuthorised, "the hub refused \(operation)")
        }
    }

    private func words(_ answer: JSON) -> [String] {
        var lines = ["\(name): \(operation) \(answer.cell("outcome"))"]
        if let receipt = answer["receipt"] {
            lines += table([
                [
                    "  receipt",
                    "signed by key \(receipt.cell("kid")) of \(receipt.cell("device")), verified \(receipt.cell("verified_at"))",
                ],
                ["  command", "\(answer.cell("command")), sha256 \(receipt.cell("cmd"))"],
                ["  result", answer.cell("result")],
            ])
        }
        return lines
    }
}
