// A grant outlives its tokens: refreshing raises the generation, and only the newest generation is ever used.

package import FoundationEssentials
package import Sealing

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

    /// Assembles a grant.
    package init(
        id: GrantID, device: DeviceName, provider: ProviderName, state: State, scopes: [String], generation: Int,
        createdAt: Date, expiresAt: Date?, reason: String?
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

    /// Assembles the tokens of one generation.
    package init(accessToken: Secret, tokenSecret: Secret?, refreshToken: Secret?, tokenType: String) {
        self.accessToken = accessToken
        self.tokenSecret = tokenSecret
        self.refreshToken = refreshToken
        self.tokenType = tokenType
    }
}

/// A consumer's registration at a provider: what the agent signs requests with.
package struct Consumer: Sendable {
    package let id: String
    package let provider: ProviderName
    /// The device it belongs to, or `nil` when it serves every device of the provider.
    package let device: DeviceName?
    /// `oauth_consumer_key` or `client_id`.
    package let key: String
    package let secret: Secret

    /// Assembles a consumer.
    package init(id: String, provider: ProviderName, device: DeviceName?, key: String, secret: Secret) {
        self.id = id
        self.provider = provider
        self.device = device
        self.key = key
        self.secret = secret
    }
}
