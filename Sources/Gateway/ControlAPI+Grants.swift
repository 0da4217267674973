// Where to approve goes to whoever asked, and so does the answer that a person carries over; no secret comes out here.

import Delegation
import FoundationEssentials
import Granting
import Hummingbird
import StrictJSON
import Vault

extension ControlAPI {
    func addGrants(to router: Router<ControlContext>) {
        let parts = parts
        router.get("/v1/grants") { _, _ in
            var grants: [JSON] = []
            for grant in try await parts.keeper.grants() { grants.append(try await parts.json(of: grant)) }
            return Response(json: ["grants": .array(grants)])
        }
        router.post("/v1/grants") { request, context in
            let body = try await RequestBody(request, context)
            let flow = try body.optionalChoice("flow", of: GrantFlow.self)
            let operations = try body.texts("scope")
            let asked = try await parts.keeper.request(
                device: try DeviceName(checking: try body.text("device")),
                provider: try body.optionalText("provider").map { try ProviderName(checking: $0) }, flow: flow,
                operations: operations.isEmpty ? nil : operations,
                release: try body.flag("sign_only") ? .signOnly : .token, by: context.requester)
            return Response(json: try await parts.json(of: asked), status: .created)
        }
        router.get("/v1/grants/{name}") { request, context in
            let name = try context.deviceName()
            let found =
                if let patience = try request.wait() {
                    try await parts.keeper.waitForGrant(
                        of: name, request.uri.queryParameters.get("grant").map { GrantID(rawValue: $0) },
                        within: patience)
                } else { try await parts.keeper.grant(of: name) }
            guard let grant = found else { throw Self.noGrant(name) }
            return Response(json: ["grant": try await parts.json(of: grant)])
        }
        router.post("/v1/grants/{name}/finish") { request, context in
            let body = try await RequestBody(request, context)
            let name = try context.deviceName()
            let (verifier, address) = (try body.optionalText("verifier"), try body.optionalText("redirected"))
            let grant =
                switch (verifier, address) {
                case (let verifier?, nil): try await parts.keeper.finish(device: name, verifier: verifier)
                case (nil, let address?): try await parts.keeper.finish(device: name, redirected: address)
                default: throw Refusal(.usage, "one of verifier and redirected must be given, and not both")
                }
            return Response(json: ["grant": try await parts.json(of: grant)])
        }
        router.post("/v1/grants/{name}/check") { _, context in
            let name = try context.deviceName()
            guard try await parts.keeper.grant(of: name) != nil else { throw Self.noGrant(name) }
            return Response(json: ["answer": .string(try await parts.keeper.check(device: name))])
        }
        router.delete("/v1/grants/{name}") { _, context in
            let ended = try await parts.keeper.revoke(device: try context.deviceName(), by: context.requester)
            // Shown only where a person has something left to do; a profile that is gone has no page.
            let page =
                ended.providerError == nil || ended.isQueued
                ? nil : (try? parts.profiles.providerProfile(ended.grant.provider))?.revocationPage
            return Response(
                json: .compact([
                    "grant": ended.grant.json, "provider_error": ended.providerError.map(JSON.string),
                    "queued": ended.isQueued ? true : nil, "revocation_page": page.map(JSON.string),
                ]))
        }
    }

    private static func noGrant(_ name: DeviceName) -> Refusal {
        Refusal(
            .notFound, "no grant for device \(quoted(name.rawValue))",
            hint: "run 'keyholder grant request \(name)' and approve it")
    }
}

extension GatewayParts {
    /// A grant and, while it is kept fresh, how it fares.
    func json(of grant: Grant) async throws -> JSON {
        guard grant.state == .active || grant.state == .needsReauth else { return grant.json }
        let health = try await keeper.health(of: grant.id)
        return .object((grant.json.members ?? []) + [.init("health", health.json)])
    }

    /// What was asked for, and what the owner needs to approve it.
    func json(of asked: GrantRequest) async throws -> JSON {
        let (grant, prompt) = (asked.grant, asked.prompt)
        let waiting =
            prompt == nil
            ? nil
            : try await vault.read { try $0.pendingApprovals(flow: .device).first { $0.grant == grant.id } }
        // What a person has to carry over when the browser does not come home by itself.
        let finish: JSON? =
            switch grant.flow {
            case .oob: "verifier"
            case .redirect:
                try profiles.providerProfile(grant.provider).redirectURI == nil ? nil : "redirected"
            case .device, .client: nil
            }
        return .compact([
            "grant": grant.json, "authorize_url": asked.authorizeURL.map(JSON.string), "finish": finish,
            "verification_uri": (prompt?.verificationURI).map(JSON.string),
            "verification_uri_complete": (prompt?.verificationURIComplete).map(JSON.string),
            "user_code": (prompt?.userCode).map(JSON.string),
            "interval": (prompt?.interval).map { .integer(Int64($0)) },
            "expires_at": (waiting?.expiresAt).map { .string($0.rfc3339) },
        ])
    }
}

extension Grant {
    /// The grant as INTERFACE prescribes it; it holds no secret.
    var json: JSON {
        .compact([
            "id": .string(id.rawValue), "device": .string(device.rawValue), "provider": .string(provider.rawValue),
            "state": .string(state.rawValue), "scope": .string(scopes.joined(separator: " ")),
            "flow": .string(flow.rawValue), "release": .string(release.rawValue),
            "generation": .integer(Int64(generation)), "created_at": .string(createdAt.rfc3339),
            "expires_at": expiresAt.map { .string($0.rfc3339) },
            "refresh_expires_at": refreshExpiresAt.map { .string($0.rfc3339) }, "reason": reason.map(JSON.string),
        ])
    }
}

extension GrantHealth {
    var json: JSON {
        .compact([
            "verdict": .string(verdict.rawValue), "reason": reason.map(JSON.string),
            "failures": .integer(Int64(failures)), "next_attempt": nextAttempt.map { .integer(Int64($0)) },
            "rotation": (rotation?.rawValue).map(JSON.string),
            "approval_ends": approvalEnds.map { .string($0.rfc3339) },
        ])
    }
}
