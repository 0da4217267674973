// What a provider says about itself becomes a profile that a person reads before it is used.

package import Delegation
import ProviderClient

extension Keeper {
    /// Writes a provider profile from what an issuer publishes (RFC 8414, OpenID Connect Discovery).
    ///
    /// - Parameters:
    ///   - issuer: The issuer's URL.
    ///   - name: What the profile is to be called.
    /// - Returns: The profile as YAML, with its doubts; it is not stored.
    /// - Throws: ``Refusal``.
    package func discover(issuer: String, as name: ProviderName) async throws -> String {
        try await explained {
            let metadata = try await ProviderDiscovery.fetch(issuer: issuer, over: client)
            return ProviderDiscovery.profileYAML(name: name, metadata: metadata)
        }
    }
}
