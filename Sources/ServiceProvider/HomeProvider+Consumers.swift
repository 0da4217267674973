// A consumer is registered by whoever runs the home, with the redirect URIs and the most it may ever ask for.

package import Delegation
import FoundationEssentials
import OAuth
package import Sealing
import StrictJSON
package import Vault

extension HomeProvider {
    /// Registers a third-party app and makes its key and secret, which is shown here and never again for OAuth 2.
    ///
    /// - Parameters:
    ///   - name: What people read on the consent page.
    ///   - delegationProtocol: Which of the two it speaks.
    ///   - redirectURIs: Absolute URIs, or exactly `oob` for OAuth 1.0a; none for flows without redirects.
    ///   - scopes: The most it may ask for, as `operation@device`.
    ///   - terms: How it speaks.
    /// - Returns: The app, and the secret to hand to it if it has one.
    /// - Throws: ``Refusal`` of kind `usage` or `conflict`.
    package func addApp(
        named name: String, over delegationProtocol: DelegationProtocol, redirectURIs: [String], scopes: [String],
        terms: ConsumerTerms = ConsumerTerms()
    ) async throws -> (app: RegisteredConsumer, secret: Secret?) {
        // What people read on the consent page must not be able to imitate anything else on it.
        guard (1...64).contains(name.count), DisplayText.sanitised(name) == name, !name.allSatisfy(\.isWhitespace),
            name.unicodeScalars.allSatisfy({ $0.isASCII || $0.properties.isAlphabetic })
        else {
            throw Refusal(
                .usage, "app name \(quoted(name)) is not allowed",
                hint: "use 1 to 64 visible characters, letters of any script but no symbols outside ASCII")
        }
        let terms = try checked(terms, for: delegationProtocol, redirectURIs: redirectURIs)
        let now = configuration.now()
        let secret = terms.hasSecret(delegationProtocol) ? Secret(text: Random.alphanumerics(24)) : nil
        let profiles = self.profiles
        let app = RegisteredConsumer(
            id: Random.alphanumerics(24), name: name, delegationProtocol: delegationProtocol,
            key: Random.alphanumerics(24), redirectURIs: redirectURIs, scopes: scopes, agentDevice: nil, terms: terms,
            createdAt: now)
        try await vault.write { transaction in
            guard !scopes.isEmpty else {
                throw Refusal(.usage, "an app needs at least one scope", hint: "such as lock.lock@front-door")
            }
            for scope in scopes
            where try RequestedOperation.resolve([scope], in: transaction, profiles: profiles) == nil {
                throw Refusal(
                    .usage, "scope \(quoted(scope)) is nothing a device here can do",
                    hint: "write OPERATION@DEVICE, such as lock.lock@front-door")
            }
            guard try transaction.app(named: name) == nil else {
                throw Refusal(.conflict, "there already is an app \(quoted(name))")
            }
            try transaction.insertRegisteredConsumer(app, secret: secret)
            try transaction.audit(Self.entry(app, "added"), at: now)
        }
        return (app, secret)
    }

    /// Every consumer: apps by name, then the agent's own.
    package func consumers() async throws -> [RegisteredConsumer] {
        try await vault.read { try $0.registeredConsumers() }
    }

    /// The app of that name or key.
    ///
    /// - Throws: ``Refusal`` of kind `notFound`.
    package func app(_ nameOrKey: String) async throws -> RegisteredConsumer {
        try await vault.read { try Self.app(nameOrKey, in: $0) }
    }

    /// Removes an app; every grant it has ends at once.
    ///
    /// - Throws: ``Refusal`` of kind `notFound`.
    package func removeApp(_ nameOrKey: String) async throws {
        let now = configuration.now()
        try await vault.write { transaction in
            let app = try Self.app(nameOrKey, in: transaction)
            let ended = try transaction.removeRegisteredConsumer(app, at: now)
            try transaction.audit(Self.entry(app, "removed", ["grants": .strings(ended)]), at: now)
        }
    }

    /// What has access to what at the moment.
    package func grants() async throws -> [ConsentedGrant] {
        let now = configuration.now()
        return try await vault.read { try $0.liveGrants(at: now) }
    }

