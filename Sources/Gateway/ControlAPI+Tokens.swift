// An access token or a signed header leaves only in the answer to whoever asked for it.

import Delegation
import Granting
import Hummingbird
import Sealing
import StrictJSON

extension ControlAPI {
    func addTokens(to router: Router<ControlContext>) {
        let parts = parts
        router.post("/v1/devices/{name}/token") { request, context in
            let body = try await RequestBody(request, context)
            let name = try context.deviceName()
            let (audience, resource) = (try body.texts("audience"), try body.texts("resource"))
            let scopes = try body.texts("scope")
            let token =
                if (audience + resource + scopes).isEmpty {
                    try await parts.keeper.token(
                        device: name, minimumValidity: try body.seconds("min_valid", default: 60, in: 0...86_400))
                } else {
                    try await parts.keeper.exchangedToken(
                        device: name, audience: audience, resource: resource, scopes: scopes)
                }
            return Response(json: token.json)
        }
        router.post("/v1/devices/{name}/sign") { request, context in
            let body = try await RequestBody(request, context)
            let name = try context.deviceName()
            let signed = try await parts.keeper.sign(
                device: name, method: try body.text("method"), url: try body.text("url"),
                form: try body.pairs("form"), body: try body.optionalBytes("body"),
                nonce: try body.optionalText("nonce"))
            return Response(
                json: .compact([
                    "authorization": .string(signed.authorization), "dpop": signed.dpop.map(JSON.string),
                ]))
        }
    }
}

extension HeldToken {
    fileprivate var json: JSON {
        .compact([
            "access_token": .string(accessToken.revealText()), "token_type": .string(tokenType),
            "expires_in": expiresIn.map { .integer(Int64($0)) }, "scope": .string(scopes.joined(separator: " ")),
        ])
    }
}
