// A document is believed for the issuer it was asked for, and from nowhere but the two places where issuers keep it.

package import AsyncHTTPClient
package import OAuth
import Sealing

/// Finds out what an authorisation server offers (RFC 8414).
package enum ProviderDiscovery {
    /// Fetches an issuer's metadata: at RFC 8414's place, and when there is none at OpenID Connect's.
    ///
    /// - Parameters:
    ///   - issuer: The issuer's identifier, https or on this machine; the document must say the same bytes.
    ///   - client: Made with ``AsyncHTTPClient/HTTPClient/Configuration/toProviders``.
    ///   - deadline: How long both attempts may take together.
    /// - Returns: What the server says about itself; it has a token endpoint.
    /// - Throws: ``ProviderFailure``; a redirect is not followed.
    package static func fetch(
        issuer: String, over client: HTTPClient, deadline: Duration = RemoteProvider.standardDeadline
    ) async throws -> AuthorizationServerMetadata {
        let limit = ContinuousClock.now + deadline
        let places: [String]
        do throws(OAuthError) {
            places = [
                try AuthorizationServerMetadata.wellKnownURL(issuer: issuer),
                try AuthorizationServerMetadata.openIDURL(issuer: issuer),
            ]
        } catch {
            throw ProviderFailure.unusableRequest(error)
        }
        var failure = ProviderFailure.notOffered("metadata")
        for place in places {
            do throws(ProviderFailure) {
                return try await fetch(place, issuer: issuer, over: client, until: limit)
            } catch {
                // Only "there is nothing here" is a reason to look elsewhere; some servers say it with a page.
                switch error {
                case .refused(400..<500, _), .unusable(.malformedEncoding): failure = error
                default: throw error
                }
            }
        }
        throw failure
    }

    private static func fetch(
        _ url: String, issuer: String, over client: HTTPClient, until limit: ContinuousClock.Instant
    ) async throws(ProviderFailure) -> AuthorizationServerMetadata {
        guard let origin = Origin(url) else { throw .unusableRequest(.insecureEndpoint("issuer")) }
        let exchange = BoundedExchange(
            client: client, maximumBodySize: AuthorizationServerMetadata.maximumSize)
        let reply = try await exchange.send(
            OutgoingRequest(method: "GET", url: url), host: origin.host, until: limit)
        guard !(300..<400).contains(reply.status) else { throw .redirected(status: reply.status) }
        guard reply.isSuccess else { throw .refused(status: reply.status, code: nil) }
        do throws(OAuthError) {
            let metadata = try AuthorizationServerMetadata.parse(reply.body.revealBytes(), issuer: issuer)
            guard metadata.tokenEndpoint != nil else { throw .missing("token_endpoint") }
            return metadata
        } catch {
            throw .unusable(error)
        }
    }
}
