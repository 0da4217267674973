// The code a device keeps is as good as a token soon, so it travels like one.

package import Delegation
package import OAuth
package import Sealing
import StrictJSON

extension RemoteProvider {
    /// Asks for a code that the owner types elsewhere (RFC 8628 §3.1).
    ///
    /// - Returns: What to keep and what to show.
    /// - Throws: ``ProviderFailure``.
    package func deviceAuthorization(consumer: Consumer, scopes: [String]) async throws -> DeviceAuthorizationReply {
        let endpoints = try oauth2
        guard let url = endpoints.deviceAuthorization else {
            throw ProviderFailure.notOffered("device authorization endpoint")
        }
        let dialect = endpoints.device
        let extra = Self.parameters(dialect.extraParameters)
        var parameters =
            scopes.isEmpty ? [] : [Parameter("scope", scopes.joined(separator: profile.scopeSeparator))]
        parameters += endpoints.resources.map { Parameter("resource", $0) }
        parameters.removeAll { own in extra.contains { $0.name == own.name } }
        let reply: RawReply
        switch dialect.method {
        case .post: reply = try await ask(Question(url: url, parameters: parameters + extra), consumer)
        case .get:
            // A URL names who asks, and never proves it.
            let id = Parameter("client_id", consumer.key)
            reply = try await send(
                OutgoingRequest(method: "GET", url: URLQuery.add([id] + parameters + extra, to: url)), until: limit)
        }
        return try read(reply) { body throws(OAuthError) in
            let answer = try DeviceAuthorizationReply.parse(body, options: deviceAuthorizationOptions)
            let json = try? JSON(parsing: body.drop { $0 != UInt8(ascii: "{") })
            guard json?["interval"] == nil else { return answer }
            return DeviceAuthorizationReply(
                deviceCode: answer.deviceCode, userCode: answer.userCode, verificationURI: answer.verificationURI,
                verificationURIComplete: answer.verificationURIComplete, expiresIn: answer.expiresIn,
                interval: dialect.interval)
        }
    }

    /// Asks whether the owner has approved (RFC 8628 §3.4); the reply is not read here, so that it can be made durable
    /// first.
    ///
    /// - Throws: ``ProviderFailure`` when there is no whole reply.
    package func poll(deviceCode: Secret, consumer: Consumer, dpopKey: Secret? = nil) async throws -> RawReply {
        let dialect = try oauth2.device
        return try await ask(
            .deviceCode(deviceCode), consumer, dpopKey,
            extra: dialect.grantType.map { [Parameter("grant_type", $0)] } ?? [],
            names: dialect.codeParameter.map { ["device_code": $0] } ?? [:])
    }
}
