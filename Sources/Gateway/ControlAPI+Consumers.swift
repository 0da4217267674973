// A consumer's secret goes in and never comes out.

import Delegation
import Granting
import Hummingbird
import Sealing
import StrictJSON
import Vault

extension ControlAPI {
    func addConsumers(to router: Router<ControlContext>) {
        let parts = parts
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
            let needsSecret = try parts.profiles.providerProfile(provider).needsSecret
            let key = try body.text("key")
            let secret = try needsSecret ? body.text("secret") : body.optionalText("secret") ?? ""
            try await parts.keeper.addConsumer(
                provider: provider, key: key, secret: Secret(text: secret), by: context.requester)
            return Response(
                json: ["consumer": ["provider": .string(provider.rawValue), "key": .string(key)]], status: .created)
        }
        router.post("/v1/consumers/{name}/rotate") { request, context in
            let body = try await RequestBody(request, context)
            let provider = try ProviderName(checking: try context.part("name"))
            _ = try parts.profiles.providerProfile(provider)
            try await parts.keeper.rotateConsumer(
                provider: provider, secret: Secret(text: try body.text("secret")), by: context.requester)
            return Response(json: ["consumer": ["provider": .string(provider.rawValue)]])
        }
        router.delete("/v1/consumers/{name}") { _, context in
            let provider = try ProviderName(checking: try context.part("name"))
            try await parts.keeper.removeConsumer(provider: provider, by: context.requester)
            return Response(json: ["removed": .string(provider.rawValue)])
        }
    }
}
