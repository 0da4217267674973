// A profile is checked whole before any of it is kept; a consumer's secret goes in and never comes out.

import Delegation
import Granting
import Hummingbird
import Sealing
import StrictJSON
import Vault

extension ControlAPI {
    func addProviders(to router: Router<ControlContext>) {
        let parts = parts
        router.get("/v1/providers") { _, _ in
            Response(json: ["providers": .array(try parts.profiles.providerProfiles().map(\.json))])
        }
        router.get("/v1/providers/{name}") { _, context in
            let name = try ProviderName(checking: try context.part("name"))
            return Response(json: ["provider": try parts.profiles.providerProfile(name).json])
        }
        router.post("/v1/providers") { request, context in
            let body = try await RequestBody(request, context)
            let name = try ProviderName(checking: try body.text("name"))
            let profile = try parts.profiles.addProviderProfile(name, yaml: try body.text("yaml"))
            return Response(json: ["provider": profile.json], status: .created)
        }
        router.delete("/v1/providers/{name}") { _, context in
            let name = try ProviderName(checking: try context.part("name"))
            try parts.profiles.removeProviderProfile(name)
            return Response(json: ["removed": .string(name.rawValue)])
        }
        router.get("/v1/consumers") { _, _ in
            let consumers = try await parts.keeper.consumers()
            return Response(
                json: [
                    "consumers": .array(
                        consumers.map { consumer in
                            .compact([
                                "provider": .string(consumer.provider.rawValue), "key": .string(consumer.key),
                                "device": consumer.device.map { .string($0.rawValue) },
                            ])
                        })
                ])
        }
        router.post("/v1/consumers") { request, context in
            let body = try await RequestBody(request, context)
            let provider = try ProviderName(checking: try body.text("provider"))
            _ = try parts.profiles.providerProfile(provider)
            let key = try body.text("key")
            try await parts.keeper.addConsumer(
                provider: provider, key: key, secret: Secret(text: try body.text("secret")), by: context.requester)
            return Response(
                json: ["consumer": ["provider": .string(provider.rawValue), "key": .string(key)]], status: .created)
        }
        router.delete("/v1/consumers/{name}") { _, context in
            let provider = try ProviderName(checking: try context.part("name"))
            try await parts.keeper.removeConsumer(provider: provider, by: context.requester)
            return Response(json: ["removed": .string(provider.rawValue)])
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
}
