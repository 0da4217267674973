// People are added here, or invited here to add themselves.

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
        let providerURL = parts.providerURL
        router.get("/v1/users") { _, _ in
            Response(json: ["users": .array(try await provider.people().map(\.json))])
        }
        router.post("/v1/users") { request, context in
            let body = try await RequestBody(request, context)
            let person = try await provider.addPerson(
                try body.text("name"), password: Secret(text: try body.text("password")))
            return Response(json: ["user": person.json], status: .created)
        }
        router.post("/v1/users/invitations") { _, _ in
            let (code, expiresAt) = try await provider.invite()
            return Response(
                json: [
                    "invitation": [
                        "code": .string(code.revealText()), "url": .string(providerURL + "/set-up"),
                        "expires_at": .string(expiresAt.rfc3339),
                    ]
                ], status: .created)
        }
        router.delete("/v1/users/{name}") { _, context in
            let name = try context.part("name")
            try await provider.removePerson(name)
            return Response(json: ["removed": .string(name)])
        }
    }
}

extension Person {
    var json: JSON { ["name": .string(name), "created_at": .string(createdAt.rfc3339)] }
}
