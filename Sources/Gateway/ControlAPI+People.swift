// People and apps are added here and never over the network; an app's secret is told once.

import Delegation
import FoundationEssentials
import Hummingbird
import Sealing
import ServiceProvider
import StrictJSON
import Vault

extension ControlAPI {
    func addPeople(to router: Router<ControlContext>) {
        let provider = parts.provider
        router.get("/v1/users") { _, _ in
            Response(json: ["users": .array(try await provider.people().map(\.json))])
        }
        router.post("/v1/users") { request, context in
            let body = try await RequestBody(request, context)
            let person = try await provider.addPerson(
                try body.text("name"), password: Secret(text: try body.text("password")))
            return Response(json: ["user": person.json], status: .created)
        }
        router.delete("/v1/users/{name}") { _, context in
            let name = try context.part("name")
            try await provider.removePerson(name)
            return Response(json: ["removed": .string(name)])
        }
    }

    func addApps(to router: Router<ControlContext>) {
        let provider = parts.provider
        router.get("/v1/apps") { _, _ in
            let apps = try await provider.consumers().filter { !$0.isAgent }
            return Response(json: ["apps": .array(apps.map(\.json))])
        }
        router.post("/v1/apps") { request, context in
            let body = try await RequestBody(request, context)
            guard let spoken = DelegationProtocol(rawValue: try body.text("protocol")) else {
                throw Refusal(.usage, "protocol must be one of oauth1, oauth2")
            }
            let (app, secret) = try await provider.addApp(
                named: try body.text("name"), over: spoken, redirectURIs: try body.texts("redirect"),
                scopes: try body.texts("scope"))
            return Response(json: ["app": app.json, "secret": .string(secret.revealText())], status: .created)
        }
        router.get("/v1/apps/{name}") { _, context in
            Response(json: ["app": try await provider.app(try context.part("name")).json])
        }
        router.delete("/v1/apps/{name}") { _, context in
            let name = try context.part("name")
            try await provider.removeApp(name)
            return Response(json: ["removed": .string(name)])
        }
    }
}

extension Person {
    var json: JSON { ["name": .string(name), "created_at": .string(createdAt.rfc3339)] }
}

extension RegisteredConsumer {
    var json: JSON {
        [
            "name": .string(name), "protocol": .string(delegationProtocol.rawValue), "key": .string(key),
            "redirect": .strings(redirectURIs), "scope": .string(scopes.joined(separator: " ")),
            "created_at": .string(createdAt.rfc3339),
        ]
    }
}
