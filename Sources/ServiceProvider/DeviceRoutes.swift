// An app sees the devices its token is for, with the operations its token is for, and of the others nothing.

import Delegation
import FoundationEssentials
import Hummingbird
import StrictJSON
import Vault

extension HomeProvider {
    /// `GET /api/v1/devices`.
    func listDevices(_ incoming: Incoming) async throws -> Response {
        let access = try await resolve(incoming)
        let operations = try await operations(of: access)
        var devices: [JSON] = []
        var seen: Set<String> = []
        for item in operations where seen.insert(item.device.id).inserted {
            devices.append(Self.json(operations.filter { $0.device.id == item.device.id }))
        }
        return Reply.json(["devices": .array(devices)])
    }

    /// `GET /api/v1/devices/{id}`, by id or name.
    func showDevice(_ incoming: Incoming, _ idOrName: String) async throws -> Response {
        let access = try await resolve(incoming)
        let device = try await device(idOrName, for: access)
        let operations = try await operations(of: access).filter { $0.device.id == device.id }
        guard !operations.isEmpty else { throw ProviderFault.token(.insufficientScope) }
        return Reply.json(Self.json(operations))
    }

    private func operations(of access: AppAccess) async throws -> [RequestedOperation] {
        try await vault.read { try RequestedOperation.readable(access.scopes, in: $0, profiles: profiles) }
    }

    private static func json(_ operations: [RequestedOperation]) -> JSON {
        guard let first = operations.first else { return [:] }
        return [
            "id": .string(first.device.id), "name": .string(first.device.name.rawValue),
            "profile": .string(first.profile.reference.rawValue), "title": .string(first.profile.title),
            "operations": .array(
                operations.map { item in
                    [
                        "op": .string(item.operation.name), "title": .string(item.operation.title),
                        "risk": .string(item.operation.risk.rawValue),
                        "args": .array(
                            item.operation.arguments.map { argument in
                                [
                                    "name": .string(argument.name), "title": .string(argument.title),
                                    "required": .bool(argument.required), "allowed": .string(argument.kind.allowed),
                                ]
                            }),
                    ]
                }),
        ]
    }
}
