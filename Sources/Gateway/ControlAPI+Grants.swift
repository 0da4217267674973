// An access token or a signed header leaves only in the answer to whoever asked for it; no other secret leaves at all.

import Delegation
import FoundationEssentials
import Granting
import Hummingbird
import Sealing
import StrictJSON
import Vault

extension ControlAPI {
    func addGrants(to router: Router<ControlContext>) {
        let parts = parts
        router.get("/v1/grants") { _, _ in
            Response(json: ["grants": .array(try await parts.keeper.grants().map(\.json))])
        }
        router.post("/v1/grants") { request, context in
            let body = try await RequestBody(request, context)
            let flowText = try body.optionalText("flow") ?? GrantFlow.redirect.rawValue
            guard let flow = GrantFlow(rawValue: flowText) else {
                throw Refusal(
                    .usage,
                    "flow is \(quoted(flowText)), allowed is one of \(GrantFlow.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
            let operations = try body.texts("scope")
            let asked = try await parts.keeper.request(
                device: try DeviceName(checking: try body.text("device")),
                provider: try body.optionalText("provider").map { try ProviderName(checking: $0) }, flow: flow,
                operations: operations.isEmpty ? nil : operations, by: context.requester)
            return Response(
                json: ["grant": asked.grant.json, "authorize_url": .string(asked.authorizeURL)], status: .created)
        }
        router.get("/v1/grants/{name}") { request, context in
            let name = try context.deviceName()
            let found =
                if let patience = try request.wait() {
                    try await parts.keeper.waitForGrant(of: name, within: patience)
                } else { try await parts.keeper.grant(of: name) }
            guard let grant = found else { throw Self.noGrant(name) }
            return Response(json: ["grant": grant.json])
        }
        router.post("/v1/grants/{name}/finish") { request, context in
            let verifier = try await RequestBody(request, context).text("verifier")
            let grant = try await parts.keeper.finish(device: try context.deviceName(), verifier: verifier)
            return Response(json: ["grant": grant.json])
        }
        router.delete("/v1/grants/{name}") { _, context in
            let ended = try await parts.keeper.revoke(device: try context.deviceName(), by: context.requester)
            return Response(
                json: .compact([
                    "grant": ended.grant.json, "provider_error": ended.providerError.map(JSON.string),
                ]))
        }
        router.post("/v1/devices/{name}/token") { request, context in
            let body = try await RequestBody(request, context)
            let name = try context.deviceName()
            _ = try await parts.vault.read { try $0.requiredDevice(named: name) }
            let token = try await parts.keeper.token(
                device: name,
                minimumValidity: try body.seconds("min_valid", default: 60, in: 0...86_400))
            return Response(
                json: .compact([
                    "access_token": .string(token.accessToken.revealText()), "token_type": .string(token.tokenType),
                    "expires_in": token.expiresIn.map { .integer(Int64($0)) },
                    "scope": .string(token.scopes.joined(separator: " ")),
                ]))
        }
        router.post("/v1/devices/{name}/sign") { request, context in
            let body = try await RequestBody(request, context)
            let name = try context.deviceName()
            _ = try await parts.vault.read { try $0.requiredDevice(named: name) }
            let header = try await parts.keeper.sign(
                device: name, method: try body.text("method"), url: try body.text("url"),
                form: try body.pairs("form"))
            return Response(json: ["authorization": .string(header)])
        }
    }

    private static func noGrant(_ name: DeviceName) -> Refusal {
        Refusal(
            .notFound, "no grant for device \(quoted(name.rawValue))",
            hint: "run 'keyholder grant request \(name)' and approve it")
    }
}

extension Grant {
    /// The grant as INTERFACE prescribes it; it holds no secret.
    var json: JSON {
        .compact([
            "id": .string(id.rawValue), "device": .string(device.rawValue), "provider": .string(provider.rawValue),
            "state": .string(state.rawValue), "scope": .string(scopes.joined(separator: " ")),
            "generation": .integer(Int64(generation)), "created_at": .string(createdAt.rfc3339),
            "expires_at": expiresAt.map { .string($0.rfc3339) }, "reason": reason.map(JSON.string),
        ])
    }
}
