// A reply that was lost on the way can be had again: for a while the token before the live one gives the live one. What
// is older than that was stolen or lost track of, and ends the grant.

import Delegation
import FoundationEssentials
import OAuth
import Sealing
import Vault

extension HomeProvider {
    /// Gives tokens for a refresh token (RFC 6749 §6).
    ///
    /// A confidential client keeps its refresh token, unless its terms say otherwise: the token is worthless without the
    /// client's own proof (RFC 9700 §4.14.2).
    func refresh(
        _ hash: [UInt8], scope: [String], _ order: TokenOrder, in transaction: Transaction
    ) throws -> Result<IssuedTokens, OAuth2Refusal> {
        let now = order.now
        guard let token = try transaction.refreshToken(hash: hash), token.grant.consumer.id == order.consumer.id,
            token.thumbprint == nil || token.thumbprint == order.thumbprint, token.grant.isLive(at: now)
        else { return .failure(.invalidGrant) }
        if let replacedAt = token.replacedAt {
            // A clock that was set back does not make a token older.
            let isLate = replacedAt.advanced(by: ServiceProviderConfiguration.rotationGrace) <= now
            guard !isLate, let successor = try transaction.successor(of: token) else {
                _ = try Self.revoke(
                    token.grant.id, by: .app(order.consumer.key), authority: "refresh token reuse", in: transaction,
                    at: now)
                return .failure(.invalidGrant)
            }
            return try renew(
                token, giving: successor, scope: scope, authority: "refresh token repeated", order, in: transaction)
        }
        guard now < token.usedAt.advanced(by: configuration.refreshIdleLimit) else { return .failure(.invalidGrant) }
        guard order.consumer.terms.rotatesRefreshTokens else {
            let result = try renew(token, giving: nil, scope: scope, order, in: transaction)
            if case .success = result { try transaction.touchRefreshToken(hash: hash, at: now) }
            return result
        }
        let successor = Secret(text: Random.alphanumerics(30))
        let result = try renew(token, giving: successor, scope: scope, order, in: transaction)
        if case .success = result { try transaction.replaceRefreshToken(token, with: successor, at: now) }
        return result
    }

    private func renew(
        _ token: IssuedRefreshToken, giving next: Secret?, scope: [String], authority: String = "refresh token",
        _ order: TokenOrder, in transaction: Transaction
    ) throws -> Result<IssuedTokens, OAuth2Refusal> {
        guard isWithin(order.resource, token.resource) else { return .failure(.invalidTarget) }
        let audience = order.resource.isEmpty ? token.resource : order.resource
        let scopes = try narrow(token.grant.scopes, to: scope, audience: audience, order, in: transaction)
        return .success(
            try issue(
                token.grant, scopes: scopes, audience: audience, authority: authority, refreshToken: next, order,
                in: transaction))
    }
}
