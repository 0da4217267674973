// A device is enrolled when it has answered a signed round trip with the key on its label; until then nothing is sent to
// it but that ping. Every step can be repeated, so a crash in between is mended by asking again.

import Broker
import CommandProtocol
package import Delegation
import FoundationEssentials
import Logging
package import Sealing
import StrictJSON
import Vault

/// What enrolling a device gives: the device, and the bundle it joins with.
package struct Enrolment: Sendable {
    package let device: Device
    /// `dac-join+jwt`: holds the device's broker password, for the device only.
    package let join: Secret
}

extension Commander {
    /// How long a join bundle may be used.
    private static let bundleLife: Int64 = 24 * 3600

    /// Admits the device of a label to the home: its login at the broker, probed, and its join bundle.
    ///
    /// Called again with the same label and name it makes a new bundle and password. `profile` overrides what the label
    /// says.
    ///
    /// - Returns: The device, still to prove itself, and its bundle.
    /// - Throws: ``Refusal``; the device is then not in the home.
    package func enroll(
        _ name: DeviceName, label text: String, profile override: String?, by requester: Requester
    ) async throws -> Enrolment {
        let label: Label
        do throws(ProtocolFault) {
            label = try Label(parsing: text)
        } catch {
            throw Refusal(.usage, error.description, hint: "copy the whole label, from 'dac-label:' to its end")
        }
        // A login of that name is the hub's own, and a failed enrolment takes the device's login away.
        guard label.device.rawValue != BrokerFolder.hubUser else {
            throw Refusal(
                .usage, "\(quoted(label.device.rawValue)) is the hub's own name", hint: "this label is not a device's")
        }
        let reference = override ?? label.profile
        guard let profile = ProfileReference(rawValue: reference) else {
            throw Refusal(
                .usage, "profile \(quoted(reference)) is not <kind>/<model>",
                hint: "kinds are \(ProfileReference.kinds.joined(separator: ", "))")
        }
        let operations = try profiles.deviceProfile(profile).operations.map(\.name) + [HubKeys.ping]
        if let turn = enrolling.enter() { for await _ in turn {} }
        defer { enrolling.leave() }
        let device = Device(
            id: label.device.rawValue, name: name, profile: profile, state: .enrolling,
            identityKey: label.key.rawBytes, sealingKey: label.seal, createdAt: configuration.now(), enrolledAt: nil)
        let isNew = try await vault.write { transaction in
            let isNew = try Self.checkedIsNew(device, in: transaction)
            if isNew { try transaction.insertDevice(device) }
            return isNew
        }
        do {
            try await requireNotJoined(device)
            let bundle = try await admit(label, operations: operations)
            add(device)
            await record(
                AuditEntry(
                    actor: requester, action: "device.enroll", subject: name.rawValue, authority: "local",
                    outcome: Device.State.enrolling.rawValue,
                    detail: [
                        "device": .string(device.id), "kid": .string(label.key.keyID),
                        "profile": .string(profile.rawValue), "probes": "refused as they must be",
                    ]))
            return Enrolment(device: device, join: bundle)
        } catch {
            if isNew { await rollBack(device) }
            throw error
        }
    }

    /// A device that has joined and answers keeps its login: it can open no second bundle, so a new login would lock it
    /// out.
    private func requireNotJoined(_ device: Device) async throws {
        guard let id = DeviceID(rawValue: device.id), links[id]?.contact != nil else { return }
        await prove(id)
        guard links[id]?.isEnrolled == true else { return }
        throw Refusal(
            .conflict, "device \(quoted(device.name.rawValue)) has joined and proved itself already",
            hint: "it is enrolled; 'keyholder device show \(device.name)' tells more")
    }

