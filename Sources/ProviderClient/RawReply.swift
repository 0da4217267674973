// A reply is kept as it came until somebody has made it durable; only then is it read.

package import Sealing

/// A provider's whole reply, not yet understood.
package struct RawReply: Sendable {
    package let status: Int
    package let contentType: String?
    package let retryAfter: String?
    package let wwwAuthenticate: String?
    /// The server's clock, as it says.
    package let date: String?
    /// Tokens are in it, so it is a secret as a whole.
    package let body: Secret

    /// Whether the status is 2xx.
    package var isSuccess: Bool { (200..<300).contains(status) }
}
