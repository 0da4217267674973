// Verbs do not know each other; where one needs another it says here what it needs, and the composition root ties them.

package import Sealing

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

/// Where profiles are looked up by name.
package protocol ProfileCatalog: Sendable {
    /// The device profile of that reference.
    func deviceProfile(_ reference: ProfileReference) throws -> DeviceProfile
    /// The provider profile of that name.
    func providerProfile(_ name: ProviderName) throws -> ProviderProfile
    /// Every provider profile there is.
    func providerProfiles() throws -> [ProviderProfile]
    /// Adds a provider profile to the home's own, or replaces it, after checking it.
    func addProviderProfile(_ name: ProviderName, yaml: String) throws -> ProviderProfile
    /// Removes a provider profile from the home's own.
    func removeProviderProfile(_ name: ProviderName) throws
}