    /// Ends what a person allowed, for the control API.
    ///
    /// - Throws: ``Refusal`` of kind `notFound` when there is no such live grant.
    package func revokeGrant(_ id: GrantID, by actor: Requester) async throws {
        let now = configuration.now()
        try await vault.write { transaction in
            guard try Self.takeBack(id, by: actor, authority: "local", in: transaction, at: now) else {
                throw Refusal(.notFound, "no live grant \(quoted(id.rawValue))")
            }
        }
    }

    /// Stores what a person allowed; what has to end to make room for it is written into the audit log.
    static func allow(
        _ id: GrantID, to consumer: RegisteredConsumer, by person: String, scopes: [ScopedOperation], until end: Date,
        in transaction: Transaction, at now: Date
    ) throws {
        let ended = try transaction.insertConsentedGrant(
            id: id, consumer: consumer.id, person: person, scopes: scopes, at: now, expiresAt: end,
            limit: ServiceProviderConfiguration.grantLimit)
        for grant in ended {
            try transaction.audit(
                AuditEntry(
                    actor: .app(consumer.key), action: "provider.revoke", subject: "grant:\(grant)",
                    authority: "grant limit", outcome: "revoked"), at: now)
        }
    }

    /// Ends a grant because a person wants it so; what would bring it back without asking ends with it.
    static func takeBack(
        _ id: GrantID, by actor: Requester, authority: String, in transaction: Transaction, at now: Date
    ) throws -> Bool {
        guard let grant = try transaction.consentedGrant(id),
            try revoke(id, by: actor, authority: authority, in: transaction, at: now)
        else { return false }
        try transaction.revokeStandingApprovals(of: grant.consumer.id, by: grant.person.id, at: now)
        try transaction.dropApprovals(of: grant.consumer.id, by: grant.person.id)
        return true
    }

    static func revoke(
        _ id: GrantID, by actor: Requester, authority: String, in transaction: Transaction, at now: Date
    ) throws -> Bool {
        guard try transaction.revokeConsentedGrant(id, at: now) else { return false }
        try transaction.audit(
            AuditEntry(
                actor: actor, action: "provider.revoke", subject: "grant:\(id)", authority: authority,
                outcome: "revoked"), at: now)
        return true
    }

    private static func app(_ nameOrKey: String, in transaction: Transaction) throws -> RegisteredConsumer {
        if let app = try transaction.app(named: nameOrKey) { return app }
        if let app = try transaction.registeredConsumer(key: nameOrKey), !app.isAgent { return app }
        throw Refusal(.notFound, "no app \(quoted(nameOrKey))", hint: "run 'keyholder app list' to see those there are")
    }

    private static func entry(_ consumer: RegisteredConsumer, _ outcome: String, _ detail: JSON = [:]) -> AuditEntry {
        AuditEntry(
            actor: .agent, action: "provider.consumer", subject: "app:\(consumer.key)", authority: "local",
            outcome: outcome, detail: detail)
    }
}

extension HomeProvider: ConsumerRegistrar {
    /// Registers, or finds again, the agent's consumer for one device; the redirect URI becomes the given one.
    package func registerAgent(
        for device: DeviceName, over delegationProtocol: DelegationProtocol, redirectURI: String
    ) async throws -> (key: String, secret: Secret) {
        try check([redirectURI], for: delegationProtocol)
        let now = configuration.now()
        return try await vault.write { transaction in
            if let known = try transaction.agentConsumer(for: device, over: delegationProtocol) {
                if known.redirectURIs != [redirectURI] { try transaction.setRedirectURIs([redirectURI], of: known) }
                return (known.key, try transaction.secret(of: known))
            }
            let consumer = RegisteredConsumer(
                id: Random.alphanumerics(24), name: "Keyholder for \(device)", delegationProtocol: delegationProtocol,
                key: Random.alphanumerics(24), redirectURIs: [redirectURI], scopes: [], agentDevice: device,
                createdAt: now)
            let secret = Secret(text: Random.alphanumerics(24))
            try transaction.insertRegisteredConsumer(consumer, secret: secret)
            try transaction.audit(Self.entry(consumer, "added", ["device": .string(device.rawValue)]), at: now)
            return (consumer.key, secret)
        }
    }
}
