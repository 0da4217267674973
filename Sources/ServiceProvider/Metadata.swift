// What the provider says about itself comes from its configuration only, never from the request.

import FoundationEssentials
import Hummingbird
import OAuth
import StrictJSON
import Vault

extension HomeProvider {
    /// The algorithms that proofs of possession may be signed with.
    static let proofAlgorithms = ["ES256", "EdDSA", "RS256"]

    /// `GET /.well-known/oauth-authorization-server` (RFC 8414).
    func showMetadata(_ incoming: Incoming) async throws -> Response {
        let base = configuration.baseURL
        let confidential = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
        var metadata = AuthorizationServerMetadata(issuer: base)
        metadata.authorizationEndpoint = base + "/oauth2/authorize"
        metadata.tokenEndpoint = base + "/oauth2/token"
        metadata.revocationEndpoint = base + "/oauth2/revoke"
        metadata.introspectionEndpoint = base + "/oauth2/introspect"
        metadata.deviceAuthorizationEndpoint = base + "/oauth2/device_authorization"
        metadata.pushedAuthorizationRequestEndpoint = base + "/oauth2/par"
        metadata.jwksURI = base + "/oauth2/jwks"
        // Names of devices are nobody's business; this one is taken and changes nothing.
        metadata.scopesSupported = ["offline_access"]
        metadata.responseTypesSupported = ["code"]
        metadata.grantTypesSupported = GrantType.allCases.map(\.rawValue)
        metadata.codeChallengeMethodsSupported = [PKCE.method]
        metadata.tokenEndpointAuthMethodsSupported = confidential + ["none"]
        metadata.tokenEndpointAuthSigningAlgValuesSupported = Self.proofAlgorithms
        metadata.revocationEndpointAuthMethodsSupported = confidential + ["none"]
        metadata.introspectionEndpointAuthMethodsSupported = confidential
        metadata.revocationEndpointAuthSigningAlgValuesSupported = Self.proofAlgorithms
        metadata.introspectionEndpointAuthSigningAlgValuesSupported = Self.proofAlgorithms
        metadata.dpopSigningAlgValuesSupported = Self.proofAlgorithms
        metadata.authorizationDetailsTypesSupported = [AuthorizationDetails.type]
        metadata.protectedResources = [configuration.resourceURL]
        metadata.requirePushedAuthorizationRequests = false
        metadata.sendsIssuerInResponse = true
        return Self.cacheable(Reply.json(metadata.json))
    }

    /// `GET /.well-known/oauth-protected-resource` (RFC 9728).
    func showResourceMetadata(_ incoming: Incoming) async throws -> Response {
        var metadata = ProtectedResourceMetadata(
            resource: configuration.resourceURL, authorizationServers: [configuration.baseURL])
        metadata.dpopSigningAlgValuesSupported = Self.proofAlgorithms
        metadata.authorizationDetailsTypesSupported = [AuthorizationDetails.type]
        return Self.cacheable(Reply.json(metadata.json))
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
