// What a provider offers is where its endpoints are; what it does differently from the RFCs is a switch with a name.

/// An OAuth 2 provider.
package struct OAuth2Endpoints: Sendable, Equatable {
    /// How the consumer proves itself at the token endpoint (RFC 6749 §2.3).
    package enum ClientAuthentication: String, Sendable, CaseIterable {
        /// `client_secret_basic` with both halves form-encoded, as the RFC has it.
        case basic
        /// `client_secret_basic` as most servers take it: not encoded.
        case basicRaw = "basic_raw"
        /// Raw Basic, and id and secret in the body as well, which the RFC forbids and one vendor wants.
        case basicAndPost = "basic_and_post"
        /// `client_secret_post`.
        case post
        /// A public client.
        case none
        /// HTTP Digest (RFC 7616), with the consumer's key as user.
        case digest
        /// `private_key_jwt` (RFC 7523); the consumer's secret is the private key as PEM.
        case privateKeyJWT = "private_key_jwt"
        /// `tls_client_auth` (RFC 8705); the consumer's secret is certificate and private key as PEM.
        case tls
    }

    /// Whom a client assertion is addressed to.
    package enum AssertionAudience: String, Sendable, CaseIterable {
        /// The issuer, as the revision of RFC 7523 wants it.
        case issuer
        /// The token endpoint, as older servers do.
        case tokenEndpoint = "token_endpoint"
    }

    /// What a refresh does to the refresh token.
    package enum Rotation: String, Sendable, CaseIterable {
        case none
        /// The old one keeps working for a while, so a lost answer can be asked for again.
        case grace
        /// The old one is dead at once, and using it again may revoke everything.
        case strict
        case unknown
    }

    /// Where parameters go.
    package enum ParameterPlace: String, Sendable, CaseIterable {
        case body
        /// Into the query of a POST. Secrets in URLs end up in logs; some vendors want it so.
        case query
    }

    /// Changes a short-lived access token for one that lives longer, where there is no refresh token.
    package struct LongLivedExchange: Sendable, Equatable {
        /// The `grant_type`.
        package let grantType: String
        /// The parameter that carries the short-lived token.
        package let parameter: String

        /// Assembles what was already checked.
        package init(grantType: String, parameter: String) {
            self.grantType = grantType
            self.parameter = parameter
        }
    }

    /// Compared with `iss` (RFC 9207); `nil` when the provider has none.
    package var issuer: String?
    /// `nil` when the provider has no redirect flow.
    package var authorization: String?
    package var token: String
    package var revocation: String?
    /// RFC 7662.
    package var introspection: String?
    /// RFC 8628, or what a vendor has in its place.
    package var deviceAuthorization: String?
    /// RFC 9126; where there is one, it is used.
    package var pushedAuthorization: String?
    package var clientAuthentication: ClientAuthentication
    /// Whether `client_id` stands in the body beside the `Authorization` header.
    package var repeatsClientID = false
    package var assertionAudience = AssertionAudience.issuer
    /// The name of `client_id` at the authorisation endpoint.
    package var clientIDParameter = "client_id"
    /// Whether access tokens are bound to a key of the grant (RFC 9449).
    package var usesDPoP = false
    /// The APIs that tokens are asked for (RFC 8707).
    package var resources: [String] = []
    /// Whether the consumer can have a grant of its own, without an owner (RFC 6749 §4.4).
    package var offersClientCredentials = false
    /// Whether access tokens can be changed for narrower ones (RFC 8693).
    package var offersTokenExchange = false
    package var parameterPlace = ParameterPlace.body
    package var rotation: Rotation
    /// Seconds for which a replaced refresh token still works; 0 unless ``rotation`` is `grace`.
    package var rotationGrace = 0
    /// Seconds after which the provider forgets a refresh token that nobody uses; `nil` when it never does, or nobody
    /// knows.
    package var refreshTokenLifetime: Int?
    /// Whether use prolongs the life of the refresh token; otherwise the owner has to approve again when it ends.
    package var prolongsRefreshTokens = true
    /// Assumed when a reply has no `expires_in`, seconds.
    package var defaultLifetime: Int
    /// Whether access tokens live until they are revoked, so that nothing is to be refreshed.
    package var neverExpires = false
    package var extraAuthorizationParameters: [String: String]
    package var extraTokenParameters: [String: String]
    /// Whether the provider says `iss` in its responses, so that a missing one is an error.
    package var announcesIssuer: Bool
    package var longLivedExchange: LongLivedExchange?
    package var device = DeviceDialect()
    package var reply = ReplyDialect()

    /// Assembles what was already checked; what is not named here is as the RFCs have it.
    package init(
        issuer: String?, authorization: String?, token: String, revocation: String?,
        clientAuthentication: ClientAuthentication, rotation: Rotation, defaultLifetime: Int,
        extraAuthorizationParameters: [String: String], extraTokenParameters: [String: String], announcesIssuer: Bool
    ) {
        self.issuer = issuer
        self.authorization = authorization
        self.token = token
        self.revocation = revocation
        self.clientAuthentication = clientAuthentication
        self.rotation = rotation
        self.defaultLifetime = defaultLifetime
        self.extraAuthorizationParameters = extraAuthorizationParameters
        self.extraTokenParameters = extraTokenParameters
        self.announcesIssuer = announcesIssuer
    }

    /// Every address that secrets may be sent to.
    package var addresses: [String] {
        [authorization, token, revocation, introspection, deviceAuthorization, pushedAuthorization].compactMap(\.self)
    }
}
