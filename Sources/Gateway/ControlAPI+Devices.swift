// A device goes by its name here and by its id everywhere below; the join bundle is in one answer and nowhere else.

import Commanding
import Delegation
import FoundationEssentials
import Granting
import Hummingbird
import Sealing
import StrictJSON
import Vault

extension ControlAPI {
    func addDevices(to router: Router<ControlContext>) {
        let parts = parts
        router.get("/v1/devices") { _, _ in
            let devices = try await parts.vault.read { try $0.devices() }
            return Response(json: ["devices": .array(devices.map { $0.json(with: nil) })])
        }
        router.post("/v1/devices") { request, context in
            let body = try await RequestBody(request, context)
            let enrolment = try await parts.commander.enroll(
                try DeviceName(checking: try body.text("name")), label: try body.text("label"),
                profile: try body.optionalText("profile"), by: context.requester)
            return Response(
                json: ["device": enrolment.device.json(with: nil), "join": .string(enrolment.join.revealText())],
                status: .created)
        }
        router.get("/v1/devices/{name}") { request, context in
            let name = try context.deviceName()
            var device = try await parts.vault.read { try $0.requiredDevice(named: name) }
            if let patience = try request.wait() {
                device = try await parts.commander.waitUntilEnrolled(name, within: patience)
            }
            return Response(json: ["device": device.json(with: await parts.commander.knowledge(of: device))])
        }
        router.delete("/v1/devices/{name}") { _, context in
            let name = try context.deviceName()
            // The grant goes first: a device that is gone must not leave a key behind that still opens something.
            do {
                _ = try await parts.keeper.revoke(device: name, by: context.requester)
            } catch let refusal as Refusal where refusal.kind == .notFound {
                // Nothing was granted, or nothing is any more.
            }
            try await parts.commander.remove(name, by: context.requester)
            return Response(json: ["removed": .string(name.rawValue)])
        }
        router.post("/v1/devices/{name}/commands") { request, context in
            let body = try await RequestBody(request, context)
            let arguments: Commander.Arguments =
                try body.json["args"].map(Commander.Arguments.json) ?? .typed(try body.pairs("typed"))
            let report = try await parts.commander.command(
                try body.text("op"), arguments, on: try context.deviceName(),
                patience: try body.seconds("timeout", default: 10, in: 1...300), by: context.requester)
            return Response(json: report.json)
        }
    }
}

extension Device {
    /// The device as INTERFACE prescribes it, with what the hub knows of its current boot.
    func json(with knowledge: JSON?) -> JSON {
        .compact([
            "id": .string(id), "name": .string(name.rawValue), "profile": .string(profile.rawValue),
            "state": .string(state.rawValue),
            "kid": (try? Ed25519PublicKey(rawBytes: identityKey)).map { .string($0.keyID) },
            "enrolled_at": enrolledAt.map { .string($0.rfc3339) }, "signed": knowledge,
        ])
    }
}
