// The owner's program gets the notice and nothing else of ours: no descriptor, no variable but three, and not for ever.

import Delegation
import StrictJSON
import Subprocess
import SystemPackage

/// Runs a program for each notice, with the document and a line break on its standard input.
///
/// Exit code 0 means told, 75 (`EX_TEMPFAIL` of sysexits) means later, anything else is a failure.
struct CommandHook: NoticeChannel {
    let name = "command"
    let longestRest = Duration.seconds(600)
    /// How long may it run?
    static let patience = Duration.seconds(30)
    /// How much of what it prints is kept for the log, in bytes?
    private static let keptOutput = 2048
    /// Once it was asked to end, how long may that take?
    private static let farewell = Duration.seconds(2)
    private static let tryLater: Int32 = 75
    private static let passedOn = ["HOME", "LANG", "PATH"]

    private let path: String
    private let environment: Environment
    private let pace: Pace

    /// Prepares to run a program.
    ///
    /// - Parameters:
    ///   - path: Where it lies; absolute.
    ///   - environment: The daemon's own; `PATH`, `HOME` and `LANG` are passed on.
    ///   - pace: The clock.
    init(path: String, environment: [String: String], pace: Pace) {
        self.path = path
        self.pace = pace
        self.environment = .custom(
            environment.reduce(into: [:]) { kept, variable in
                guard Self.passedOn.contains(variable.key) else { return }
                kept[Environment.Key(stringLiteral: variable.key)] = variable.value
            })
    }

    func tell(_ notice: Notice) async throws(Undelivered) {
        let document = notice.document.bytes + [0x0A]
        let ended: (status: TerminationStatus, output: String)?
        do {
            ended = try await pace.limit(to: Self.patience) { try await run(document) }
        } catch let error as SubprocessError {
            throw .refused("it cannot be run: \(error)")
        } catch {
            throw .unavailable("it was interrupted")
        }
        switch ended?.status {
        case .exited(0): return
        case .exited(Self.tryLater): throw .unavailable("it asked to be run later")
        case .exited(let code): throw .refused("it ended with code \(code)" + (ended?.output ?? ""))
        case .signaled(let signal): throw .refused("signal \(signal) ended it" + (ended?.output ?? ""))
        case nil: throw .refused("it did not end within \(Self.patience)")
        }
    }

    private func run(_ document: [UInt8]) async throws -> (status: TerminationStatus, output: String) {
        var options = PlatformOptions()
        // A session of its own, so that what it has started ends with it.
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: Self.farewell)]
        let result = try await Subprocess.run(
            .path(FilePath(path)), environment: environment, workingDirectory: "/", platformOptions: options,
            input: .inputWriter, output: .sequence, error: .combinedWithOutput
        ) { execution in
            // Nobody has to read what they were told: a closed pipe is no failure.
            _ = try? await execution.standardInputWriter.write(document)
            try? await execution.standardInputWriter.finish()
            var kept: [UInt8] = []
            for try await part in execution.standardOutput {
                part.withUnsafeBytes { kept += $0.prefix(Self.keptOutput - kept.count) }
            }
            return kept
        }
        return (result.terminationStatus, Self.shown(result.closureResult))
    }

    /// What it printed, as the end of a line of the log.
    private static func shown(_ output: [UInt8]) -> String {
        let text = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline).joined(separator: " | ")
        return text.isEmpty ? "" : ": \(quoted(text))"
    }
}
