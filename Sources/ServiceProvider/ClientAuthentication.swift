// A client is known by the hash of its secret, compared in constant time against a decoy when there is no such client,
// or by a signature of its own key that was not seen before. Which of them is settled by its registration.

import Delegation
import FoundationEssentials
import Hummingbird
import Logging
import OAuth
import Sealing
import StrictJSON
import Vault

extension HomeProvider {
    private static let decoyHash = Random.bytes(32)

    /// Reads the form that a client sent.
    ///
    /// - Throws: ``ProviderFault/oauth2(_:)``.
    func clientRequest(_ incoming: Incoming) throws -> ClientRequest {
        do {
            guard incoming.headers[values: .authorization].count < 2 else {
                throw OAuth2Refusal.severalAuthentications
            }
            return try ClientRequest.parse(
                method: incoming.method, query: incoming.query, contentType: incoming.contentType,
                authorization: incoming.headers[.authorization], body: incoming.body)
        } catch let refusal as OAuth2Refusal {
            throw ProviderFault.oauth2(refusal)
        }
    }

    /// Carries out a client's request in one transaction with its authentication.
    ///
    /// What `body` refuses, returned or thrown as ``OAuth2Refusal``, keeps what was done on the way to it: a replayed
    /// code that ends its grant, a proof that is used up.
    ///
    /// - Parameters:
    ///   - request: What the client sent.
    ///   - subject: The endpoint, for the audit log.
    ///   - body: What to do for the client that proved to be one.
    /// - Returns: What `body` returned.
    /// - Throws: ``ProviderFault``, written into the audit log.
    func serve<Reply: Sendable>(
        _ request: ClientRequest, at subject: String,
        _ body: @escaping @Sendable (Transaction, RegisteredConsumer) throws -> Result<Reply, OAuth2Refusal>
    ) async throws -> Reply {
        let now = configuration.now()
        let result = try await vault.write { transaction -> Result<Reply, ProviderFault> in
            let consumer: RegisteredConsumer
            do {
                consumer = try authenticate(request.client, in: transaction)
            } catch let refusal as OAuth2Refusal {
                return .failure(try refused(request.client, refusal, at: subject, in: transaction))
            }
            let result: Result<Reply, OAuth2Refusal>
            do {
                result = try body(transaction, consumer)
            } catch let refusal as OAuth2Refusal {
                result = .failure(refusal)
            }
            if case .failure(let refusal) = result, consumer.terms.authentication == .none, !refusal.isRoutine {
                // Anybody can be a public client: counted like failed proofs these leave few rows. What the real one is
                // told stays the same.
                _ = try auditFailure(of: consumer, subject: subject, why: refusal.code, in: transaction)
                return .failure(.oauth2(refusal))
            }
            if case .failure(let refusal) = result, !refusal.isRoutine {
                try transaction.audit(
                    AuditEntry(
                        actor: .app(consumer.key), action: "provider.token", subject: subject, authority: "none",
                        outcome: "refused", detail: ["why": .string(refusal.code)]), at: now)
            }
            return result.mapError { .oauth2($0) }
        }
        switch result {
        case .success(let reply): return reply
        case .failure(let fault):
            let isRoutine = if case .oauth2(let refusal) = fault { refusal.isRoutine } else { false }
            logger.log(
                level: isRoutine ? .debug : .notice, "client refused",
                metadata: ["http.endpoint": "\(subject)", "oauth.error": "\(fault)"])
            throw fault
        }
    }

    /// The client that presents itself at an OAuth 2 endpoint.
    ///
    /// - Throws: ``OAuth2Refusal/invalidClient(usedHeader:)``.
    private func authenticate(
        _ client: ClientRequest.Client, in transaction: Transaction
    ) throws -> RegisteredConsumer {
        let found: RegisteredConsumer? =
            switch client {
            // Both readings of the header are tried, and both end at the same kind of comparison.
            case .basic(let basic):
                try basic.interpretations.map { try holder(of: $0.secret, id: $0.clientID, in: transaction) }
                    .compactMap(\.self).first
            case .post(let id, let secret): try holder(of: secret, id: id, in: transaction)
            case .assertion(let assertion): try signer(of: assertion, in: transaction)
            case .none(let id): try oauth2Consumer(id, .none, in: transaction)
            }
        guard let found else { throw OAuth2Refusal.invalidClient(usedHeader: client.usedHeader) }
        return found
    }

