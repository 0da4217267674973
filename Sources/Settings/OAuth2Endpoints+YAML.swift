// Switches that need each other are checked together: a profile that cannot work is refused when it is read.

import Delegation

extension OAuth2Endpoints {
    /// The longest time that a switch may name.
    private static let longest = Duration.seconds(20 * 366 * 86_400)

    init?(reading section: StrictSection, _ urls: EndpointReader) {
        let authorization = urls.read(section, "authorization_endpoint", required: false)
        let device = urls.read(section, "device_authorization_endpoint", required: false)
        let token = urls.read(section, "token_endpoint")
        let authentication = section.choice("client_authentication", of: ClientAuthentication.self)
        let rotation = section.choice("rotation", of: Rotation.self)
        let lifetime = section.duration("default_lifetime", in: .seconds(1)...Self.longest)
        let issuer = urls.read(section, "issuer", required: false)
        let revocation = urls.read(section, "revocation_endpoint", required: false)
        let grace = section.duration("rotation_grace", in: .seconds(1)...(.seconds(30 * 86_400)), required: false)
        let clientCredentials = section.flag("client_credentials") ?? false
        if let rotation, (rotation == .grace) != section.keys.contains("rotation_grace") {
            section.fault("rotation_grace", allowed: "a duration, with rotation \"grace\" and only then")
        }
        if authorization == nil, device == nil, !clientCredentials {
            section.fault(
                "authorization_endpoint",
                allowed: "an authorization_endpoint, a device_authorization_endpoint or client_credentials")
        }
        guard let token, let authentication, let rotation, let lifetime else {
            self.init(placeholderFor: section, urls)
            return nil
        }
        self.init(
            issuer: issuer, authorization: authorization, token: token, revocation: revocation,
            clientAuthentication: authentication, rotation: rotation, defaultLifetime: lifetime.wholeSeconds,
            extraAuthorizationParameters: section.textPairs("extra_authorization_parameters"),
            extraTokenParameters: section.textPairs("extra_token_parameters"),
            announcesIssuer: section.flag("announces_issuer") ?? false)
        deviceAuthorization = device
        rotationGrace = grace?.wholeSeconds ?? 0
        offersClientCredentials = clientCredentials
        readSwitches(section, urls)
        section.finish()
    }

    /// Reads what is left, so that all of its faults are reported at once with those found before.
    private init(placeholderFor section: StrictSection, _ urls: EndpointReader) {
        self.init(
            issuer: nil, authorization: nil, token: "", revocation: nil, clientAuthentication: .none,
            rotation: .unknown, defaultLifetime: 1,
            extraAuthorizationParameters: section.textPairs("extra_authorization_parameters"),
            extraTokenParameters: section.textPairs("extra_token_parameters"),
            announcesIssuer: section.flag("announces_issuer") ?? false)
        readSwitches(section, urls)
        section.finish()
    }

    private mutating func readSwitches(_ section: StrictSection, _ urls: EndpointReader) {
        introspection = urls.read(section, "introspection_endpoint", required: false)
        pushedAuthorization = urls.read(section, "pushed_authorization_request_endpoint", required: false)
        repeatsClientID = section.flag("client_id_in_body") ?? false
        let audience = section.choice("client_assertion_audience", of: AssertionAudience.self, required: false)
        assertionAudience = audience ?? .issuer
        clientIDParameter = section.text("client_id_parameter", required: false) ?? "client_id"
        usesDPoP = section.flag("dpop") ?? false
        resources = section.texts("resource", required: false) { $0.contains(":") && !$0.contains("#") } ?? []
        offersTokenExchange = section.flag("token_exchange") ?? false
        parameterPlace = section.choice("parameters_in", of: ParameterPlace.self, required: false) ?? .body
        refreshTokenLifetime =
            section.duration("refresh_token_lifetime", in: .seconds(60)...Self.longest, required: false)?.wholeSeconds
        prolongsRefreshTokens = section.flag("refresh_prolongs") ?? true
        neverExpires = section.flag("never_expires") ?? false
        if let long = section.section("long_lived_exchange", required: false) {
            let (grantType, parameter) = (long.text("grant_type"), long.text("parameter"))
            long.finish()
            if let grantType, let parameter {
                longLivedExchange = LongLivedExchange(grantType: grantType, parameter: parameter)
            }
        }
        if let dialect = section.section("device", required: false) {
            self.device = DeviceDialect(reading: dialect, urls)
        }
        if let dialect = section.section("reply", required: false) { reply = ReplyDialect(reading: dialect) }
        let isAddressedToIssuer = audience == .issuer || !section.keys.contains("client_assertion_audience")
        if clientAuthentication == .privateKeyJWT, isAddressedToIssuer, !section.keys.contains("issuer") {
            section.fault("issuer", allowed: "an issuer, which private_key_jwt is addressed to")
        }
    }
}

extension Duration {
    var wholeSeconds: Int { Int(components.seconds) }
}
