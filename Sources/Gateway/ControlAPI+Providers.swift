// A profile is checked whole before any of it is kept, and shown with what its author was not sure of.

import Delegation
import Granting
import Hummingbird
import StrictJSON

extension ControlAPI {
    func addProviders(to router: Router<ControlContext>) {
        let parts = parts
        router.get("/v1/providers") { _, _ in
            Response(json: ["providers": .array(try parts.profiles.providerProfiles().map(\.json))])
        }
        router.get("/v1/providers/{name}") { _, context in
            let name = try ProviderName(checking: try context.part("name"))
            let profile = try parts.profiles.providerProfile(name)
            let yaml = JSON.Member("yaml", .string(try parts.profiles.providerYAML(name)))
            return Response(json: ["provider": .object(profile.members + [yaml])])
        }
        router.post("/v1/providers") { request, context in
            let body = try await RequestBody(request, context)
            let name = try ProviderName(checking: try body.text("name"))
            let profile = try parts.profiles.addProviderProfile(name, yaml: try body.text("yaml"))
            return Response(json: ["provider": .object(profile.members)], status: .created)
        }
        router.post("/v1/providers/{name}/values") { request, context in
            let body = try await RequestBody(request, context)
            let name = try ProviderName(checking: try context.part("name"))
            let values = Dictionary(try body.pairs("values").map { ($0.name, $0.value) }) { $1 }
            let profile = try parts.profiles.setProviderValues(name, values)
            return Response(json: ["provider": .object(profile.members)])
        }
        router.post("/v1/providers/discover") { request, context in
            let body = try await RequestBody(request, context)
            let yaml = try await parts.keeper.discover(
                issuer: try body.text("issuer"), as: try ProviderName(checking: try body.text("name")))
            return Response(json: ["yaml": .string(yaml)])
        }
        router.delete("/v1/providers/{name}") { _, context in
            let name = try ProviderName(checking: try context.part("name"))
            try parts.profiles.removeProviderProfile(name)
            return Response(json: ["removed": .string(name.rawValue)])
        }
    }
}

extension ProviderProfile {
    var json: JSON {
        [
            "name": .string(name.rawValue), "title": .string(title), "protocol": .string(delegationProtocol.rawValue),
            "hosts": .strings(hosts), "verified": .bool(verified),
        ]
    }

    /// Everything that a person has to know before relying on it.
    fileprivate var members: [JSON.Member] {
        let more: JSON =
            switch endpoints {
            case .oauth1(let one): ["revokes": .bool(one.revocation != nil)]
            case .oauth2(let two):
                .compact([
                    "rotation": .string(two.rotation.rawValue),
                    "grace": two.rotation == .grace ? .integer(Int64(two.rotationGrace)) : nil,
                    "refresh_token_lifetime": two.refreshTokenLifetime.map { .integer(Int64($0)) },
                    "revokes": .bool(two.revocation != nil),
                ])
            }
        let common: JSON = .compact([
            "flows": .strings(flows.map(\.rawValue)), "doubts": .strings(doubts),
            "variables": variables.isEmpty ? nil : .strings(variables),
            "unset": unsetVariables.isEmpty ? nil : .strings(unsetVariables), "has_secret": .bool(needsSecret),
            "revocation_page": revocationPage.map(JSON.string),
        ])
        return [json, common, more].flatMap { $0.members ?? [] }
    }
}
