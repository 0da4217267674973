// What the provider says about itself comes from its configuration only, never from the request.

import FoundationEssentials
import Hummingbird
import OAuth
import StrictJSON
import Vault

extension HomeProvider {
    /// `GET /.well-known/oauth-authorization-server` (RFC 8414).
    func showMetadata(_ incoming: Incoming) async throws -> Response {
        let base = configuration.baseURL
        var metadata = AuthorizationServerMetadata(issuer: base)
        metadata.authorizationEndpoint = base + "/oauth2/authorize"
        metadata.tokenEndpoint = base + "/oauth2/token"
        metadata.revocationEndpoint = base + "/oauth2/revoke"
        metadata.jwksURI = base + "/oauth2/jwks"
        metadata.responseTypesSupported = ["code"]
        metadata.grantTypesSupported = ["authorization_code", "refresh_token"]
        metadata.codeChallengeMethodsSupported = [PKCE.method]
        metadata.tokenEndpointAuthMethodsSupported = ["client_secret_basic", "client_secret_post"]
        metadata.sendsIssuerInResponse = true
        return Self.cacheable(Reply.json(metadata.json))
    }

    /// `GET /.well-known/oauth-protected-resource` (RFC 9728).
    func showResourceMetadata(_ incoming: Incoming) async throws -> Response {
        Self.cacheable(
            Reply.json([
                "resource": .string(configuration.baseURL), "authorization_servers": [.string(configuration.baseURL)],
                "bearer_methods_supported": ["header"],
            ]))
    }

    /// `GET /oauth2/jwks` (RFC 7517).
    func showKeys(_ incoming: Incoming) async throws -> Response {
        let keys = try await vault.write { transaction in
            _ = try signingKey(in: transaction)
            return try verificationKeys(in: transaction)
        }
        return Self.cacheable(Reply.json(JWKSet(keys: keys).json, type: "application/jwk-set+json"))
    }

    private static func cacheable(_ response: Response) -> Response {
        var response = response
        response.headers[.cacheControl] = "max-age=300"
        return response
    }
}
