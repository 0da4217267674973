// Knows how to talk and nothing else: no token, no consumer and no reply outlives the call it came with.

package import AsyncHTTPClient
package import Delegation
package import FoundationEssentials
import OAuth
import Sealing

/// One service provider, reached over HTTP by its profile.
package struct RemoteProvider: Sendable {
    /// Long enough for a slow vendor, short enough for a person who waits.
    package static let standardDeadline = Duration.seconds(30)
    /// How large may a reply's body be, in bytes?
    static let maximumBodySize = 65_536

    package let profile: ProviderProfile
    let client: HTTPClient
    let memory: ProviderMemory
    let trustRoots: String?
    let origins: PinnedOrigins
    let deadline: Duration
    let now: @Sendable () -> Date

    /// Prepares to talk to a provider.
    ///
    /// - Parameters:
    ///   - profile: Endpoints, pinned hosts and peculiarities.
    ///   - client: Made with ``AsyncHTTPClient/HTTPClient/Configuration/toProviders``.
    ///   - memory: Outlives this value; what the provider lets us know in passing is kept there.
    ///   - trustRoots: What the client was made with, for connections that show a certificate of ours.
    ///   - deadline: How long one exchange may take with all its steps, from the first byte sent to the last one received.
    ///   - now: The wall clock, for timestamps, assertions and proofs.
    package init(
        _ profile: ProviderProfile, over client: HTTPClient, memory: ProviderMemory = ProviderMemory(),
        trustRoots: String? = nil, deadline: Duration = standardDeadline,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.profile = profile
        self.client = client
        self.memory = memory
        self.trustRoots = trustRoots
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

    /// Seconds since 1970 by our own clock.
    var seconds: Int { Int(now().timeIntervalSince1970) }

    /// When an exchange that begins now must have come to an end.
    var limit: ContinuousClock.Instant { .now + deadline }

    /// Sends a request to a pinned origin, reads the whole reply, and learns from it what proofs shall hold next.
    ///
    /// - Throws: ``ProviderFailure``; a status that is not 2xx is a reply, not a failure.
    func send(
        _ outgoing: OutgoingRequest, until limit: ContinuousClock.Instant
    ) async throws(ProviderFailure) -> RawReply {
        let origin = try origins.check(outgoing.url)
        let reply = try await BoundedExchange(client: client, maximumBodySize: Self.maximumBodySize)
            .send(outgoing, host: origin.host, until: limit)
        if let nonce = reply.dpopNonce { memory.learn(nonce: nonce, of: "\(origin)") }
        return reply
    }

    func demandSuccess(_ reply: RawReply) throws(ProviderFailure) {
        if reply.isSuccess { return }
        guard !(300..<400).contains(reply.status) else { throw .redirected(status: reply.status) }
        let body = reply.body.revealBytes()
        let code =
            OAuthProblem.parse(body, wwwAuthenticate: reply.wwwAuthenticate)?.code
            ?? TokenError.parse(body, paths: tokenReplyOptions.errorPaths)?.code
        throw .refused(status: reply.status, code: code)
    }

    /// Reads a successful reply.
    ///
    /// - Throws: ``ProviderFailure`` when it is no success, or cannot be read.
    func read<T>(_ reply: RawReply, _ parse: ([UInt8]) throws(OAuthError) -> T) throws(ProviderFailure) -> T {
        try demandSuccess(reply)
        do throws(OAuthError) {
            return try parse(reply.body.revealBytes())
        } catch {
            throw .unusable(error)
        }
    }
}
