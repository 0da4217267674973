// The owner's program: what it is given, what it is not given, and how long anybody waits for it.

import Foundation
import Glibc
import Notifying
import StrictJSON
import Testing

@Suite(.timeLimit(.minutes(1))) struct CommandHookTests {
    @Test("it gets the document on standard input, three variables, and no descriptor of ours")
    func given() async throws {
        try await TestHome.with { home in
            let hook = try home.script(
                "cat >> told; tr '\\0' '\\n' < /proc/$$/environ > env; readlink /proc/$$/fd/* > fds; pwd > cwd")
            // As careless as a library could be: without close-on-exec.
            let leak = open("\(home.folder)/vault.sqlite", O_RDONLY)
            try #require(leak >= 0)
            defer { close(leak) }
            let environment = [
                "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "KEYHOLDER_HOME": "/secret",
                "CREDENTIALS_DIRECTORY": "/secret", "LD_PRELOAD": "",
            ]
            try await home.telling(.init(command: hook), environment: environment) {
                try await home.trouble("grant-1", text: "two\nlines, a \" and \u{1F5DD}")
                try await home.told("command", upTo: 1)
            }
            let document = try home.text("told")
            #expect(document.hasSuffix("}\n"))
            #expect(document.split(separator: "\n").count == 1)
            #expect(try JSON(parsing: document)["notice"]?["text"]?.string == "two\nlines, a \" and \u{1F5DD}")
            let variables = try home.text("env").split(separator: "\n").sorted()
            #expect(variables == ["HOME=/nonexistent", "LANG=C.UTF-8", "PATH=/usr/bin:/bin"])
            let files = try home.text("fds").split(separator: "\n").filter { $0.hasPrefix("/") }
            #expect(files.allSatisfy { $0 == hook || $0.hasPrefix("/proc/") || $0.hasSuffix("/fds") }, "\(files)")
            #expect(try home.text("fds").split(separator: "\n").filter { $0.hasPrefix("socket:") }.isEmpty)
        }
    }

    @Test("it need not read, may print a lot, and may leave something running")
    func careless() async throws {
        try await TestHome.with { home in
            let hook = try home.script(
                "exec 0<&-; head -c 3000000 /dev/zero | tr '\\0' x; sleep 1000 & echo $! > child; exit 0")
            try await home.telling(.init(command: hook)) {
                try await home.trouble("grant-1")
                try await home.told("command", upTo: 1)
            }
            let child = try #require(pid_t(try home.text("child").trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(kill(child, SIGTERM) == 0)
            #expect(home.log.lines.elements.allSatisfy { !$0.contains("not told") })
        }
    }

    @Test("a failure is tried again four times with ever longer rests, then given up with what it printed")
    func failing() async throws {
        try await TestHome.with { home in
            let hook = try home.script(
                "cat >> told; case $(wc -l < told) in 6) ;; *) echo 'no \u{1B}[2J network'; echo again >&2; exit 3;; esac"
            )
            try await home.telling(.init(command: hook)) {
                try await home.trouble("grant-1")
                try await home.trouble("grant-2")
                for rest in [5, 20, 80, 320] { await home.clock.pass(.seconds(rest)) }
                try await home.told("command", upTo: 2)
            }
            #expect(try home.documents().map(\.seq) == [1, 1, 1, 1, 1, 2])
            let given = try #require(home.log.lines.elements.last { $0.contains("given up") })
            #expect(given.contains("notice.seq=1") && given.contains("it ended with code 3"))
            #expect(given.contains("network | again") && !given.contains("\u{1B}"))
        }
    }

    @Test("one that asks to be run later is never given up")
    func later() async throws {
        try await TestHome.with { home in
            let hook = try home.script("cat >> told; test $(wc -l < told) = 8 || exit 75")
            try await home.telling(.init(command: hook)) {
                try await home.trouble("grant-1")
                for rest in [5, 20, 80, 320, 600, 600, 600] { await home.clock.pass(.seconds(rest)) }
                try await home.told("command", upTo: 1)
            }
            #expect(try home.documents().map(\.seq) == Array(repeating: 1, count: 8))
        }
    }

    @Test("one that hangs is ended after thirty seconds, with what it has started")
    func hanging() async throws {
        try await TestHome.with { home in
            try FileManager.default.removeItem(atPath: "\(home.folder)/pipe", ifThere: true)
            try #require(mkfifo("\(home.folder)/pipe", 0o600) == 0)
            let hook = try home.script(
                "cat >> told; test $(wc -l < told) = 2 && exit 0; sleep 1000 & echo $$ $! > pids; : > pipe; wait")
            try await home.telling(.init(command: hook)) {
                try await home.trouble("grant-1")
                // Returns once the program has opened the other end.
                await Task.detached { _ = close(open("\(home.folder)/pipe", O_RDONLY)) }.value
                await home.clock.pass(.seconds(30))
                await home.clock.pass(.seconds(5))
                try await home.told("command", upTo: 1)
            }
            for text in try home.text("pids").split(whereSeparator: \.isWhitespace) {
                let process = try #require(pid_t(text))
                #expect(!isRunning(process), "\(process) is still there")
            }
            #expect(home.log.lines.elements.contains { $0.contains("it did not end within 30.0 seconds") })
        }
    }

    @Test("one that is not there is a failure like any other")
    func missing() async throws {
        try await TestHome.with { home in
            try await home.telling(.init(command: "\(home.folder)/nothing")) {
                try await home.trouble("grant-1")
                for rest in [5, 20, 80, 320] { await home.clock.pass(.seconds(rest)) }
                try await home.told("command", upTo: 1)
            }
            #expect(home.log.lines.elements.contains { $0.contains("given up") && $0.contains("cannot be run") })
        }
    }

    /// Whether a process runs; one that only waits to be reaped does not.
    private func isRunning(_ process: pid_t) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
        return status.split(separator: ")").last?.split(separator: " ").first != "Z"
    }
}

extension FileManager {
    fileprivate func removeItem(atPath path: String, ifThere: Bool) throws {
        if fileExists(atPath: path) { try removeItem(atPath: path) }
    }
}
