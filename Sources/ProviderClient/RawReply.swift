// A reply is kept as it came until somebody has made it durable; only then is it read.

package import Sealing

/// A provider's whole reply, not yet understood.
package struct RawReply: Sendable {
    package let status: Int
    package let contentType: String?
    package let retryAfter: String?
    /// The server's clock, as it says.
    package let date: String?
    /// What the server wants to see in the next proof of possession (RFC 9449 §8).
    package let dpopNonce: String?
    /// Tokens are in it, so it is a secret as a whole.
    package let body: Secret
    /// Every `WWW-Authenticate` header, in order.
    let challenges: [String]
    /// Which secret of the consumer the request went with: 0 for the present one, n for the n-th former one.
    package internal(set) var usedSecret = 0

    /// The first `WWW-Authenticate` header.
    package var wwwAuthenticate: String? { challenges.first }

    /// Whether the status is 2xx.
    package var isSuccess: Bool { (200..<300).contains(status) }
}
