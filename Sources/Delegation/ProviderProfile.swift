// What is odd about a provider is data in its profile, never a branch in the code.

/// How to reach one service provider and what is peculiar about it.
package struct ProviderProfile: Sendable, Equatable {
    package let name: ProviderName
    /// For people.
    package let title: String
    /// Whether this is the provider that ships with Keyholder; its consumers are registered without being asked for.
    package let isHome: Bool
    package let endpoints: Endpoints
    /// The only hosts that are ever talked to.
    package let hosts: [String]
    /// How an operation on a device is written as a scope, with `{operation}` and `{device}`; `nil`: fixed scopes.
    package let scopeFormat: String?
    /// Scopes asked for in any case.
    package let scopes: [String]
    package let scopeSeparator: String
    /// A resource that answers 2xx to a live token and 401 to a dead one; asked before a command.
    package let validationEndpoint: String?
    /// Whether somebody has tried this profile against the live provider.
    package let verified: Bool

    /// The protocol's own part.
    package enum Endpoints: Sendable, Equatable {
        case oauth1(OAuth1Endpoints)
        case oauth2(OAuth2Endpoints)
    }

    /// Assembles a profile that was already checked.
    package init(
        name: ProviderName, title: String, isHome: Bool, endpoints: Endpoints, hosts: [String], scopeFormat: String?,
        scopes: [String], scopeSeparator: String, validationEndpoint: String?, verified: Bool
    ) {
        self.name = name
        self.title = title
        self.isHome = isHome
        self.endpoints = endpoints
        self.hosts = hosts
        self.scopeFormat = scopeFormat
        self.scopes = scopes
        self.scopeSeparator = scopeSeparator
        self.validationEndpoint = validationEndpoint
        self.verified = verified
    }

    /// Which of the two protocols.
    package var delegationProtocol: DelegationProtocol {
        switch endpoints {
        case .oauth1: .oauth1
        case .oauth2: .oauth2
        }
    }

    /// The scopes to ask for so that these operations on this device are covered.
    package func scopes(for operations: [String], of device: DeviceName) -> [String] {
        guard let scopeFormat else { return scopes }
        return scopes + operations.map { scope(scopeFormat, $0, device) }
    }

    /// Whether granted scopes allow an operation on a device; a provider without a format grants all or nothing.
    package func covers(_ granted: [String], operation: String, device: DeviceName) -> Bool {
        guard let scopeFormat else { return true }
        return granted.contains(scope(scopeFormat, operation, device))
    }

    private func scope(_ format: String, _ operation: String, _ device: DeviceName) -> String {
        format.split(separator: "{operation}", omittingEmptySubsequences: false).joined(separator: operation)
            .split(separator: "{device}", omittingEmptySubsequences: false).joined(separator: device.rawValue)
    }
}

/// Which protocol a provider speaks.
package enum DelegationProtocol: String, Sendable, CaseIterable {
    case oauth1
    case oauth2
}

/// An OAuth 1.0a provider (RFC 5849 §2).
package struct OAuth1Endpoints: Sendable, Equatable {
    package let requestToken: String
    package let authorize: String
    package let accessToken: String
    /// `HMAC-SHA1`, `HMAC-SHA256`, … as `oauth_signature_method` says it.
    package let signatureMethod: String
    package let realm: String?
    /// The parameter that carries the scopes in the temporary-credential request, where a provider wants one.
    package let scopeParameter: String?
    /// Where a token can be revoked, by a signed POST; no RFC says so, some providers can.
    package let revocation: String?

    /// Assembles what was already checked.
    package init(
        requestToken: String, authorize: String, accessToken: String, signatureMethod: String, realm: String?,
        scopeParameter: String?, revocation: String?
    ) {
        self.requestToken = requestToken
        self.authorize = authorize
        self.accessToken = accessToken
        self.signatureMethod = signatureMethod
        self.realm = realm
        self.scopeParameter = scopeParameter
        self.revocation = revocation
    }
}

/// An OAuth 2 provider.
package struct OAuth2Endpoints: Sendable, Equatable {
    /// How the consumer proves itself at the token endpoint (RFC 6749 §2.3).
    package enum ClientAuthentication: String, Sendable, CaseIterable {
        /// `client_secret_basic` with both halves form-encoded, as the RFC has it.
        case basic
        /// `client_secret_basic` as most servers take it: not encoded.
        case basicRaw = "basic_raw"
        /// `client_secret_post`.
        case post
        /// A public client.
        case none
    }

    /// What a refresh does to the refresh token.
    package enum Rotation: String, Sendable, CaseIterable {
        case none
        /// The old one keeps working for a while, so a lost answer can be asked for again.
        case grace
        /// The old one is dead at once, and using it again may revoke everything.
        case strict
        case unknown
    }

    /// Compared with `iss` (RFC 9207); `nil` when the provider has none.
    package let issuer: String?
    package let authorization: String
    package let token: String
    package let revocation: String?
    package let clientAuthentication: ClientAuthentication
    package let rotation: Rotation
    /// Assumed when a reply has no `expires_in`, seconds.
    package let defaultLifetime: Int
    package let extraAuthorizationParameters: [String: String]
    package let extraTokenParameters: [String: String]
    /// Whether the provider says `iss` in its responses, so that a missing one is an error.
    package let announcesIssuer: Bool

    /// Assembles what was already checked.
    package init(
        issuer: String?, authorization: String, token: String, revocation: String?,
        clientAuthentication: ClientAuthentication, rotation: Rotation, defaultLifetime: Int,
        extraAuthorizationParameters: [String: String], extraTokenParameters: [String: String], announcesIssuer: Bool
    ) {
        self.issuer = issuer
        self.authorization = authorization
        self.token = token
        self.revocation = revocation
        self.clientAuthentication = clientAuthentication
        self.rotation = rotation
        self.defaultLifetime = defaultLifetime
        self.extraAuthorizationParameters = extraAuthorizationParameters
        self.extraTokenParameters = extraTokenParameters
        self.announcesIssuer = announcesIssuer
    }
}
