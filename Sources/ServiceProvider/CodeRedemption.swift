// A code is good once, for the client, the redirect URI, the verifier and the key it was made for.

import Delegation
import FoundationEssentials
import OAuth
import Sealing
import Vault

extension HomeProvider {
    /// Gives tokens for an authorisation code (RFC 6749 §4.1.3).
    func redeem(
        _ hash: [UInt8], redirectURI: String?, verifier: Secret?, _ order: TokenOrder, in transaction: Transaction
    ) throws -> Result<IssuedTokens, OAuth2Refusal> {
        let consumer = order.consumer
        guard let code = try transaction.code(hash: hash), code.consumer == consumer.id else {
            return .failure(.invalidGrant)
        }
        let fits =
            // Left out by clients of OAuth 2.1, whose PKCE does its work; what is sent has to be right.
            (redirectURI.map { $0.utf8.elementsEqual((code.redirectURI ?? consumer.redirectURIs.first ?? "").utf8) }
                ?? true)
            && (verifier.map { PKCE.matches(verifier: $0, challenge: code.challenge) } ?? false)
            && (code.thumbprint == nil || code.thumbprint == order.thumbprint)
        if let used = code.grant {
            // Who knows everything about a code that was redeemed before may be its thief, or have been robbed. Who
            // knows only the code must not be able to end somebody's grant.
            if fits {
                _ = try Self.revoke(
                    used, by: .app(consumer.key), authority: "code replay", in: transaction, at: order.now)
            }
            return .failure(.invalidGrant)
        }
        guard fits, order.now < code.expiresAt, try transaction.isPresent(person: code.person) else {
            return .failure(.invalidGrant)
        }
        guard isWithin(order.resource, code.resource) else { return .failure(.invalidTarget) }
        let id = GrantID(rawValue: Random.alphanumerics(24))
        let result = try begin(
            id, person: code.person, scopes: code.scopes, resource: code.resource, authority: "code", order,
            in: transaction)
        if case .success = result { try transaction.useCode(hash: hash, grant: id) }
        return result
    }
}
