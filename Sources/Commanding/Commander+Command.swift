// A command is authorised, then written down with its counter, then published; what comes of it is what the device
// signed, or unknown. It is never sent twice, except when the device signed that it did not act.

import Broker
import CommandProtocol
package import Delegation
import FoundationEssentials
import Logging
import Sealing
package import StrictJSON
import Vault

extension Commander {
    /// The arguments of a command, as they came.
    package enum Arguments: Sendable {
        /// `name=value` as typed by a person.
        case typed([(name: String, value: String)])
        case json(JSON)
    }

    /// Sends a command and waits for the device's signed receipt.
    ///
    /// - Parameters:
    ///   - operation: What to do.
    ///   - arguments: With what.
    ///   - name: The device.
    ///   - patience: How long the command may live; the device's own maximum shortens it.
    ///   - requester: Who asks.
    ///   - mandate: What a third party acts on, when one asks.
    /// - Returns: What became of it; `unknown` when no signed answer came in time.
    /// - Throws: ``Refusal`` when nothing was sent.
    package func command(
        _ operation: String, _ arguments: Arguments, on name: DeviceName, patience: Duration, by requester: Requester,
        under mandate: Mandate? = nil
    ) async throws -> CommandReport {
        let device = try await vault.read { try $0.requiredDevice(named: name) }
        guard !isPaused else { throw VaultError.sealed }
        underWay += 1
        defer { leave() }
        // Outlives a caller that hangs up: once a counter is taken the outcome must be written down. Awaited right here.
        return try await Task {
            do {
                return try await self.authorised(
                    operation, arguments, on: device, patience: patience, by: requester, under: mandate)
            } catch let refusal as Refusal {
                await self.record(
                    AuditEntry(
                        actor: requester, action: "command", subject: device.name.rawValue, authority: "none",
                        outcome: Outcome.refused.rawValue,
                        detail: [
                            "op": .string(operation.utf8.count <= 64 ? operation : quoted(operation)),
                            "why": .string(refusal.message),
                        ]))
                throw refusal
            }
        }.value
    }

    private func authorised(
        _ operation: String, _ arguments: Arguments, on device: Device, patience: Duration, by requester: Requester,
        under mandate: Mandate?
    ) async throws -> CommandReport {
        guard device.state == .enrolled else {
            throw Refusal(
                .conflict, "device \(quoted(device.name.rawValue)) is not enrolled yet",
                hint: "start it with its join bundle; 'keyholder device show \(device.name)' tells how far it is")
        }
        let profile = try profiles.deviceProfile(device.profile).operation(operation)
        let args: JSON
        switch arguments {
        case .typed(let pairs): args = try profile.arguments(typed: pairs)
        case .json(let object): args = try profile.arguments(checking: object)
        }
        let authority = try await authority.authorise(operation, on: device)
        return try await send(
            Order(
                operation: operation, args: args, isHighRisk: profile.risk == .high, requester: requester,
                authority: authority, mandate: mandate, patience: patience), to: device)
    }

    /// Sends, and once again where the device signed that it did not act because the hub's view of it was old.
    func send(_ order: Order, to device: Device) async throws -> CommandReport {
        guard let id = DeviceID(rawValue: device.id), links[id] != nil else {
            throw Refusal(.notFound, "no device \(quoted(device.name.rawValue))")
        }
        let report = try await sendOnce(order, to: id, device)
        // What the device says when the hub's view of its session or clock was old; it looked no further then.
        let stale = [RejectionCode.session, .expired, .lifetime].map(\.rawValue)
        guard report.outcome == .rejected, let code = report.code, stale.contains(code) else { return report }
        links[id]?.doubt()
        return try await sendOnce(order, to: id, device)
    }

    private func sendOnce(_ order: Order, to id: DeviceID, _ device: Device) async throws -> CommandReport {
        if let turn = turnstiles[id, default: Turnstile()].enter() { for await _ in turn {} }
        let published: Published
        do {
            published = try await publish(order, to: id, device)
            turnstiles[id]?.leave()
        } catch {
            turnstiles[id]?.leave()
            throw error
        }
        return try await outcome(of: published, order, on: id, device)
    }

    /// A command that has left, and where its answers come in.
    private struct Published {
        let command: SignedCommand
        let answers: AsyncStream<SignedAcknowledgement>
        let patience: Duration
        /// The hub's running time just before it left.
        let at: Duration
    }

