// What a process prints, line by line as it comes: a test waits for a line, never for a time.

import Foundation
import Synchronization

/// The lines of one process, with waiters for lines still to come.
final class LineLog: Sendable {
    private struct State {
        var lines: [String] = []
        var rest: [UInt8] = []
        var isClosed = false
        var waiting: [Int: AsyncStream<String>.Continuation] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    struct Missing: Error, CustomStringConvertible {
        let pattern: String
        let lines: [String]
        var description: String { "no line with \"\(pattern)\" in:\n\(lines.suffix(40).joined(separator: "\n"))" }
    }

    /// All lines so far.
    var lines: [String] { state.withLock { $0.lines } }

    func append(_ bytes: some Sequence<UInt8>) {
        state.withLock { state in
            state.rest += bytes
            while let end = state.rest.firstIndex(of: 0x0A) {
                let line = String(decoding: state.rest[..<end], as: UTF8.self)
                state.rest.removeSubrange(...end)
                state.lines.append(line)
                for waiter in state.waiting.values { waiter.yield(line) }
            }
        }
    }

    /// Takes what came after the last newline as a line of its own.
    func flush() { if state.withLock({ !$0.rest.isEmpty }) { append([0x0A]) } }

    func close() {
        state.withLock { state in
            state.isClosed = true
            for waiter in state.waiting.values { waiter.finish() }
            state.waiting = [:]
        }
    }

    /// The first line, among those already there from `start` on and those to come, that holds every pattern.
    func line(with patterns: String..., from start: Int = 0) async throws -> String {
        try await line(patterns, from: start)
    }

    /// The first line of all.
    func line() async throws -> String { try await line([], from: 0) }

    private func line(_ patterns: [String], from start: Int) async throws -> String {
        let (stream, continuation) = AsyncStream<String>.makeStream()
        let number = state.withLock { state in
            for line in state.lines.dropFirst(start) { continuation.yield(line) }
            if state.isClosed { continuation.finish() }
            state.next += 1
            state.waiting[state.next] = continuation
            return state.next
        }
        defer { state.withLock { $0.waiting[number] = nil } }
        // Ends with the test's own time limit, or when the process ends.
        for await line in stream where patterns.allSatisfy({ line.contains($0) }) { return line }
        throw Missing(pattern: patterns.joined(separator: " "), lines: lines)
    }
}
