// A broker of a test's own: real Mosquitto, its own port, directory, certificate and access rules; gone with the test.

import Foundation
import Sealing
import Synchronization

/// A Mosquitto process with TLS and the dynamic-security plugin.
///
/// User `tester` with password `right` may publish and subscribe below `test/` and nowhere else.
final class MosquittoServer: @unchecked Sendable {
    // Unchecked: `process` changes only in the test's own calls, one after the other.
    static let username = "tester"
    static let password = "right"

    let port: Int
    /// The file with the authority that vouches for this broker.
    let caFile: String
    private let directory: URL
    private var process: pid_t = 0

    struct Failure: Error { let reason: String }

    /// Prepares directory, certificate and configuration; the process is not started yet.
    init(port: Int? = nil, hosts: [String] = ["127.0.0.1", "localhost"]) throws {
        let port = try port ?? Self.freePort()
        let directory = FileManager.default.temporaryDirectory.appending(path: "broker-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        self.port = port
        self.directory = directory
        caFile = directory.appending(path: "ca.pem").path()
        let authority = try Certificate.authority(name: "test authority")
        let server = try authority.issueServer(name: "broker", hosts: hosts)
        try write("ca.pem", authority.pem)
        try write("server.pem", server.pem)
        try write("server.key", server.keyPEM.revealText())
        try write("dynsec.json", try Self.accessRules())
        let path = directory.path()
        try write(
            "mosquitto.conf",
            """
            user root
            persistence false
            set_tcp_nodelay true
            allow_anonymous false
            log_dest file \(path)/log
            plugin /usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so
            plugin_opt_config_file \(path)/dynsec.json
            listener \(port) 127.0.0.1
            certfile \(path)/server.pem
            keyfile \(path)/server.key

            """)
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: directory)
    }

    /// A started broker.
    static func started() async throws -> MosquittoServer {
        let server = try MosquittoServer()
        try await server.start()
        return server
    }

    /// Starts the process and returns once it accepts connections.
    func start() async throws {
        let arguments = ["mosquitto", "-c", directory.appending(path: "mosquitto.conf").path()]
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Or it would keep open what Foundation watches to learn that another test's process has ended.
        for descriptor in 3..<Int32(1024) { posix_spawn_file_actions_addclose(&actions, descriptor) }
        let code = posix_spawn(&process, "/usr/sbin/mosquitto", &actions, nil, &pointers, environ)
        guard code == 0 else { throw Failure(reason: "posix_spawn: \(code)") }
        let deadline = ContinuousClock.now + .seconds(10)
        while !Self.accepts(port) {
            var status: Int32 = 0
            guard waitpid(process, &status, WNOHANG) == 0, deadline > .now else {
                process = 0
                throw Failure(
                    reason: (try? String(contentsOf: directory.appending(path: "log"), encoding: .utf8)) ?? "")
            }
            // Nothing tells when a foreign process listens, so it is asked again.
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Ends the process as a power cut would.
    func kill() {
        guard process != 0 else { return }
        Glibc.kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        process = 0
    }

    /// Stops the process where it stands; its sockets stay open and silent.
    func freeze() { Glibc.kill(process, SIGSTOP) }

    private func write(_ name: String, _ text: String) throws {
        try text.write(to: directory.appending(path: name), atomically: true, encoding: .utf8)
    }

    /// Below the range that the kernel gives away by itself, so that no other socket takes a port while a test has
    /// nobody listening on it; each call gets another one.
    private static let nextPort = Mutex(20_000 + Int(getpid()) % 5000)

    /// A port nobody listens on, and nobody else will.
    static func freePort() throws -> Int {
        while true {
            let port = nextPort.withLock { port in
                port = port < 26_000 ? port + 1 : 20_000
                return port
            }
            // Somebody's own port is passed over.
            guard let listener = try? Listener(port: port) else { continue }
            listener.close()
            return port
        }
    }

    private static func accepts(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        return withLoopback(port: port) { connect(descriptor, $0, $1) } == 0
    }

    private static func accessRules() throws -> String {
        let salt = Random.bytes(12)
        let hash = try PBKDF2.sha512(password: Secret(text: password), salt: salt, iterations: 101)
        let encoded = Base64.encode(hash, as: .standard)
        return """
            {"defaultACLAccess": {"publishClientSend": false, "publishClientReceive": true,
                                  "subscribe": false, "unsubscribe": true},
             "clients": [{"username": "\(username)", "password": "\(encoded)",
                          "salt": "\(Base64.encode(salt, as: .standard))", "iterations": 101,
                          "roles": [{"rolename": "test"}]}],
             "groups": [],
             "roles": [{"rolename": "test", "acls": [
                 {"acltype": "publishClientSend", "topic": "test/#", "priority": 0, "allow": true},
                 {"acltype": "subscribePattern", "topic": "test/#", "priority": 0, "allow": true}]}]}
            """
    }
}