    private func holder(of secret: Secret, id: String, in transaction: Transaction) throws -> RegisteredConsumer? {
        let consumer = try oauth2Consumer(id, .secret, in: transaction)
        let expected = try consumer.flatMap { try transaction.secretHash(of: $0) }
        let isRight = ConstantTime.equal(
            secret.reveal { HashFunction.sha256.digest($0) }, expected ?? Self.decoyHash)
        return isRight ? consumer : nil
    }

    private func signer(of assertion: ClientAssertion, in transaction: Transaction) throws -> RegisteredConsumer? {
        guard let consumer = try oauth2Consumer(assertion.clientID, .privateKeyJWT, in: transaction) else { return nil }
        let keys = try consumer.publicKeys()
        let now = configuration.now()
        let verified: ClientAssertion.Verified
        do {
            verified = try assertion.verify(
                keys: keys, issuer: configuration.baseURL, now: now.unixSeconds,
                longest: ServiceProviderConfiguration.assertionLimit)
        } catch {
            logger.notice(
                "client assertion refused", metadata: ["oauth.client_id": "\(consumer.key)", "oauth.error": "\(error)"])
            return nil
        }
        let isNew = try transaction.useProof(
            verified.id, of: consumer.id,
            expiresAt: Date(timeIntervalSince1970: Double(verified.expiresAt)), now: now)
        return isNew ? consumer : nil
    }

    /// The client of that id, if that is how it authenticates.
    private func oauth2Consumer(
        _ id: String, _ authentication: ConsumerAuthentication, in transaction: Transaction
    ) throws -> RegisteredConsumer? {
        try transaction.registeredConsumer(key: id)
            .flatMap { $0.delegationProtocol == .oauth2 && $0.terms.authentication == authentication ? $0 : nil }
    }

    /// Notes that a client did not prove to be who it says.
    ///
    /// - Returns: What it is told.
    private func refused(
        _ client: ClientRequest.Client, _ refusal: OAuth2Refusal, at subject: String, in transaction: Transaction
    ) throws -> ProviderFault {
        // Strangers to the home must not be able to fill the log.
        guard let consumer = try client.claimedIDs.first.flatMap({ try transaction.registeredConsumer(key: $0) })
        else { return .oauth2(refusal) }
        let seconds = try auditFailure(of: consumer, subject: subject, why: refusal.code, in: transaction)
        return seconds.map { .tooOften(seconds: $0) } ?? .oauth2(refusal)
    }

    /// Counts a failed authentication, and writes it into the audit log unless there were many lately; then the next row
    /// says how many were left out.
    ///
    /// - Returns: Seconds to wait, when there were too many.
    func auditFailure(
        of consumer: RegisteredConsumer, subject: String, why: String, in transaction: Transaction
    ) throws -> Int? {
        let now = configuration.now()
        let verdict = failures.count(consumer.id, at: now)
        if let unwritten = verdict.unwritten {
            var detail = [JSON.Member("why", .string(why))]
            if unwritten > 0 { detail.append(JSON.Member("suppressed", .integer(Int64(unwritten)))) }
            try transaction.audit(
                AuditEntry(
                    actor: .app(consumer.key), action: "provider.token", subject: subject, authority: "none",
                    outcome: "refused", detail: .object(detail)), at: now)
        }
        return verdict.retryAfter
    }
}

extension RegisteredConsumer {
    /// Its public keys.
    ///
    /// - Throws: `VaultError.badRow` when they cannot be read any more.
    func publicKeys() throws -> [JWTVerificationKey] {
        guard let keys = terms.keys else { return [] }
        do {
            return try JWKSet(parsing: keys.bytes).keys
        } catch {
            throw VaultError.badRow(table: "sp_consumer", column: "jwks")
        }
    }
}

extension OAuth2Refusal {
    /// Whether it is part of a flow that goes well, and no news for the audit log.
    var isRoutine: Bool {
        switch self {
        case .authorizationPending, .slowDown, .useDPoPNonce: true
        default: false
        }
    }
}
