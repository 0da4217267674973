// Verbs do not know each other; where one needs another it says here what it needs, and the composition root ties them.

package import Sealing
package import StrictJSON

/// On what authority a command goes out.
package struct Authority: Sendable {
    package let grant: GrantID
    /// SHA-256 of the access token the command is sent under, 32 bytes (DAC/1's `ath`).
    package let accessTokenHash: [UInt8]

    /// Names the grant and its token's hash.
    package init(grant: GrantID, accessTokenHash: [UInt8]) {
        self.grant = grant
        self.accessTokenHash = accessTokenHash
    }
}

/// Decides whether a command may be sent; what `Commanding` needs of `Granting`.
package protocol CommandAuthority: Sendable {
    /// The live grant that covers the operation.
    ///
    /// - Throws: ``Refusal`` of kind `notAuthorised` that says what to do.
    func authorise(_ operation: String, on device: Device) async throws -> Authority
}

/// Registers the agent's own consumers at the home's provider; what `Granting` needs of `ServiceProvider`.
package protocol ConsumerRegistrar: Sendable {
    /// Registers, or finds again, the agent's consumer for one device.
    func registerAgent(
        for device: DeviceName, over delegationProtocol: DelegationProtocol, redirectURI: String
    ) async throws -> (key: String, secret: Secret)
}

/// Tells the home's broker what people should know; what `Notifying` needs of `Commanding`.
package protocol NoticePublisher: Sendable {
    /// Publishes a notice for whoever listens at the time.
    ///
    /// - Throws: ``Refusal`` of kind `usage` when trying again cannot help; anything else may pass.
    func publishNotice(_ document: JSON) async throws
    /// Shows Home Assistant the troubles that are not over, instead of those it was shown before.
    ///
    /// - Parameters:
    ///   - open: One document for each trouble, oldest first.
    ///   - lifetime: How long it holds, unless it is said again.
    /// - Throws: As ``publishNotice(_:)``.
    func publishAttention(_ open: [JSON], holding lifetime: Duration) async throws
}

/// Where profiles are looked up by name.
package protocol ProfileCatalog: Sendable {
    /// The device profile of that reference.
    func deviceProfile(_ reference: ProfileReference) throws -> DeviceProfile
    /// The provider profile of that name.
    func providerProfile(_ name: ProviderName) throws -> ProviderProfile
    /// The text of the provider profile of that name, for a person who wants to edit a copy.
    func providerYAML(_ name: ProviderName) throws -> String
    /// Every provider profile there is.
    func providerProfiles() throws -> [ProviderProfile]
    /// Adds a provider profile to the home's own, or replaces it, after checking it.
    func addProviderProfile(_ name: ProviderName, yaml: String) throws -> ProviderProfile
    /// Fills in what a provider profile leaves open, after checking it.
    func setProviderValues(_ name: ProviderName, _ values: [String: String]) throws -> ProviderProfile
    /// Removes a provider profile from the home's own.
    func removeProviderProfile(_ name: ProviderName) throws
}
