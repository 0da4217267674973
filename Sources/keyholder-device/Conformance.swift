// The vectors run through the same verifier that guards the thing.

import ArgumentParser
import CommandProtocol
import Delegation
import Settings
import StrictJSON

struct Conformance: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run command and acknowledgement vectors; one line each and a total.")

    @Argument(help: "Files of vectors, such as Tests/Vectors/dac1.json.") var files: [String]

    func run() throws {
        var passed = 0
        var failed = 0
        try DeviceFault.explaining {
            for file in files {
                let document: JSON
                do {
                    document = try JSON(parsing: try SettingsFile.read(file, maximumSize: 16 << 20))
                } catch let fault as JSONFault {
                    throw DeviceFault("\(quoted(file)): \(fault)", exitCode: 2)
                }
                guard ConformanceRunner.recognises(document) else {
                    throw DeviceFault("\(quoted(file)) holds no vectors of DAC/1", exitCode: 2)
                }
                for outcome in ConformanceRunner.run(document) {
                    Console.out(
                        "\(outcome.passed ? "ok  " : "FAIL") \(outcome.id) expected \(outcome.expected) got \(outcome.got)"
                    )
                    if outcome.passed { passed += 1 } else { failed += 1 }
                }
            }
        }
        Console.out("\(passed) passed, \(failed) failed")
        if failed > 0 { throw ExitCode(1) }
    }
}
