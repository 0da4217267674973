// Keys are named by their ids; no secret part ever comes out.

import Delegation
import FoundationEssentials
import Hummingbird
import ServiceProvider
import StrictJSON

extension ControlAPI {
    func addKeys(to router: Router<ControlContext>) {
        let provider = parts.provider
        router.get("/v1/keys") { _, _ in
            Response(json: ["keys": .array(try await provider.tokenKeys().map(\.json))])
        }
        router.post("/v1/keys/{purpose}/rotate") { _, context in
            let purpose = try context.part("purpose")
            guard purpose == TokenKey.purpose else {
                throw Refusal(
                    .usage, "keys for \(quoted(purpose)) cannot be rotated", hint: "rotate \(TokenKey.purpose)")
            }
            let id = try await provider.rotateTokenKey(by: context.requester)
            return Response(json: ["key": ["id": .string(id), "purpose": .string(purpose)]])
        }
    }
}

extension TokenKey {
    var json: JSON {
        .compact([
            "id": .string(id), "purpose": .string(Self.purpose), "created_at": .string(createdAt.rfc3339),
            "retired_at": retiredAt.map { .string($0.rfc3339) },
        ])
    }
}
