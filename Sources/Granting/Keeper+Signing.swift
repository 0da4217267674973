// A program can call an API without ever holding a secret: what it gets is good for one request.

package import Delegation
import OAuth
import ProviderClient
import Sealing
import Vault

extension Keeper {
    /// Signs a request for somebody else to send; the secrets stay inside. OAuth 1.0a signs with the consumer's and the
    /// token's secret, OAuth 2 with the key that the grant is bound to (RFC 9449).
    ///
    /// - Parameters:
    ///   - device: Whose grant signs.
    ///   - method: The HTTP method.
    ///   - url: An absolute URL on one of the provider's hosts.
    ///   - form: The form body, empty without one.
    ///   - body: A body that is no form, for a provider whose signatures cover it.
    ///   - nonce: What the API asked for in `DPoP-Nonce` (RFC 9449 §9).
    /// - Returns: The headers' values.
    /// - Throws: ``Refusal``.
    package func sign(
        device: DeviceName, method: String, url: String, form: [(name: String, value: String)], body: [UInt8]? = nil,
        nonce: String? = nil
    ) async throws -> SignedRequest {
        guard !method.isEmpty, method.utf8.count <= 16, method.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
            throw Refusal(
                .usage, "method \(quoted(method)) is not allowed", hint: "write it in upper case, such as GET")
        }
        return try await explained {
            var held = try await active(withConsumer: true) { try $0.grants(ofKnown: device) }(device)
            let remote = try remote(held.record.grant.provider)
            do {
                guard remote.profile.delegationProtocol == .oauth2 else {
                    let header = try remote.authorizationHeader(
                        method, url, form: form.map { Parameter($0.name, $0.value) }, body: body,
                        consumer: try held.consumer ?? { throw Refusal.noConsumer(held.record.grant.provider) }(),
                        token: held.tokens.credentials)
                    return SignedRequest(authorization: header, dpop: nil)
                }
                guard held.tokens.dpopKey != nil else {
                    throw Refusal(
                        .usage,
                        "the grant for device \(quoted(device.rawValue)) has bearer tokens, which sign nothing",
                        hint: "run 'keyholder token \(device)'")
                }
                held = try await fresh(held, .seconds(30))
                // Some providers ignore the key; then the token is all that anybody needs.
                guard held.tokens.tokenType.lowercased() == "dpop" else {
                    throw Refusal(
                        .usage,
                        "the grant for device \(quoted(device.rawValue)) has bearer tokens, which sign nothing",
                        hint: "its provider did not bind them to the key; run 'keyholder token \(device)'")
                }
                if let nonce { try remote.learn(nonce: nonce, from: url) }
                let proof = try remote.proofOfPossession(method, url, tokens: held.tokens)
                return SignedRequest(authorization: proof.authorization.revealText(), dpop: proof.dpop)
            } catch ProviderFailure.notPinned("") {
                throw Refusal(
                    .usage, "\(quoted(url)) is not an absolute URL", hint: "write it with https:// and the host")
            } catch ProviderFailure.notPinned(let host) {
                throw Refusal(
                    .notAuthorised,
                    "\(quoted(host)) is not a host of provider \(quoted(held.record.grant.provider.rawValue))",
                    hint: "its profile has \(remote.profile.hosts.joined(separator: ", "))")
            } catch let error as OAuthError {
                throw Refusal(.usage, "this request cannot be signed: \(error)")
            }
        }
    }
}
