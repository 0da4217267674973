// Whether a token is good is asked of the vault with every request, so taking a grant back works at once.

package import Delegation
import FoundationEssentials
package import Hummingbird
import OAuth
import Sealing
package import Vault

/// What a request to a protected resource may do, and on whose word.
package struct AppAccess: Sendable {
    package let grant: GrantID
    package let consumer: RegisteredConsumer
    package let person: Person
    /// What it may do; devices by id.
    package let scopes: [ScopedOperation]
    /// SHA-256 of the access token, 32 bytes.
    package let accessTokenHash: [UInt8]
    /// Whether a change of the body on the way would have been noticed by the signature; always for a bearer token,
    /// which promises nothing of the kind.
    package let coversBody: Bool

    /// As it stands in a command and in the audit log.
    package var requester: Requester { .app(consumer.key) }

    /// Whether it may do an operation.
    package func permits(_ operation: String, on device: Device) -> Bool {
        scopes.contains(ScopedOperation(operation, device: device.id))
    }
}

extension HomeProvider {
    /// What a request may do: by a bearer token, or by an OAuth 1.0a signature.
    ///
    /// - Parameters:
    ///   - method: The HTTP method.
    ///   - target: Path and query exactly as on the wire.
    ///   - headers: The request's headers.
    ///   - body: The whole body.
    /// - Returns: The grant behind the request, with what it allows at this moment.
    /// - Throws: ``ProviderFault``, which the provider's own layer around the routes turns into the right reply.
    package func resolve(
        method: String, target: String, headers: HTTPFields, body: [UInt8]
    ) async throws -> AppAccess {
        try await resolve(Incoming(method: method, target: target, headers: headers, body: body))
    }

    func resolve(_ incoming: Incoming) async throws -> AppAccess {
        let authorization = try incoming.authorization() ?? ""
        let scheme = authorization.prefix { $0 != " " }.lowercased()
        switch scheme {
        case "bearer": return try await resolveBearer(authorization)
        case "oauth", "": break
        default: throw ProviderFault.token(.absent)
        }
        // Without the scheme the signature may still be in query or body (RFC 5849 §3.5).
        do {
            return try await resolveSigned(incoming)
        } catch ProviderFault.oauth1(.unsigned) {
            throw ProviderFault.token(.absent)
        }
    }

    private func resolveBearer(_ authorization: String) async throws -> AppAccess {
        guard let token = BearerToken.parse(authorization) else { throw ProviderFault.token(.invalidToken) }
        let now = configuration.now()
        let found = try await vault.read { try accessToken(token, in: $0) }
        guard let found, found.grant.consumer.delegationProtocol == .oauth2 else {
            throw ProviderFault.token(.invalidToken)
        }
        do {
            try requireLive(found)
        } catch {
            throw ProviderFault.token(.invalidToken)
        }
        try await vault.write { try $0.touchGrant(found.grant, at: now) }
        return access(found, token: token.revealText(), coversBody: true)
    }

    private func resolveSigned(_ incoming: Incoming) async throws -> AppAccess {
        let (verification, _) = try verification(incoming, .resource)
        let now = configuration.now()
        do {
            let found = try await vault.write { transaction -> IssuedAccessToken in
                let signed = try authenticate(verification, .resource, in: transaction)
                guard let token = signed.accessToken else { throw OAuth1Refusal.tokenRejected }
                try requireLive(token)
                try transaction.touchGrant(token.grant, at: now)
                return token
            }
            return access(found, token: found.id, coversBody: verification.coversBody)
        } catch let refusal as OAuth1Refusal {
            throw ProviderFault.oauth1(refusal)
        }
    }

    private func access(_ token: IssuedAccessToken, token text: String, coversBody: Bool) -> AppAccess {
        AppAccess(
            grant: token.grant.id, consumer: token.grant.consumer, person: token.grant.person, scopes: token.scopes,
            accessTokenHash: Self.hash(text), coversBody: coversBody)
    }
}
