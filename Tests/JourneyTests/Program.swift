// The built programs run as processes of their own, as a person would run them; their pipes are read on threads, never
// on the tests' cooperative pool.

import Foundation
import StrictJSON

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
    let output = LineLog()
    let errors = LineLog()
    let pid: pid_t
    /// One line when the program has ended and everything it printed was read.
    private let ended = LineLog()

    struct NotStarted: Error {
        let program: String
        let code: Int32
    }

    /// Starts a program; `input` is what it reads from standard input, nothing when `nil`.
    init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil
    ) throws {
        var pipes = try (0..<3).map { _ in try Self.pipe() }
        if input == nil {
            // Not a closed pipe, which some programs take as their end.
            close(pipes[0].read)
            pipes[0].read = open("/dev/null", O_RDONLY | O_CLOEXEC)
        }
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
        pid = try Self.spawn([path] + arguments, variables, pipes[0].read, pipes[1].write, pipes[2].write)
        for descriptor in [pipes[0].read, pipes[1].write, pipes[2].write] { close(descriptor) }
        let finished = DispatchGroup()
        for (descriptor, log) in [(pipes[1].read, output), (pipes[2].read, errors)] {
            finished.enter()
            Thread.detachNewThread {
                Self.drain(descriptor, into: log)
                finished.leave()
            }
        }
        let writer = pipes[0].write
        Thread.detachNewThread { [pid, ended] in
            if let input { _ = input.withCString { write(writer, $0, strlen($0)) } }
            close(writer)
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            finished.wait()
            // The exit code, or the signal as the shell would say it.
            ended.append("\(status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F))\n".utf8)
            ended.close()
        }
    }

    deinit { kill(pid, SIGKILL) }

    /// Waits for the end and everything that was printed.
    func finish() async throws -> Finished {
        let status = try await ended.line()
        return Finished(
            status: Int32(status) ?? -1, output: output.lines.joined(separator: "\n"),
            errors: errors.lines.joined(separator: "\n"))
    }

    /// Sends a signal and waits for the end.
    func end(_ signal: Int32 = SIGTERM) async throws {
        kill(pid, signal)
        _ = try await finish()
    }

    /// Runs a program to its end.
    static func run(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil
    ) async throws -> Finished {
        try await Program(path, arguments, environment: environment, input: input).finish()
    }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        // Sockets, because they are closed on exec from the start: a child started at this moment by another test would
        // keep a pipe open after its own program has ended.
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw NotStarted(program: "socketpair", code: errno) }
        return (ends[0], ends[1])
    }

    private static func spawn(
        _ arguments: [String], _ variables: [String], _ input: Int32, _ output: Int32, _ errors: Int32
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (descriptor, number) in [(input, 0), (output, 1), (errors, 2)] {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        // Or it would keep open what Foundation watches to learn that another test's process has ended.
        for descriptor in 3..<Int32(1024) { posix_spawn_file_actions_addclose(&actions, descriptor) }
        // The pool's threads block signals, and a child would inherit that: it could not be ended any more.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, arguments[0], &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw NotStarted(program: arguments[0], code: code) }
        return pid
    }

    private static func drain(_ descriptor: Int32, into log: LineLog) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            log.append(buffer[..<count])
        }
        close(descriptor)
        log.flush()
        log.close()
    }
}
