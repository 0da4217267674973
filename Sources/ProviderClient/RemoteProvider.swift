// Knows how to talk and nothing else: no token, no consumer and no reply outlives the call it came with.

package import AsyncHTTPClient
package import Delegation
package import FoundationEssentials
import NIOCore

/// One service provider, reached over HTTP by its profile.
package struct RemoteProvider: Sendable {
    /// Long enough for a slow vendor, short enough for a person who waits.
    package static let standardDeadline = Duration.seconds(30)

    package let profile: ProviderProfile
    let client: HTTPClient
    let origins: PinnedOrigins
    let deadline: Duration
    let now: @Sendable () -> Date

    /// Prepares to talk to a provider.
    ///
    /// - Parameters:
    ///   - profile: Endpoints, pinned hosts and peculiarities.
    ///   - client: Made with ``AsyncHTTPClient/HTTPClient/Configuration/toProviders``.
    ///   - deadline: How long one exchange may take, from the first byte sent to the last one received.
    ///   - now: The wall clock, for OAuth 1.0a timestamps.
    package init(
        _ profile: ProviderProfile, over client: HTTPClient, deadline: Duration = standardDeadline,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.profile = profile
        self.client = client
        self.deadline = deadline
        self.now = now
        origins = PinnedOrigins(profile)
    }

    var oauth1: OAuth1Endpoints {
        get throws(ProviderFailure) {
            guard case .oauth1(let endpoints) = profile.endpoints else { throw .notOffered("OAuth 1.0a") }
            return endpoints
        }
    }

    var oauth2: OAuth2Endpoints {
        get throws(ProviderFailure) {
            guard case .oauth2(let endpoints) = profile.endpoints else { throw .notOffered("OAuth 2") }
            return endpoints
        }
    }
}

extension HTTPClient.Configuration {
    /// How providers are spoken to: no redirects, no decompression, 10 s to connect.
    package static var toProviders: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = Timeout(connect: .seconds(10), read: .seconds(30))
        configuration.connectionPool = ConnectionPool(idleTimeout: .seconds(20))
        // Who calls decides when to try again; a refused connection is told at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.decompression = .disabled
        configuration.httpVersion = .http1Only
        return configuration
    }
}
