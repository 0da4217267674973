// Where the built programs, the peers and the checkout are, found from this file and the test bundle.

import Foundation
import Synchronization

enum Places {
    /// The checkout.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The folder of the built programs: the one the tests themselves were built into.
    static let programs = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().path

    static func program(_ name: String) -> String { "\(programs)/\(name)" }

    /// The peers' Python, which `Scripts/test` sets up.
    static let python = "\(root)/.build/peers/bin/python3"

    static func peer(_ name: String) -> String { "\(root)/Tests/Peers/\(name)" }

    /// Below the range that the kernel gives away by itself, so that no other socket takes a port while a daemon or a
    /// broker is down; each call gets others.
    private static let nextPort = Mutex(26_001 + Int(getpid()) % 5000)

    /// Ports nobody listens on, and nobody else will.
    static func freePorts(_ count: Int) -> [Int] {
        var ports: [Int] = []
        while ports.count < count {
            let port = nextPort.withLock { port in
                port = port < 32_000 ? port + 1 : 26_001
                return port
            }
            if isFree(port) { ports.append(port) }
        }
        return ports
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
