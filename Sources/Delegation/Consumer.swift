// A consumer's secret can change while its grants live on: during the change-over the former secrets are still known.

package import Sealing

/// A consumer's registration at a provider: what the agent signs requests with.
package struct Consumer: Sendable {
    package let id: String
    package let provider: ProviderName
    /// The device it belongs to, or `nil` when it serves every device of the provider.
    package let device: DeviceName?
    /// `oauth_consumer_key` or `client_id`.
    package let key: String
    package let secret: Secret
    /// Secrets it had before, newest first: one of them may still be the right one while the secret is being changed.
    package let formerSecrets: [Secret]

    /// Assembles a consumer.
    package init(
        id: String, provider: ProviderName, device: DeviceName?, key: String, secret: Secret,
        formerSecrets: [Secret] = []
    ) {
        self.id = id
        self.provider = provider
        self.device = device
        self.key = key
        self.secret = secret
        self.formerSecrets = formerSecrets
    }
}
