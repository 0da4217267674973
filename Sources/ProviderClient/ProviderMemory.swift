// What providers let us know in passing spares a round trip later; losing it costs one, and nothing else.

import Delegation
import Synchronization

/// What is learned about providers while the program runs: nonces for proofs of possession, and how far their clocks are
/// from ours.
package final class ProviderMemory: Sendable {
    private struct Contents {
        /// By origin, because an authorisation server's nonces mean nothing to an API.
        var nonces: [String: String] = [:]
        /// Seconds to add to our clock.
        var offsets: [String: Int] = [:]
        /// Origins, the one heard of longest ago first.
        var order: [String] = []
    }

    /// How many origins can a home talk to?
    private static let capacity = 256
    /// How long may a nonce be, in bytes?
    private static let maximumNonceSize = 1024

    private let contents = Mutex(Contents())

    /// Knows nothing yet.
    package init() {}

    func nonce(of origin: String) -> String? { contents.withLock { $0.nonces[origin] } }

    /// Keeps the newest nonce of an origin; one that could not stand in a proof is not kept (RFC 9449 §8.1).
    func learn(nonce: String, of origin: String) {
        guard (1...Self.maximumNonceSize).contains(nonce.utf8.count),
            nonce.utf8.allSatisfy({
                (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            })
        else { return }
        contents.withLock { contents in
            contents.order.removeAll { $0 == origin }
            contents.order.append(origin)
            contents.nonces[origin] = nonce
            while contents.order.count > Self.capacity { contents.nonces[contents.order.removeFirst()] = nil }
        }
    }

    /// How many seconds a provider's clock is ahead of ours.
    func clockOffset(of provider: ProviderName) -> Int { contents.withLock { $0.offsets[provider.rawValue] ?? 0 } }

    /// Keeps what a provider's clock was found to be off by, in seconds.
    func learn(clockOffset: Int, of provider: ProviderName) {
        contents.withLock { contents in
            if contents.offsets.count >= Self.capacity, contents.offsets[provider.rawValue] == nil {
                contents.offsets = [:]
            }
            contents.offsets[provider.rawValue] = clockOffset
        }
    }
}
