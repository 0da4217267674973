// The home's provider registers its consumers itself; every other provider's consumer is told by a person.

package import Delegation
import FoundationEssentials
import Logging
package import Sealing
import StrictJSON
package import Vault

extension Keeper {
    /// Stores the consumer that a person registered at a provider; the key and secret of an earlier one are replaced.
    ///
    /// - Throws: ``Refusal``, of kind `sealed` while the vault is sealed.
    package func addConsumer(
        provider: ProviderName, key: String, secret: Secret, by requester: Requester
    ) async throws {
        let profile = try profiles.providerProfile(provider)
        guard !profile.isHome else {
            throw Refusal(
                .usage, "provider \(quoted(provider.rawValue)) registers its consumers itself",
                hint: "run 'keyholder grant request' for a device")
        }
        guard !key.isEmpty, key.utf8.count <= 512, key.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw Refusal(
                .usage, "consumer key \(quoted(key)) is not allowed", hint: "use 1 to 512 printable ASCII characters")
        }
        let now = time.now()
        let stored = try await explained {
            try await vault.write { transaction in
                let stored = try transaction.putConsumer(
                    provider: provider, device: nil, key: key, secret: secret, at: now)
                try transaction.audit(
                    AuditEntry(
                        actor: requester, action: "consumer.add", subject: provider.rawValue, authority: "local",
                        outcome: "stored", detail: ["key": .string(key)]),
                    at: now)
                return stored
            }
        }
        // A new secret is worth a new try.
        restingConsumers[stored.id] = nil
        endRests()
    }

    /// Changes the secret of the consumer that serves all devices of a provider; grants and tokens stay. The former secret
    /// is still tried until the provider has taken the new one.
    ///
    /// - Throws: ``Refusal`` of kind `notFound` when there is none, `sealed` while the vault is sealed.
    package func rotateConsumer(provider: ProviderName, secret: Secret, by requester: Requester) async throws {
        let now = time.now()
        let rotated = try await explained {
            try await vault.write { transaction -> Consumer? in
                guard
                    let consumer = try transaction.rotateConsumer(
                        provider: provider, device: nil, secret: secret, at: now)
                else { return nil }
                try transaction.audit(.about(consumer, by: requester, "consumer.rotate", "stored"), at: now)
                return consumer
            }
        }
        guard let rotated else {
            throw Refusal(
                .notFound, "no consumer for provider \(quoted(provider.rawValue))",
                hint: "run 'keyholder consumer add \(provider) --key KEY'")
        }
        Failpoint.consumerRotated.pass()
        restingConsumers[rotated.id] = nil
        endRests()
    }

    /// Ends a change-over when the provider has taken the newest secret, and tells when it refuses that one.
    func noteChangeOver(of consumer: Consumer, _ usedSecret: Int) async {
        let now = time.now()
        do {
            try await vault.write { try $0.noteChangeOver(of: consumer, usedSecret, at: now) }
        } catch {
            // The next refresh notes it.
            logger.warning(
                "cannot note a change of secrets",
                metadata: ["provider": "\(consumer.provider)", "error": "\(error)"])
        }
    }

    /// Every consumer, without its secret.
    package func consumers() async throws -> [ConsumerKey] { try await vault.read { try $0.consumerKeys() } }

    /// Forgets the consumer that serves all devices of a provider.
    ///
    /// - Throws: ``Refusal`` of kind `notFound`, or `conflict` while grants need it.
    package func removeConsumer(provider: ProviderName, by requester: Requester) async throws {
        let now = time.now()
        try await explained {
            try await vault.write { transaction in
                guard
                    let found = try transaction.consumerKeys().first(where: {
                        $0.provider == provider && $0.device == nil
                    })
                else { throw Refusal(.notFound, "no consumer for provider \(quoted(provider.rawValue))") }
                let live: Set<Grant.State> = [.pending, .active]
                let needing = try transaction.grants().filter {
                    $0.consumer == found.id && live.contains($0.grant.state)
                }
                guard needing.isEmpty else {
                    let devices = needing.map(\.grant.device.rawValue).joined(separator: ", ")
                    throw Refusal(
                        .conflict, "grants for \(devices) need the consumer of \(quoted(provider.rawValue))",
                        hint: "run 'keyholder grant revoke' for them first")
                }
                _ = try transaction.deleteConsumer(id: found.id)
                try transaction.dropNotice(.clientBroken, subject: found.id)
                try transaction.audit(
                    AuditEntry(
                        actor: requester, action: "consumer.remove", subject: provider.rawValue, authority: "local",
                        outcome: "removed", detail: ["key": .string(found.key)]),
                    at: now)
            }
        }
    }

    func consumer(
        of profile: ProviderProfile, for device: DeviceName, redirectURI: String
    ) async throws -> Consumer {
        if profile.isHome {
            guard !vault.isSealed else { throw Refusal.sealed }
            let (key, secret) = try await registrar.registerAgent(
                for: device, over: profile.delegationProtocol, redirectURI: redirectURI)
            let now = time.now()
            return try await vault.write {
                try $0.putConsumer(provider: profile.name, device: device, key: key, secret: secret, at: now)
            }
        }
        guard let consumer = try await vault.read({ try $0.heldConsumer(of: profile.name, for: device) }) else {
            throw Refusal(
                .notAuthorised, "no consumer for provider \(quoted(profile.name.rawValue))",
                hint: "register the hub there, then run 'keyholder consumer add \(profile.name) --key KEY'")
        }
        return consumer
    }
}

extension Transaction {
    fileprivate func noteChangeOver(of consumer: Consumer, _ usedSecret: Int, at now: Date) throws {
        // Another one may have come meanwhile, which the provider has not taken yet.
        guard try heldConsumer(id: consumer.id)?.secret.matches(consumer.secret) == true else { return }
        guard usedSecret == 0 else {
            _ = try openNotice(
                .configuration, subject: consumer.id, device: nil, provider: consumer.provider,
                text: "\(consumer.provider) refuses the hub's new secret and still takes the former one",
                hint: "change it there too, or run 'keyholder consumer rotate \(consumer.provider)' again", at: now)
            return
        }
        try dropFormerSecrets(ofConsumer: consumer.id)
        _ = try closeNotice(
            .configuration, subject: consumer.id, text: "\(consumer.provider) takes the hub's new secret", at: now)
        try audit(.about(consumer, by: .agent, "consumer.rotate", "settled"), at: now)
    }
}
