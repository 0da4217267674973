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
    /// What the profile's author was not sure of, for people.
    package var doubts: [String] = []
    /// Where a person can take a grant back by hand, for providers that cannot be told.
    package var revocationPage: String?
    /// Where browsers come back to, for a provider that does not take the hub's own loopback address; the owner then
    /// carries the address over by hand.
    package var redirectURI: String?
    /// The query parameter in which every request to the provider's API repeats the consumer's key.
    package var keyParameter: String?
    /// What each owner has of their own in the addresses, such as a project's id; written `{name}` there.
    package var variables: [String] = []
    /// Those of them that have no value in this home, so that the profile cannot be used.
    package var unsetVariables: [String] = []
    /// How many refreshes a minute the provider takes before it objects.
    package var refreshesPerMinute = 120

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

    /// Whether consumers prove themselves with a secret; a public client has none.
    package var needsSecret: Bool {
        switch endpoints {
        case .oauth1: true
        case .oauth2(let endpoints): endpoints.clientAuthentication != .none
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
