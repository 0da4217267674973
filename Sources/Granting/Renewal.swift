// What a new access token is asked for with is settled before anything is sent, and known on the disk by its digest only.

import Delegation
import FoundationEssentials
import Sealing
import Vault

/// What a new access token is asked for with.
enum Renewal: Sendable {
    case refreshToken(Secret)
    /// The consumer itself (RFC 6749 §4.4).
    case clientCredentials

    init?(_ material: RefreshMaterial) {
        if let token = material.tokens?.refreshToken {
            self = .refreshToken(token)
        } else if material.record.grant.flow == .client {
            self = .clientCredentials
        } else {
            return nil
        }
    }

    /// SHA-256 of the refresh token; empty without one.
    var hash: [UInt8] {
        if case .refreshToken(let token) = self { token.reveal { HashFunction.sha256.digest($0) } } else { [] }
    }
}

/// When a request left.
struct Sending: Sendable {
    let at: Date
    /// Since this boot; `nil` when it was in an earlier one.
    let uptime: Duration?
}
