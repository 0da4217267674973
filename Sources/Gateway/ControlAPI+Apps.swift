// Apps are added here and never over the network; an app's secret is told once, and a key of its own never leaves it.

import Delegation
import FoundationEssentials
import Hummingbird
import OAuth
import Sealing
import ServiceProvider
import StrictJSON
import Vault

extension ControlAPI {
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
                scopes: try body.texts("scope"), terms: try ConsumerTerms(body))
            return Response(
                json: .compact(["app": app.json, "secret": secret.map { .string($0.revealText()) }]), status: .created)
        }
        router.get("/v1/apps/{name}") { _, context in
            Response(json: ["app": try await provider.app(try context.part("name")).json])
        }
        router.delete("/v1/apps/{name}") { _, context in
            let name = try context.part("name")
            try await provider.removeApp(name)
            return Response(json: ["removed": .string(name)])
        }
        router.get("/v1/approvals") { _, _ in
            var approvals: [JSON] = []
            for approval in try await provider.standingApprovals() {
                approvals.append(approval.json(scope: try await provider.scope(of: approval.scopes)))
            }
            return Response(json: ["approvals": .array(approvals)])
        }
        router.delete("/v1/approvals/{id}") { _, context in
            let id = try context.part("id")
            try await provider.revokeStandingApproval(id, by: context.requester)
            return Response(json: ["removed": .string(id)])
        }
    }
}

extension ConsumerTerms {
    /// Reads what an app is to be registered with.
    fileprivate init(_ body: RequestBody) throws {
        self.init()
        if let word = try body.optionalText("authentication") {
            guard let known = ConsumerAuthentication(rawValue: word) else {
                let words = ConsumerAuthentication.allCases.map(\.rawValue).joined(separator: ", ")
                throw Refusal(.usage, "authentication is \(quoted(word)), allowed is one of \(words)")
            }
            authentication = known
        }
        if let file = try body.optionalText("keys") {
            do {
                keys = try JWKSet(parsingKeyFile: Array(file.utf8)).json
            } catch {
                throw Refusal(
                    .usage, "the key file cannot be used: \(error)",
                    hint: "give a public key: a JWK, a JWK Set, or PEM with BEGIN PUBLIC KEY")
            }
        }
        signatureMethod = try body.optionalText("signature_method")
        let types = try body.texts("grant_types")
        if !types.isEmpty { grantTypes = types }
        rotatesRefreshTokens = try body.flag("rotate_refresh_tokens")
        requiresPushedRequests = try body.flag("require_pushed_authorization_requests")
        requiresDPoP = try body.flag("dpop_bound_access_tokens")
    }
}

extension RegisteredConsumer {
    var json: JSON {
        let isOAuth2 = delegationProtocol == .oauth2
        return .compact([
            "name": .string(name), "protocol": .string(delegationProtocol.rawValue), "key": .string(key),
            "redirect": .strings(redirectURIs), "scope": .string(scopes.joined(separator: " ")),
            "authentication": isOAuth2 ? .string(terms.authentication.rawValue) : nil,
            "grant_types": isOAuth2 ? .strings(terms.grantTypes) : nil,
            "rotate_refresh_tokens": isOAuth2 ? .bool(terms.rotatesRefreshTokens) : nil,
            "require_pushed_authorization_requests": isOAuth2 ? .bool(terms.requiresPushedRequests) : nil,
            "dpop_bound_access_tokens": isOAuth2 ? .bool(terms.requiresDPoP) : nil,
            "signature_method": terms.signatureMethod.map(JSON.string), "keys": terms.keys,
            "created_at": .string(createdAt.rfc3339),
        ])
    }
}

extension StandingApproval {
    func json(scope: String) -> JSON {
        .compact([
            "id": .string(id), "app": .string(consumer.name), "user": .string(person.name),
            "scope": .string(scope), "created_at": .string(createdAt.rfc3339),
            "used_at": usedAt.map { .string($0.rfc3339) }, "expires_at": .string(expiresAt.rfc3339),
        ])
    }
}
