// A grant outlives its tokens: refreshing raises the generation, and only the newest generation is ever used.

package import FoundationEssentials
package import Sealing

/// What leaves the keeper under a grant.
package enum Release: String, Sendable, CaseIterable {
    /// Local programs may have the access token.
    case token
    /// Signed requests only: the access token never leaves.
    case signOnly = "sign_only"
}

/// What an owner allowed the agent to do with one device at one provider.
package struct Grant: Sendable, Equatable {
    /// Where a grant stands.
    package enum State: String, Sendable, CaseIterable {
        /// Asked for, not yet approved.
        case pending
        /// Approved; its token is kept fresh.
        case active
        /// The provider no longer honours it; the owner has to approve again.
        case needsReauth = "needs_reauth"
        /// The owner said no.
        case denied
        /// Ended by the owner.
        case revoked
    }

    package let id: GrantID
    package let device: DeviceName
    package let provider: ProviderName
    package let state: State
    /// What was granted, which may be less than was asked for.
    package let scopes: [String]
    /// Raised by one with every token that replaced another; 0 while pending.
    package let generation: Int
    package let createdAt: Date
    /// When the access token dies; `nil` when it does not (OAuth 1.0a).
    package let expiresAt: Date?
    /// Why it is not active, for people.
    package let reason: String?
    /// How the approval comes back.
    package let flow: GrantFlow
    /// What may leave the keeper.
    package let release: Release
    /// When the refresh token dies if nobody uses it; `nil` when that is not known.
    package let refreshExpiresAt: Date?

    /// Assembles a grant.
    package init(
        id: GrantID, device: DeviceName, provider: ProviderName, state: State, scopes: [String], generation: Int,
        createdAt: Date, expiresAt: Date?, reason: String?, flow: GrantFlow = .redirect, release: Release = .token,
        refreshExpiresAt: Date? = nil
    ) {
        self.id = id
        self.device = device
        self.provider = provider
        self.state = state
        self.scopes = scopes
        self.generation = generation
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.reason = reason
        self.flow = flow
        self.release = release
        self.refreshExpiresAt = refreshExpiresAt
    }
}

/// The secrets of one generation of a grant.
package struct GrantTokens: Sendable {
    package let accessToken: Secret
    /// OAuth 1.0a only.
    package let tokenSecret: Secret?
    /// OAuth 2 only, and not from every provider.
    package let refreshToken: Secret?
    /// `Bearer`, or `OAuth` for OAuth 1.0a.
    package let tokenType: String
    /// PKCS#8 PEM of the P-256 key that the tokens are bound to (RFC 9449), the same in all generations of a grant; `nil`
    /// for bearer tokens.
    package let dpopKey: Secret?

    /// Assembles the tokens of one generation.
    package init(
        accessToken: Secret, tokenSecret: Secret?, refreshToken: Secret?, tokenType: String, dpopKey: Secret? = nil
    ) {
        self.accessToken = accessToken
        self.tokenSecret = tokenSecret
        self.refreshToken = refreshToken
        self.tokenType = tokenType
        self.dpopKey = dpopKey
    }
}