    /// Makes the device's login, probes it, and seals the bundle that holds it.
    private func admit(_ label: Label, operations: [String]) async throws -> Secret {
        guard let site, let hub, let session, session.isConnected else {
            throw Refusal(
                .failure, "the broker is not connected", hint: "start it; 'keyholder status' tells when it is there")
        }
        let keySet = try await changeKeySet(covering: operations)
        let password = Secret(text: Random.alphanumerics(32))
        try await control(DynamicSecurity.admit(label.device, site: site, password: password))
        try await probe(label.device, site: site, password: password)
        let now = Int64(configuration.now().timeIntervalSince1970)
        return try JoinBundle(
            site: site, hub: hub, device: label.device,
            broker: .init(
                host: configuration.brokerHost, port: configuration.brokerPort,
                ca: try String(contentsOf: URL(filePath: configuration.folder.authorityFile), encoding: .utf8),
                username: label.device.rawValue, password: password),
            keys: keySet.document, operations: operations, issuedAt: now, expiresAt: now + Self.bundleLife
        ).seal(code: label.code, deviceKey: label.key)
    }

    /// Brings the key set up to date and publishes it, while no command is between its signature and the broker: one
    /// signed under the other version would be dropped by the device without a word.
    private func changeKeySet(
        covering operations: [String] = [], revoking keyID: String? = nil
    ) async throws -> SignedKeySet {
        let still = links.keys.sorted { $0.rawValue < $1.rawValue }
        for id in still {
            if let turn = turnstiles[id, default: Turnstile()].enter() { for await _ in turn {} }
        }
        defer { for id in still { turnstiles[id]?.leave() } }
        let now = configuration.now()
        let (signed, isNew) = try await vault.write {
            try HubKeys.keySet(covering: operations, revoking: keyID, in: $0, at: now)
        }
        if isNew { try await publishKeySet() }
        return signed
    }

    /// Whether the device is not yet known; an enrolment of the same device under the same name may be taken up again.
    private static func checkedIsNew(_ device: Device, in transaction: Transaction) throws -> Bool {
        if let known = try transaction.device(named: device.name) {
            guard known.id == device.id, known.identityKey == device.identityKey, known.state == .enrolling else {
                throw Refusal(
                    .conflict, "there already is a device \(quoted(device.name.rawValue))",
                    hint: "choose another name, or run 'keyholder device remove \(device.name)' first")
            }
            return false
        }
        guard try transaction.device(id: device.id) == nil, try !transaction.knowsIdentityKey(device.identityKey) else {
            throw Refusal(
                .conflict, "the key on this label is enrolled already, or was",
                hint: "reset the device so that it makes new keys and a new label")
        }
        return true
    }

    private func rollBack(_ device: Device) async {
        do {
            try await vault.write { try $0.deleteDevice(id: device.id) }
            if let id = DeviceID(rawValue: device.id) { try await control(DynamicSecurity.dismiss(id)) }
        } catch {
            logger.error("enrolment not rolled back", metadata: ["device.id": "\(device.id)", "error": "\(error)"])
        }
    }

    /// Ends an enrolment with a signed round trip, when the device says hello for the first time.
    func prove(_ id: DeviceID) async {
        guard proving.insert(id).inserted else { return }
        defer { proving.remove(id) }
        do {
            guard let device = try await vault.read({ try $0.device(id: id.rawValue) }), device.state == .enrolling
            else { return }
            let report = try await send(
                Order(
                    operation: HubKeys.ping, args: [:], isHighRisk: false, requester: .agent, authority: nil,
                    mandate: nil, patience: .seconds(10)), to: device)
            guard report.outcome == .executed else {
                logger.warning(
                    "device did not prove itself", metadata: ["device.id": "\(id)", "code": "\(report.code ?? "none")"])
                return
            }
            let now = configuration.now()
            let enrolled = try await vault.write { transaction in
                // Looked up again: it may have been removed while it answered.
                guard try transaction.device(id: id.rawValue)?.state == .enrolling else { return nil as Device? }
                try transaction.setState(.enrolled, ofDevice: id.rawValue, at: now)
                try transaction.audit(
                    AuditEntry(
                        actor: .device(id.rawValue), action: "device.enroll", subject: device.name.rawValue,
                        authority: "receipt", outcome: Device.State.enrolled.rawValue,
                        detail: ["command": .string(report.command)]), at: now)
                return try transaction.device(id: id.rawValue)
            }
            guard let enrolled else { return }
            links[id]?.enrolled()
            for key in enrolments.keys where key.device == id.rawValue { _ = enrolments.deliver(enrolled, to: key) }
        } catch {
            logger.warning("enrolment not finished", metadata: ["device.id": "\(id)", "error": "\(error)"])
        }
    }

