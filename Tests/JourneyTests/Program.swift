// The built programs run as processes of their own, as a person would run them; their pipes are read on threads, never
// on the tests' cooperative pool.

import Foundation
import StrictJSON
import Synchronization

/// What a finished program left.
struct Finished: Sendable {
    let status: Int32
    let output: String
    let errors: String

    /// Standard output as JSON.
    var json: JSON { (try? JSON(parsing: output)) ?? .null }
}

/// A running program.
final class Program: Sendable {
    private let process: Mutex<Process>
    let output = LineLog()
    let errors = LineLog()
    let pid: Int32
    private let ended = LineLog()

    struct Unfinished: Error { let program: String }

    /// Starts a program; `input` is what it reads from standard input, nothing when `nil`.
    init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil
    ) throws {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (out, err) = (Pipe(), Pipe())
        process.standardOutput = out
        process.standardError = err
        let inward = input.map { _ in Pipe() }
        process.standardInput = inward ?? FileHandle.nullDevice
        let ended = ended
        let finished = DispatchGroup()
        for (pipe, log) in [(out, output), (err, errors)] {
            finished.enter()
            let handle = pipe.fileHandleForReading
            Thread.detachNewThread {
                while true {
                    let data = handle.availableData
                    if data.isEmpty { break }
                    log.append(data)
                }
                log.append([0x0A])
                log.close()
                finished.leave()
            }
        }
        finished.enter()
        process.terminationHandler = { process in
            ended.append(Array("\(process.terminationStatus)\n".utf8))
            finished.leave()
        }
        finished.notify(queue: .global()) { ended.append(Array("drained\n".utf8)) }
        try process.run()
        pid = process.processIdentifier
        if let inward, let input {
            inward.fileHandleForWriting.write(Data(input.utf8))
            try inward.fileHandleForWriting.close()
        }
        self.process = Mutex(process)
    }

    deinit { kill(pid, SIGKILL) }

    /// Waits for the end and everything that was printed.
    func finish() async throws -> Finished {
        _ = try await ended.line(with: "drained")
        guard let status = ended.lines.first.flatMap({ Int32($0) }) else { throw Unfinished(program: "\(pid)") }
        return Finished(
            status: status, output: output.lines.joined(separator: "\n"), errors: errors.lines.joined(separator: "\n"))
    }

    /// Sends a signal and waits for the end.
    func end(_ signal: Int32 = SIGTERM) async throws {
        kill(pid, signal)
        _ = try await ended.line(with: "drained")
    }

    /// Runs a program to its end.
    static func run(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil
    ) async throws -> Finished {
        try await Program(path, arguments, environment: environment, input: input).finish()
    }
}