    private func publish(_ order: Order, to id: DeviceID, _ device: Device) async throws -> Published {
        guard let session, let site, let hub, session.isConnected else {
            throw Refusal(
                .failure, "the broker is not connected; nothing was sent", hint: "'keyholder status' tells more")
        }
        let life = min(order.patience, .seconds(order.isHighRisk ? 10 : 30))
        let challenge = try await freshChallenge(for: id, device, required: order.isHighRisk)
        let now = configuration.elapsed()
        guard let link = links[id], let contact = link.contact, let uptime = link.uptime(at: now) else {
            throw Self.silent(device)
        }
        let date = configuration.now()
        let seconds = Int64(date.timeIntervalSince1970)
        let burnt = link.burnt
        let command = try await vault.write { transaction in
            try order.requireStillAllowed(on: device, in: transaction, at: date)
            let key = try HubKeys.commandKey(in: transaction)
            let keyID = key.publicKey.keyID
            let version = try transaction.currentKeySet()?.version ?? 0
            let last = max(
                try transaction.lastCounter(device: id.rawValue, session: contact.session, keyID: keyID),
                burnt[keyID] ?? 0)
            let claims = CommandClaims(
                iss: hub, aud: id, ses: contact.session, ctr: last + 1, iat: seconds,
                exp: seconds + life.components.seconds + 1, due: uptime + life.milliseconds, kv: version,
                op: order.operation, args: order.args, chn: challenge?.chn, sub: order.requester.description,
                ath: order.accessTokenHash.map { Base64.encode($0, as: .url) })
            let signed = try CommandSigner.sign(claims, key: key)
            try transaction.insertCommand(
                CommandRecord(
                    id: claims.jti, device: id.rawValue, operation: order.operation, args: order.args,
                    requester: order.requester, grant: order.authority?.grant, session: contact.session, keyID: keyID,
                    counter: claims.ctr, hash: Base64.encode(signed.hash, as: .url), createdAt: date))
            return signed
        }
        links[id]?.acknowledgements.expect(command)
        let answers = acknowledgements.listen(command.hash)
        do throws(BrokerError) {
            try await session.publish(Topic.command(site, id), command.bytes, qos: 1, expiry: life)
        } catch  where error.mayHaveTakenEffect {
            // Somebody may have it, whatever the broker says; whether it took effect is what the receipt will tell.
            logger.warning("publish uncertain", metadata: ["command.id": "\(command.claims.jti)", "error": "\(error)"])
        } catch {
            forget(command, on: id)
            try await close(command, .refused, code: "not_sent", receipt: nil)
            throw Refusal(.failure, "the broker did not take the command: \(error)", hint: "nothing was sent")
        }
        return Published(command: command, answers: answers, patience: life + configuration.grace, at: now)
    }

    private func outcome(
        of published: Published, _ order: Order, on id: DeviceID, _ device: Device
    ) async throws -> CommandReport {
        let command = published.command
        let final = await first(
            in: published.answers, within: published.patience, clock: configuration.clock
        ) { answer in answer.claims.st.isFinal ? answer : nil }
        acknowledgements.close(command.hash)
        let since = configuration.elapsed() - published.at
        let outcome =
            final.map { answer in
                ProvenOutcome.of(
                    answer.claims.st, code: answer.claims.code, uptime: answer.claims.up, sincePublished: since)
            } ?? .unknown
        if outcome == .unknown {
            links[id]?.keep(unknown: command.hash)
        } else {
            links[id]?.acknowledgements.forget(command.hash)
        }
        let receipt = final.flatMap { answer in
            links[id].map { link in
                let claims = answer.claims
                return Receipt(
                    command: claims.jti, commandHash: Base64.encode(claims.cmd, as: .url), device: id.rawValue,
                    outcome: outcome, code: claims.code.map { RejectionCode(rawValue: $0)?.rawValue ?? quoted($0) },
                    result: claims.res, uptime: claims.up, keyID: link.key.keyID, verifiedAt: configuration.now(),
                    signed: String(decoding: answer.message, as: UTF8.self))
            }
        }
        let now = configuration.now()
        do {
            try await close(
                command, outcome, code: receipt?.code, receipt: receipt?.signed,
                audit: AuditEntry(
                    actor: order.requester, action: "command", subject: device.name.rawValue,
                    authority: order.authority?.grant.rawValue ?? "local", outcome: outcome.rawValue,
                    detail: .compact([
                        "command": .string(command.claims.jti), "op": .string(order.operation), "args": order.args,
                        "ctr": .integer(command.claims.ctr), "code": receipt?.code.map(JSON.string),
                        "result": receipt?.result, "app_grant": order.mandate.map { .string($0.grant.rawValue) },
                    ])), at: now)
        } catch {
            // The device has acted and proved it; whoever asked must hear that, even when it cannot be written down.
            logger.error(
                "outcome not recorded", metadata: ["command.id": "\(command.claims.jti)", "error": "\(error)"])
        }
        return CommandReport(
            command: command.claims.jti, device: device.name, operation: order.operation, outcome: outcome,
            code: receipt?.code, receipt: receipt)
    }

    private func close(
        _ command: SignedCommand, _ outcome: Outcome, code: String?, receipt: String?, audit: AuditEntry? = nil,
        at now: Date = Date()
    ) async throws {
        let id = command.claims.jti
        try await vault.write { transaction in
            _ = try transaction.finishCommand(id: id, outcome: outcome, code: code, receipt: receipt, at: now)
            if let audit { try transaction.audit(audit, at: now) }
        }
    }

    private func forget(_ command: SignedCommand, on id: DeviceID) {
        acknowledgements.close(command.hash)
        links[id]?.acknowledgements.forget(command.hash)
    }

    /// Asks the device for a challenge when one is needed, or when nothing fresh is known of its session.
    private func freshChallenge(for id: DeviceID, _ device: Device, required: Bool) async throws -> Challenge? {
        guard required || links[id]?.uptime(at: configuration.elapsed()) == nil else { return nil }
        guard let session, let site, let hub else { throw Self.silent(device) }
        let request = ChallengeRequest(iss: hub, aud: id)
        let message = try await vault.read { try request.sign(key: try HubKeys.commandKey(in: $0)) }
        let key = ChallengeKey(device: id, nonce: request.non)
        let answers = challenges.listen(key)
        defer { challenges.close(key) }
        do throws(BrokerError) {
            try await session.publish(
                Topic.challenge(site, id), message, qos: 1, expiry: configuration.challengeTimeout)
        } catch {
            throw Refusal(.failure, "the broker did not take the request: \(error)", hint: "nothing was sent")
        }
        let answer = await first(in: answers, within: configuration.challengeTimeout, clock: configuration.clock) { $0 }
        guard let answer else { throw Self.silent(device) }
        return required ? answer : nil
    }

    private static func silent(_ device: Device) -> Refusal {
        Refusal(
            .failure, "device \(quoted(device.name.rawValue)) does not answer; nothing was sent",
            hint:
                "check that it is on and connected; 'keyholder device show \(device.name)' tells when it was last heard"
        )
    }
}
