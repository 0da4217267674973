// The counterpart is the `openssl` command: another program that reads our keys, signatures and certificates from files.

import Foundation

/// A folder of its own for one test, gone afterwards, and the `openssl` command run inside it.
struct OpenSSLCommand: Sendable {
    /// What a run printed, standard error included, and how it ended.
    struct Outcome: Sendable {
        let status: Int32
        let output: String
    }

    private let folder: URL

    /// Runs a test with a new folder.
    static func inFolder(_ body: (OpenSSLCommand) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sealing-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(OpenSSLCommand(folder: folder))
    }

    /// Puts a file into the folder.
    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: folder.appendingPathComponent(name))
    }

    /// Reads a file of the folder.
    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    /// Runs `openssl` without a shell; it waits on the process's end, not on a thread.
    func run(_ arguments: String...) async throws -> Outcome {
        let log = folder.appendingPathComponent("output-\(UUID().uuidString)")
        try Data().write(to: log)
        let handle = try FileHandle(forWritingTo: log)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                ended.resume(throwing: error)
            }
        }
        try handle.close()
        return Outcome(status: status, output: String(decoding: try Data(contentsOf: log), as: UTF8.self))
    }
}
