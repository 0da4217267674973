// A home in a temporary folder: a real vault file, a real HTTP client, real programs.

import AsyncHTTPClient
import Delegation
import Foundation
import Logging
import Notifying
import Sealing
import StrictJSON
import Synchronization
import Testing
import Vault

struct TestHome: Sendable {
    static let key = KeySource.file(Secret(text: "0123456789abcdef0123456789abcdef"))
    /// As every program of ours does first: a program that does not read must not end this one.
    private static let ignoresBrokenPipes = signal(SIGPIPE, SIG_IGN)

    let folder: String
    let vault: Vault
    let client: HTTPClient
    let clock = ManualClock()
    let log = LogLines()
    let board = NoticeBoard()

    /// Runs `body` in a fresh home.
    static func with(_ body: @Sendable @escaping (TestHome) async throws -> Void) async throws {
        _ = ignoresBrokenPipes
        let folder = "\(FileManager.default.temporaryDirectory.path)/notifying-\(Random.alphanumerics(12))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let vault = try await Vault.create(at: "\(folder)/vault.sqlite", key: key, homeName: "Test")
            try await body(TestHome(folder: folder, vault: vault, client: client))
        } catch {
            try? await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    /// Runs a notifier while `body` runs; ends it as a kill would, whatever it is at.
    func telling(
        _ channels: Notifier.Channels, environment: [String: String] = ["PATH": "/usr/bin:/bin"],
        _ body: @Sendable @escaping () async throws -> Void
    ) async throws {
        let notifier = notifier(channels, environment: environment)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await notifier.run()
                return false
            }
            group.addTask {
                try await body()
                return true
            }
            defer { group.cancelAll() }
            guard try await group.next() == true else { throw CancellationError() }
        }
    }

    func notifier(_ channels: Notifier.Channels, environment: [String: String] = [:]) -> Notifier {
        var logger = Logger(label: "notifier") { _ in log }
        logger.logLevel = .trace
        return Notifier(
            channels, vault: vault, client: client, publisher: board, environment: environment, pace: clock.pace,
            logger: logger)
    }

    /// A trouble of a subject begins.
    func trouble(_ subject: String, text: String = "the owner has to approve again", at date: Date? = nil) async throws
    {
        let date = date ?? clock.wall
        let isNew = try await vault.write {
            try $0.openNotice(
                .needsApproval, subject: subject, device: DeviceName(rawValue: "front-door"),
                provider: ProviderName(rawValue: "cloud"), text: text, hint: "run 'keyholder grant request'", at: date)
        }
        try #require(isNew)
    }

    /// A trouble of a subject is over.
    func relief(_ subject: String, at date: Date? = nil) async throws {
        let date = date ?? clock.wall
        let wasOpen = try await vault.write {
            try $0.closeNotice(.needsApproval, subject: subject, text: "approved", at: date)
        }
        try #require(wasOpen)
    }

    /// Returns once the vault knows that the channel was told that far; commits wake it, nothing is polled.
    func told(_ channel: String, upTo seq: Int64) async throws {
        for await _ in vault.changes() {
            if try await vault.read({ try $0.noticeCursor(channel) }) >= seq { return }
        }
        throw CancellationError()
    }

    /// Writes a program that the owner might have written.
    func script(_ body: String) throws -> String {
        let path = "\(folder)/hook.sh"
        try "#!/bin/sh\ncd '\(folder)'\n\(body)\n".write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        return path
    }

    func text(_ file: String) throws -> String { try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8) }

    /// The documents that a script appended to `told`.
    func documents() throws -> [JSON] { try text("told").split(separator: "\n").map { try JSON(parsing: String($0)) } }
}

/// Stands where the broker is reached; it can be down.
final class NoticeBoard: NoticePublisher {
    struct Down: Error {}

    let notices = Collector<JSON>()
    /// Each picture that Home Assistant was shown.
    let pictures = Collector<[JSON]>()
    private let failures = Mutex<[any Error]>([])

    /// What the next calls throw.
    func fail(_ errors: any Error...) { failures.withLock { $0 += errors } }

    func publishNotice(_ document: JSON) async throws {
        try throwNext()
        notices.append(document)
    }

    func publishAttention(_ open: [JSON], holding lifetime: Duration) async throws {
        try throwNext()
        pictures.append(open)
    }

    private func throwNext() throws {
        if let error = failures.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { throw error }
    }
}
