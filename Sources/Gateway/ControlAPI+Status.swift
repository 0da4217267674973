// What is shown of the vault says whether it is open and whom its key source protects against, never more.

import Commanding
import Delegation
import Granting
import Hummingbird
import Sealing
import ServiceProvider
import StrictJSON
import Vault

extension ControlAPI {
    func addStatus(to router: Router<ControlContext>) {
        let parts = parts
        router.get("/v1/status") { _, _ in Response(json: try await parts.status()) }
        router.post("/v1/seal") { _, context in
            let now = parts.now()
            try await parts.vault.write {
                try $0.audit(
                    AuditEntry(
                        actor: context.requester, action: "vault.seal", subject: "vault", authority: "local",
                        outcome: "sealed"), at: now)
            }
            // A refresh under way gets its answer sealed first: dropped, it could cost the grant.
            await parts.commander.pause(within: .seconds(35))
            await parts.keeper.pause(within: .seconds(25))
            parts.vault.seal()
            parts.provider.forgetKeys()
            // From here on the vault itself refuses.
            await parts.commander.resume()
            return Response(json: ["sealed": true])
        }
        router.post("/v1/unseal") { request, context in
            let passphrase = try await RequestBody(request, context).optionalText("passphrase")
            switch parts.vault.protection.kind {
            case .file: try await parts.vault.unseal(with: try KeySource.readFile(at: parts.home.vaultKey))
            case .passphrase:
                guard let passphrase else { throw Refusal(.usage, "passphrase must be a text") }
                // A wrong guess costs scrypt's time each, one after the other.
                try await parts.vault.unseal(with: .passphrase(Secret(text: passphrase)))
            }
            let now = parts.now()
            try await parts.vault.write {
                try $0.audit(
                    AuditEntry(
                        actor: context.requester, action: "vault.unseal", subject: "vault", authority: "local",
                        outcome: "open"), at: now)
            }
            return Response(json: ["sealed": false])
        }
    }
}

extension GatewayParts {
    /// How the agent is, as INTERFACE prescribes it.
    func status() async throws -> JSON {
        let devices = try await vault.read { try $0.devices().count }
        let home = try await vault.read { try $0.home() }
        let people = try await vault.read { try $0.persons().count }
        let all = try await keeper.grants()
        let grants = Dictionary(grouping: all, by: \.state)
        let notices = try await vault.read { try $0.openNotices() }
        return [
            "name": .string(home.name),
            "site": .string(home.site),
            "sealed": .bool(vault.isSealed),
            "broker": .string(await commander.isConnected ? "connected" : "not connected"),
            "provider": .string(providerURL),
            "devices": .integer(Int64(devices)),
            "users": .integer(Int64(people)),
            "grants": .object(
                Grant.State.allCases.compactMap { state in
                    grants[state].map { .init(state.rawValue, .integer(Int64($0.count))) }
                }),
            "strict": .array(strict(all)),
            "queued_revocations": .integer(Int64(try await keeper.queuedRevocations())),
            "notices": .array(notices.map { $0.json(isOpen: true) }),
            "quarantine": vault.quarantine.map(JSON.string) ?? .null,
            "protection": vault.protection.json,
        ]
    }

    /// The grants that a power cut at the wrong moment can cost.
    private func strict(_ grants: [Grant]) -> [JSON] {
        let active = grants.filter { $0.state == .active }
        let strict = Set(active.map(\.provider)).filter { name in
            // A profile that is gone or broken is told where it is used.
            guard case .oauth2(let endpoints)? = (try? profiles.providerProfile(name))?.endpoints else { return false }
            return endpoints.rotation == .strict
        }
        return active.filter { strict.contains($0.provider) }.map {
            ["device": .string($0.device.rawValue), "provider": .string($0.provider.rawValue)]
        }
    }
}
