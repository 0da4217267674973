// What a reply leaves out stays as it was: a refresh token that is not replaced is kept, and so is the key.

import Delegation
import FoundationEssentials
import OAuth
import Sealing
import Vault

/// What a grant has before a reply.
struct EarlierTokens: Sendable {
    let refreshToken: Secret?
    let dpopKey: Secret?
    /// Whether there is a generation that is replaced.
    let isRenewal: Bool

    /// Nothing but a new key, if there is one.
    static func none(dpopKey: Secret?) -> EarlierTokens {
        EarlierTokens(refreshToken: nil, dpopKey: dpopKey, isRenewal: false)
    }

    /// Those of the generation that is replaced.
    static func generation(_ tokens: GrantTokens?) -> EarlierTokens {
        EarlierTokens(refreshToken: tokens?.refreshToken, dpopKey: tokens?.dpopKey, isRenewal: true)
    }
}

extension IssuedTokens {
    /// What a token reply grants.
    static func oauth2(
        _ reply: TokenReply, replacing earlier: EarlierTokens, scopes: [String], sent: Sending, boot: String,
        profile: ProviderProfile
    ) -> IssuedTokens {
        var (neverExpires, lifetime) = (false, Int?.none)
        if case .oauth2(let endpoints) = profile.endpoints {
            neverExpires = endpoints.neverExpires
            // Where use does not prolong it, the life of a refresh token counts from the approval.
            if endpoints.prolongsRefreshTokens || earlier.refreshToken == nil {
                lifetime = endpoints.refreshTokenLifetime
            }
        }
        let refreshToken = reply.refreshToken ?? earlier.refreshToken
        let refreshLifetime = refreshToken == nil ? nil : reply.refreshExpiresIn ?? lifetime
        return IssuedTokens(
            tokens: GrantTokens(
                accessToken: reply.accessToken, tokenSecret: nil, refreshToken: refreshToken,
                tokenType: reply.tokenType.name, dpopKey: earlier.dpopKey),
            // In a refresh an empty list is how some providers say nothing.
            scopes: reply.scope.flatMap { earlier.isRenewal && $0.isEmpty ? nil : $0 } ?? scopes, issuedAt: sent.at,
            expiresAt: neverExpires ? nil : sent.at.addingTimeInterval(Double(reply.expiresIn)), boot: boot,
            uptime: sent.uptime?.seconds,
            refreshExpiresAt: refreshLifetime.map { sent.at.addingTimeInterval(Double($0)) })
    }
}
