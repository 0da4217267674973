// A home as it is in production but for the clock and the cost of a password: a real vault in a real file, real profiles,
// a real server on a free port of the loopback interface.

import AsyncHTTPClient
import Delegation
import FoundationEssentials
import Hummingbird
import Logging
import NIOCore
import OAuth
import Sealing
import ServiceProvider
import Settings
import Synchronization
import Testing
import Vault

/// A home with a lock `front-door`, a thermostat `hall` and a person `anna`.
struct TestHome: Sendable {
    static let password = "correct horse battery"
    private static let turnstile = Turnstile(places: 12)

    /// Where it is reached.
    let base: String
    /// What it calls itself: ``base``, unless a test gives it another address.
    let issuer: String
    /// What its app API calls itself.
    let resource: String
    /// The folder of the home's device profiles, a copy of its own.
    let profiles: String
    private(set) var provider: HomeProvider
    /// What a restart of the process leaves: another provider on the same vault.
    let restarted: @Sendable () throws -> HomeProvider
    private(set) var vault: Vault
    /// The vault's file.
    let path: String
    let key: Secret
    let clock: TestClock
    let log: CapturedLog
    let client: HTTPClient
    private let serve: @Sendable (Vault) throws -> HomeProvider

    /// Runs a home for the length of `body`.
    ///
    /// - Parameters:
    ///   - accessTokenLifetime: As in the configuration.
    ///   - address: Its base URL, where that is not the one it is reached at.
    ///   - resource: The address of its app API, where that is not the base URL.
    ///   - trustsCookies: As in the configuration.
    ///   - old: A vault to open instead of making one: what opens it, and what puts its file at a path.
    ///   - body: The test.
    /// - Throws: Whatever `body` throws.
    static func run(
        accessTokenLifetime: Duration = .seconds(20), address: String? = nil, resource: String? = nil,
        trustsCookies: Bool = true,
        old: (key: Secret, put: @Sendable (_ path: String) async throws -> Void)? = nil,
        _ body: @escaping @Sendable (TestHome) async throws -> Void
    ) async throws {
        await turnstile.enter()
        defer { turnstile.leave() }
        let folder = FileManager.default.temporaryDirectory.appending(path: "keyholder-\(Random.alphanumerics(12))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let key = old?.key ?? Secret.random(count: 32)
        let path = folder.path + "/vault.sqlite"
        try await old?.put(path)
        let vault =
            old == nil
            ? try await Vault.create(at: path, key: .file(key), homeName: "Test home")
            : try await reopen(path, with: key)
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
            // As over https; what plain http demands has tests of its own.
            configuration.trustsCookies = trustsCookies
            configuration.passwordCost = Scrypt(n: 1 << 8, r: 8, p: 1)
            if let resource { configuration.resourceURL = resource }
            let copy = folder.path + "/device-profiles"
            try FileManager.default.copyItem(atPath: try installedProfiles(), toPath: copy)
            let catalog = ProfileFolder(folders: [copy], home: address ?? base)
            let settings = configuration
            let make: @Sendable (Vault) throws -> HomeProvider = { vault in
                try HomeProvider(vault: vault, profiles: catalog, configuration: settings, logger: logger)
            }
            let serve: @Sendable (Vault) throws -> HomeProvider = { vault in
                let provider = try make(vault)
                let router = Router()
                provider.addRoutes(to: router)
                late.set(router.buildResponder(), vault)
                return provider
            }
            let provider = try serve(vault)
            let client = HTTPClient(
                eventLoopGroupProvider: .singleton, configuration: .init(redirectConfiguration: .disallow))
            let home = TestHome(
                base: base, issuer: settings.baseURL, resource: settings.resourceURL, profiles: copy,
                provider: provider, restarted: { try make(vault) }, vault: vault, path: path, key: key, clock: clock,
                log: log, client: client, serve: serve)
            do {
                if old == nil {
                    try await home.vault.write { try $0.insertKey(try Self.tokenKey.stored(at: clock.now)) }
                    try await home.furnish()
                }
                try await body(home)
            } catch {
                try await client.shutdown()
                group.cancelAll()
                throw error
            }
            try await client.shutdown()
            group.cancelAll()
        }
        try late.vault?.close()
    }

    /// One key for all homes: making one takes as long as a test. Those that are about keys make their own by rotation.
    private static let tokenKey = Result { try RSAPrivateKey(bits: 2048) }

    private static func reopen(_ path: String, with key: Secret) async throws -> Vault {
        let vault = try await Vault.open(at: path)
        try await vault.unseal(with: .file(key))
        return vault
    }

    /// The home after its process ended and began again: the vault's file was closed and opened, the address is the same.
    func restart() async throws -> TestHome {
        try vault.close()
        var home = self
        home.vault = try await Self.reopen(path, with: key)
        home.provider = try serve(home.vault)
        return home
    }

    private func furnish() async throws {
        try await enrol("front-door", as: "locks/demo-lock")
        try await enrol("hall", as: "thermostats/demo-thermostat")
        _ = try await provider.addPerson("anna", password: Secret(text: Self.password))
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

    private let served = Mutex<(responder: RouterResponder<BasicRequestContext>, vault: Vault)?>(nil)

    /// The vault that is served from.
    var vault: Vault? { served.withLock { $0?.vault } }

    func set(_ responder: RouterResponder<BasicRequestContext>, _ vault: Vault) {
        served.withLock { $0 = (responder, vault) }
    }

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        guard let responder = served.withLock({ $0?.responder }) else { return Response(status: .serviceUnavailable) }
        return try await responder.respond(to: request, context: context)
    }
}

extension Result<RSAPrivateKey, any Error> {
    fileprivate func stored(at now: Date) throws -> StoredKey {
        let key = try get()
        return StoredKey(
            id: JWTVerificationKey.rsa(key.publicKey, keyID: nil).thumbprint, purpose: .accessToken,
            secret: try key.derBytes(), createdAt: now, retiredAt: nil)
    }
}
