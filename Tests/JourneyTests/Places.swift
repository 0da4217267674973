// Where the built programs, the peers and the checkout are, found from this file and the test bundle.

import Foundation

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

    /// Three ports nobody listens on at the moment.
    static func freePorts(_ count: Int) -> [Int] {
        var descriptors: [Int32] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        return (0..<count).map { _ in
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            descriptors.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            return withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    _ = bind(descriptor, generic, size)
                    _ = getsockname(descriptor, generic, &size)
                }
                return Int(UInt16(bigEndian: pointer.pointee.sin_port))
            }
        }
    }
}
