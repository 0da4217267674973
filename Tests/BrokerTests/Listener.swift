// A TCP server that is no broker: it resets, or accepts and says nothing.

import Foundation
import Synchronization

/// A listening socket on the loopback address.
final class Listener: Sendable {
    let descriptor: Int32
    let port: Int
    private let accepted = Mutex<[Int32]>([])

    init(port: Int) throws {
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue
        descriptor = socket(AF_INET, Int32(kind), 0)
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let descriptor = descriptor
        guard withLoopback(port: port, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 16) == 0 else {
            throw MosquittoServer.Failure(reason: "listen: \(errno)")
        }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &size) }
        }
        self.port = Int(UInt16(bigEndian: address.sin_port))
    }

    /// Accepts `count` connections, waits for the first byte of each and resets it; then stops listening.
    func reset(_ count: Int) async {
        await onThread { [self] in
            for _ in 0..<count {
                let peer = accept(descriptor, nil, nil)
                var byte: UInt8 = 0
                _ = read(peer, &byte, 1)
                // With unread bytes and no lingering, close() sends a reset.
                var none = linger(l_onoff: 1, l_linger: 0)
                setsockopt(peer, SOL_SOCKET, SO_LINGER, &none, socklen_t(MemoryLayout<linger>.size))
                Glibc.close(peer)
            }
            close()
        }
    }

    /// Accepts one connection and never answers.
    func acceptAndIgnore() async {
        await onThread { [self] in
            let peer = accept(descriptor, nil, nil)
            accepted.withLock { $0.append(peer) }
        }
    }

    /// Stops listening and drops whoever was accepted.
    func close() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        Glibc.close(descriptor)
        for peer in accepted.withLock({ $0 }) { Glibc.close(peer) }
    }

    private func onThread(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { done in
            Thread {
                body()
                done.resume()
            }.start()
        }
    }
}

/// Lends the loopback address with a port.
func withLoopback(port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(truncatingIfNeeded: port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