    /// Waits until a device has proved itself.
    ///
    /// - Returns: The device as it is then, or after `patience`.
    package func waitUntilEnrolled(_ name: DeviceName, within patience: Duration) async throws -> Device {
        let known = try await vault.read { try $0.requiredDevice(named: name) }
        guard known.state == .enrolling else { return known }
        let key = EnrolmentKey(device: known.id, ticket: Random.alphanumerics(8))
        let answers = enrolments.listen(key)
        defer { enrolments.close(key) }
        // Looked up again: it may have proved itself before anyone listened.
        let device = try await vault.read { try $0.requiredDevice(named: name) }
        guard device.state == .enrolling else { return device }
        return await first(in: answers, within: patience, clock: configuration.clock) { $0 } ?? device
    }

    /// Ends every wait for an enrolment, so that nobody who waits holds up a shutdown.
    package func endWaits() { for key in enrolments.keys { enrolments.close(key) } }

    /// Takes a device out of the home: its login goes, its key is revoked and never accepted again.
    ///
    /// When the broker is not there the login goes as soon as it is; everything else holds at once.
    package func remove(_ name: DeviceName, by requester: Requester) async throws {
        let device = try await vault.read { try $0.requiredDevice(named: name) }
        guard device.state == .enrolled else { return try await withdraw(device, by: requester) }
        let now = configuration.now()
        try await vault.write { transaction in
            try transaction.setState(.removed, ofDevice: device.id, at: now)
            try transaction.audit(
                AuditEntry(
                    actor: requester, action: "device.remove", subject: name.rawValue, authority: "local",
                    outcome: Device.State.removed.rawValue, detail: ["device": .string(device.id)]), at: now)
        }
        if let id = DeviceID(rawValue: device.id) { links[id] = nil }
        await dismissRemoved()
    }

    /// Takes back the enrolment of a device that never proved itself; its label can be enrolled again.
    private func withdraw(_ device: Device, by requester: Requester) async throws {
        guard let id = DeviceID(rawValue: device.id) else { return }
        try await control(DynamicSecurity.dismiss(id))
        links[id] = nil
        let now = configuration.now()
        try await vault.write { transaction in
            try transaction.deleteDevice(id: device.id)
            try transaction.audit(
                AuditEntry(
                    actor: requester, action: "device.remove", subject: device.name.rawValue, authority: "local",
                    outcome: "withdrawn", detail: ["device": .string(device.id)]), at: now)
        }
    }

    /// Takes the logins of removed devices away and tells the others that their keys are revoked; what does not succeed
    /// is done again with the next connection.
    func dismissRemoved() async {
        do {
            for device in try await vault.read({ try $0.devicesToDismiss() }) {
                guard let session, session.isConnected, let site, let id = DeviceID(rawValue: device.id) else { return }
                let keyID = try Ed25519PublicKey(rawBytes: device.identityKey).keyID
                try await control(DynamicSecurity.dismiss(id))
                _ = try await changeKeySet(revoking: keyID)
                for topic in [Topic.hello(site, id), Topic.state(site, id), Topic.online(site, id)] {
                    // An empty retained message makes the broker forget the one it holds.
                    try await session.publish(topic, [], qos: 1, retain: true)
                }
                try await vault.write { try $0.markDismissed(device.id) }
            }
        } catch {
            logger.warning("a removed device's login is still there", metadata: ["error": "\(error)"])
        }
    }
}
