// A home as it is in production but for the clock and the cost of a password: a real vault in a real file, real profiles,
// a real server on a free port of the loopback interface.

import AsyncHTTPClient
import Delegation
import FoundationEssentials
import Hummingbird
import Logging
import NIOCore
import Sealing
import ServiceProvider
import Settings
import Synchronization
import Testing
import Vault

/// A home with a lock `front-door`, a thermostat `hall` and a person `anna`.
struct TestHome: Sendable {
    static let password = "correct horse battery"

    let base: String
    /// The folder of the home's device profiles, a copy of its own.
    let profiles: String
    let provider: HomeProvider
    /// What a restart of the process leaves: another provider on the same vault.
    let restarted: @Sendable () throws -> HomeProvider
    let vault: Vault
    let key: Secret
    let clock: TestClock
    let log: CapturedLog
    let client: HTTPClient

    /// Runs a home for the length of `body`; `address` is its base URL, where that is not the one it is reached at.
    static func run(
        accessTokenLifetime: Duration = .seconds(20), address: String? = nil,
        _ body: @escaping @Sendable (TestHome) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "keyholder-\(Random.alphanumerics(12))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let key = Secret.random(count: 32)
        let vault = try await Vault.create(at: folder.path + "/vault.sqlite", key: .file(key), homeName: "Test home")
        let clock = TestClock()
        let log = CapturedLog()
        let logger = Logger(label: "test") { _ in CapturingHandler(log: log) }
        let late = LateResponder()
        let (ports, announce) = AsyncStream<Int>.makeStream()
        let app = Application(
            responder: late, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { announce.yield($0.localAddress?.port ?? 0) }, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await app.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            let base = "http://127.0.0.1:\(port)"
            var configuration = ServiceProviderConfiguration(
                homeName: "Test home", baseURL: address ?? base, accessTokenLifetime: accessTokenLifetime,
                now: { clock.now })
            configuration.passwordCost = Scrypt(n: 1 << 8, r: 8, p: 1)
            let copy = folder.path + "/device-profiles"
            try FileManager.default.copyItem(atPath: try installedProfiles(), toPath: copy)
            let catalog = ProfileFolder(folders: [copy], home: address ?? base)
            let settings = configuration
            let make: @Sendable () throws -> HomeProvider = {
                try HomeProvider(vault: vault, profiles: catalog, configuration: settings, logger: logger)
            }
            let provider = try make()
            let router = Router()
            provider.addRoutes(to: router)
            late.set(router.buildResponder())
            let client = HTTPClient(
                eventLoopGroupProvider: .singleton, configuration: .init(redirectConfiguration: .disallow))
            let home = TestHome(
                base: base, profiles: copy, provider: provider, restarted: make, vault: vault, key: key, clock: clock,
                log: log,
                client: client)
            do {
                try await home.enrol("front-door", as: "locks/demo-lock")
                try await home.enrol("hall", as: "thermostats/demo-thermostat")
                _ = try await provider.addPerson("anna", password: Secret(text: password))
                try await body(home)
            } catch {
                try await client.shutdown()
                group.cancelAll()
                throw error
            }
            try await client.shutdown()
            group.cancelAll()
        }
        try vault.close()
    }

    /// Enrols a device.
    @discardableResult
    func enrol(_ name: String, as profile: String) async throws -> Device {
        let now = clock.now
        let device = Device(
            id: Random.alphanumerics(16), name: try DeviceName(checking: name),
            profile: try #require(ProfileReference(rawValue: profile)), state: .enrolled,
            identityKey: Random.bytes(32), sealingKey: Random.bytes(32), createdAt: now, enrolledAt: now)
        try await vault.write { try $0.insertDevice(device) }
        return device
    }

    /// Checks that `body` leaves grants, consumers and people as they are.
    func expectNothingChanged(_ body: () async throws -> Void) async throws {
        let grants = try await provider.grants().map(\.id)
        let consumers = try await provider.consumers()
        try await body()
        #expect(try await provider.grants().map(\.id) == grants)
        #expect(try await provider.consumers() == consumers)
    }

    /// The outcomes the audit log has for an action, oldest first.
    func audited(_ action: String) async throws -> [String] {
        try await vault.read { try $0.auditEntries(after: 0, limit: 1000) }.filter { $0.action == action }
            .map(\.outcome)
    }

    private static func installedProfiles() throws -> String {
        var parts = #filePath.split(separator: "/")
        while !parts.isEmpty {
            parts.removeLast()
            let candidate = "/" + parts.joined(separator: "/") + "/device-profiles"
            if FileManager.default.fileExists(atPath: candidate) { return candidate }
        }
        throw Refusal(.notFound, "no device-profiles above the tests")
    }
}

/// A clock that stands still until it is told.
final class TestClock: Sendable {
    private let date = Mutex(Date(timeIntervalSince1970: 1_790_000_000))

    var now: Date { date.withLock { $0 } }
    var seconds: Int { Int(now.timeIntervalSince1970) }

    func advance(by seconds: Double) { date.withLock { $0 = $0.addingTimeInterval(seconds) } }
}

/// Every line that was logged, from `trace` up.
final class CapturedLog: Sendable {
    private let captured = Mutex<[String]>([])

    var lines: [String] { captured.withLock { $0 } }

    func append(_ line: String) { captured.withLock { $0.append(line) } }
}

private struct CapturingHandler: LogHandler {
    let log: CapturedLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(log: CapturedLog) { self.log = log }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        log.append("\(event.level) \(event.message) \(metadata) \(event.metadata ?? [:])")
    }
}

/// Answers with routes that could only be made once the port was known.
private final class LateResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    private let responder = Mutex<RouterResponder<BasicRequestContext>?>(nil)

    func set(_ responder: RouterResponder<BasicRequestContext>) { self.responder.withLock { $0 = responder } }

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        guard let responder = responder.withLock({ $0 }) else { return Response(status: .serviceUnavailable) }
        return try await responder.respond(to: request, context: context)
    }
}
