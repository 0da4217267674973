// An exchange only ever narrows: fewer operations, fewer devices, an earlier end; never another person or client.

import Delegation
import FoundationEssentials
import OAuth
import Sealing
import StrictJSON
import Vault

extension HomeProvider {
    /// Gives a narrower access token for an access token of the same client (RFC 8693).
    func exchange(
        _ exchange: TokenExchange, _ order: TokenOrder, in transaction: Transaction
    ) throws -> Result<IssuedTokens, OAuth2Refusal> {
        let known = [TokenExchange.accessTokenType, TokenExchange.jwtType]
        guard known.contains(exchange.subjectTokenType) else {
            return .failure(.malformedParameter("subject_token_type"))
        }
        guard exchange.requestedTokenType.map({ $0 == TokenExchange.accessTokenType }) ?? true else {
            return .failure(.malformedParameter("requested_token_type"))
        }
        // Nobody acts for anybody else here.
        guard exchange.actorToken == nil else { return .failure(.malformedParameter("actor_token")) }
        guard let token = try accessToken(exchange.subjectToken, in: transaction),
            token.grant.consumer.id == order.consumer.id, isLive(token),
            token.thumbprint == nil || token.thumbprint == order.thumbprint
        else { return .failure(.malformedParameter("subject_token")) }

        let wantedResource = order.resource + exchange.audience
        let audience = wantedResource.isEmpty ? token.audience : wantedResource
        guard isWithin(wantedResource, token.audience) else { return .failure(.invalidTarget) }
        let scopes = try narrow(token.scopes, to: exchange.scope, audience: audience, order, in: transaction)
        return .success(
            try issue(
                token.grant, scopes: scopes, audience: audience, authority: "token exchange", refreshToken: nil,
                notAfter: token.expiresAt,
                extra: [JSON.Member("issued_token_type", .string(TokenExchange.accessTokenType))], order,
                in: transaction))
    }
}
