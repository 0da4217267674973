// Whether a token is good is asked of the vault with every request, so taking a grant back works at once.

package import Delegation
package import FoundationEssentials
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
    /// Whether the request is as protected as its kind can be: an OAuth 1.0a signature covers the body, an OAuth 2 token
    /// never promised to.
    package let coversBody: Bool
    private let tokenID: String

    init(_ token: IssuedAccessToken, text: String, coversBody: Bool) {
        grant = token.grant.id
        consumer = token.grant.consumer
        person = token.grant.person
        scopes = token.scopes
        accessTokenHash = HomeProvider.hash(text)
        self.coversBody = coversBody
        tokenID = token.id
    }

    /// As it stands in a command and in the audit log.
    package var requester: Requester { .app(consumer.key) }

    /// Whether it may do an operation.
    package func permits(_ operation: String, on device: Device) -> Bool {
        scopes.contains(ScopedOperation(operation, device: device.id))
    }

    /// Whether token and grant still hold, asked in the transaction that acts on them.
    package func isStillGood(in transaction: Transaction, at now: Date) throws -> Bool {
        guard let token = try transaction.accessToken(id: tokenID) else { return false }
        return token.isLive(at: now)
    }
}

extension IssuedAccessToken {
    /// Whether it is neither withdrawn nor too old, and neither is its grant.
    func isLive(at now: Date) -> Bool { revokedAt == nil && now < expiresAt && grant.isLive(at: now) }
}

extension HomeProvider {
    /// How a token is presented.
    enum TokenScheme: String { case bearer, dpop }

    /// What a request may do: by a bearer token, a token bound to a key, or an OAuth 1.0a signature.
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
        let access = try await authenticated(incoming)
        try admit(access.consumer, method: incoming.method)
        return access
    }

    /// Counts a request of a consumer.
    ///
    /// - Throws: ``ProviderFault/tooOften(seconds:)``.
    func admit(_ consumer: RegisteredConsumer, method: String) throws {
        // The agent asks before every command it sends; it is not made to wait for itself.
        let kind = RequestRate.Kind(method: method)
        if !consumer.isAgent, let seconds = rate.admit(consumer.id, kind, at: configuration.elapsed()) {
            throw ProviderFault.tooOften(seconds: seconds)
        }
    }

    private func authenticated(_ incoming: Incoming) async throws -> AppAccess {
        let authorization = try incoming.authorization() ?? ""
        let scheme = authorization.prefix { $0 != " " }.lowercased()
        if TokenScheme(rawValue: scheme) != nil { return try await resolveToken(incoming) }
        guard scheme == "oauth" || scheme.isEmpty else { throw ProviderFault.token(.absent) }
        // Without the scheme the signature may still be in query or body (RFC 5849 §3.5).
        do {
            return try await resolveSigned(incoming)
        } catch ProviderFault.oauth1(.unsigned) {
            throw ProviderFault.token(.absent)
        }
    }

    /// The OAuth 2 token that a request presents.
    ///
    /// - Throws: ``ProviderFault/token(_:)`` when there is none.
    func presentedToken(_ incoming: Incoming) throws -> (token: Secret, scheme: TokenScheme) {
        let authorization = try incoming.authorization() ?? ""
        guard let scheme = TokenScheme(rawValue: authorization.prefix { $0 != " " }.lowercased()) else {
            throw ProviderFault.token(.absent)
        }
        guard let token = BearerToken.parse(authorization, scheme: scheme.rawValue) else {
            throw ProviderFault.token(.invalidToken)
        }
        return (token, scheme)
    }

    /// Refuses a token that is presented for something it is not for, or not by the key it is bound to.
    ///
    /// - Throws: ``ProviderFault/token(_:)``.
    func requireBinding(
        _ thumbprint: String?, scheme: TokenScheme, token: Secret, _ proof: DPoPProof?, audience: [String],
        _ incoming: Incoming, in transaction: Transaction
    ) throws {
        guard audience.isEmpty || isFor(audience, target: incoming.path) else {
            throw ProviderFault.token(.invalidToken)
        }
        guard let thumbprint else {
            guard scheme == .bearer else { throw ProviderFault.token(.invalidToken) }
            return
        }
        guard scheme == .dpop else { throw ProviderFault.token(.invalidToken) }
        guard let proof else { throw ProviderFault.token(.invalidProof) }
        guard proof.thumbprint == thumbprint else { throw ProviderFault.token(.invalidToken) }
        do {
            _ = try use(proof, in: transaction)
        } catch is OAuth2Refusal {
            throw ProviderFault.token(.invalidProof)
        }
    }

    /// The proof that goes with a token bound to a key; with a bearer token none is looked at.
    ///
    /// - Throws: ``ProviderFault/token(_:)``.
    func resourceProof(_ incoming: Incoming, scheme: TokenScheme, token: Secret) throws -> DPoPProof? {
        guard scheme == .dpop else { return nil }
        do {
            return try proof(incoming, origin: configuration.resourceURL, accessToken: token)
        } catch ProviderFault.oauth2(let refusal) {
            throw ProviderFault.token(refusal == .useDPoPNonce ? .useNonce : .invalidProof)
        }
    }

    private func resolveToken(_ incoming: Incoming) async throws -> AppAccess {
        let (token, scheme) = try presentedToken(incoming)
        let proof = try resourceProof(incoming, scheme: scheme, token: token)
        let now = configuration.now()
        let check: @Sendable (Transaction) throws -> IssuedAccessToken = { transaction in
            guard let found = try accessToken(token, in: transaction) else {
                // A client's own token is good, but not for this.
                let isOwn = try claims(of: token, in: transaction).flatMap {
                    try transaction.clientToken(id: $0.tokenID)
                }.map { $0.revokedAt == nil && now < $0.expiresAt && ($0.thumbprint == nil) == (scheme == .bearer) }
                throw ProviderFault.token(isOwn == true ? .insufficientScope : .invalidToken)
            }
            guard found.isLive(at: now), found.grant.consumer.delegationProtocol == .oauth2 else {
                throw ProviderFault.token(.invalidToken)
            }
            try requireBinding(
                found.thumbprint, scheme: scheme, token: token, proof, audience: found.audience, incoming,
                in: transaction)
            return found
        }
        let found: IssuedAccessToken
        switch scheme {
        // A proof is used up; reading needs no commit.
        case .dpop: found = try await vault.write(check)
        case .bearer: found = try await vault.read(check)
        }
        // To the minute is enough for the page that shows it.
        if found.grant.usedAt.map({ now.timeIntervalSince($0) >= 60 }) ?? true {
            try await vault.write { try $0.touchGrant(found.grant, at: now) }
        }
        return AppAccess(found, text: token.revealText(), coversBody: true)
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
            return AppAccess(found, text: found.id, coversBody: verification.coversBody)
        } catch let refusal as OAuth1Refusal {
            throw ProviderFault.oauth1(refusal)
        }
    }

    /// The device of that id or name, as far as the asker may know it.
    ///
    /// - Throws: ``ProviderFault/noSuchDevice``, also when the token allows nothing on it.
    package func device(_ nameOrID: String, for access: AppAccess) async throws -> Device {
        guard let device = try await vault.read({ try device(nameOrID, in: $0) }) else {
            throw ProviderFault.noSuchDevice
        }
        // Of the others it is not even told that they are there.
        guard access.scopes.contains(where: { $0.device == device.id }) else { throw ProviderFault.noSuchDevice }
        return device
    }
}
