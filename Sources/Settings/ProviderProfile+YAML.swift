// Every endpoint lies on a pinned host and is HTTPS, loopback excepted: a profile cannot send a secret in the clear.

package import Delegation

extension ProviderProfile {
    /// Reads a provider profile.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - name: What the file's name says it is; the file must say the same.
    ///   - file: The file's name, for errors.
    ///   - home: The base URL of the home's own provider, put in place of `{home}`.
    ///   - api: The base URL of its app API, put in place of `{api}`.
    /// - Throws: ``SettingsError`` with every fault of the file.
    package init(
        yaml: String, name: ProviderName, file: String, home: String, api: String? = nil
    ) throws(SettingsError) {
        let faults = FaultList(file: file)
        guard let root = StrictSection.root(of: yaml, file: file, faults: faults) else {
            throw SettingsError(faults: faults.faults)
        }
        _ = root.text("provider", allowed: "\"\(name)\", as the file's name says") { $0 == name.rawValue }
        let title = root.text("title")
        let isHome = root.flag("home") ?? false
        let hosts = root.texts("hosts", allowed: "a list of host names in lower case, without port") { host in
            !host.isEmpty && (host.hasPrefix("[") || !host.contains(":")) && host == host.lowercased()
                && host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
        }
        let urls = EndpointReader(
            hosts: hosts ?? [], own: ["{home}": home, "{api}": api ?? home], checksHosts: hosts != nil)
        let scopeFormat = root.text("scope_format", required: false, allowed: "a text with {operation}") {
            $0.contains("{operation}")
        }
        let scopes = root.texts("scopes", required: false, check: { !$0.isEmpty && !$0.contains(" ") }) ?? []
        let separator = root.text("scope_separator", required: false, allowed: "\" \" or \",\"") {
            $0 == " " || $0 == ","
        }
        let validation = urls.read(root, "validation_endpoint", required: false)
        let verified = root.flag("verified", required: true)
        var endpoints: Endpoints?
        switch root.choice("protocol", of: DelegationProtocol.self) {
        case .oauth1:
            endpoints = root.section("oauth1").flatMap { OAuth1Endpoints(reading: $0, urls) }.map(Endpoints.oauth1)
        case .oauth2:
            endpoints = root.section("oauth2").flatMap { OAuth2Endpoints(reading: $0, urls) }.map(Endpoints.oauth2)
        case nil: root.overlook("oauth1", "oauth2")
        }
        root.finish()
        guard faults.faults.isEmpty, let title, let hosts, let verified, let endpoints else {
            throw SettingsError(faults: faults.faults)
        }
        self.init(
            name: name, title: title, isHome: isHome, endpoints: endpoints, hosts: hosts, scopeFormat: scopeFormat,
            scopes: scopes, scopeSeparator: separator ?? " ", validationEndpoint: validation, verified: verified)
    }
}

extension OAuth1Endpoints {
    fileprivate init?(reading section: StrictSection, _ urls: EndpointReader) {
        let requestToken = urls.read(section, "request_token_endpoint")
        let authorize = urls.read(section, "authorize_endpoint")
        let accessToken = urls.read(section, "access_token_endpoint")
        let methods = [
            "HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "RSA-SHA512", "PLAINTEXT",
        ]
        let method = section.text("signature_method", allowed: "one of \(methods.joined(separator: ", "))") {
            methods.contains($0)
        }
        let realm = section.text("realm", required: false)
        let scopeParameter = section.text("scope_parameter", required: false)
        let revocation = urls.read(section, "revocation_endpoint", required: false)
        section.finish()
        guard let requestToken, let authorize, let accessToken, let method else { return nil }
        self.init(
            requestToken: requestToken, authorize: authorize, accessToken: accessToken, signatureMethod: method,
            realm: realm, scopeParameter: scopeParameter, revocation: revocation)
    }
}

extension OAuth2Endpoints {
    fileprivate init?(reading section: StrictSection, _ urls: EndpointReader) {
        let issuer = urls.read(section, "issuer", required: false)
        let authorization = urls.read(section, "authorization_endpoint")
        let token = urls.read(section, "token_endpoint")
        let revocation = urls.read(section, "revocation_endpoint", required: false)
        let authentication = section.choice("client_authentication", of: ClientAuthentication.self)
        let rotation = section.choice("rotation", of: Rotation.self)
        let lifetime = section.duration("default_lifetime", in: .seconds(1)...(.seconds(30 * 86_400)))
        let extraAuthorization = section.textPairs("extra_authorization_parameters")
        let extraToken = section.textPairs("extra_token_parameters")
        let announcesIssuer = section.flag("announces_issuer") ?? false
        section.finish()
        guard let authorization, let token, let authentication, let rotation, let lifetime else { return nil }
        self.init(
            issuer: issuer, authorization: authorization, token: token, revocation: revocation,
            clientAuthentication: authentication, rotation: rotation,
            defaultLifetime: Int(lifetime.components.seconds),
            extraAuthorizationParameters: extraAuthorization, extraTokenParameters: extraToken,
            announcesIssuer: announcesIssuer)
    }
}

/// Reads URLs of a profile and holds them against the pinned hosts.
private struct EndpointReader {
    let hosts: [String]
    /// What stands for the home's own addresses.
    let own: [String: String]
    /// Off when the list of hosts itself is at fault, so that one mistake is reported once.
    let checksHosts: Bool

    func read(_ section: StrictSection, _ key: String, required: Bool = true) -> String? {
        let allowed = "an https URL on one of the hosts \(hosts.joined(separator: ", ")) (http on loopback only)"
        return section.parsed(key, required: required, allowed: allowed) { text in
            let mark = own.keys.first { text.hasPrefix($0) }
            let path = text.dropFirst(mark?.count ?? 0)
            // What follows must not be able to continue the host's name or its port.
            guard mark == nil || path.isEmpty || path.hasPrefix("/") || path.hasPrefix("?") else { return nil }
            let url = mark.flatMap { own[$0] }.map { $0 + path } ?? text
            guard let (scheme, host) = schemeAndHost(url) else { return nil }
            let loopback = ["127.0.0.1", "localhost", "[::1]"].contains(host)
            guard scheme == "https" || (scheme == "http" && loopback) else { return nil }
            return !checksHosts || hosts.contains(host) || mark != nil ? url : nil
        }
    }

    private func schemeAndHost(_ url: String) -> (scheme: String, host: String)? {
        guard let end = url.firstRange(of: "://") else { return nil }
        let rest = url[end.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.isEmpty, !authority.contains("@"), url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
            !url.contains("#")
        else { return nil }
        let host: Substring
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            host = authority[...close]
        } else {
            host = authority.prefix { $0 != ":" }
        }
        let port = authority.dropFirst(host.count)
        guard port.isEmpty || UInt16(port.dropFirst()).map({ ":\($0)" == port }) == true else { return nil }
        return (url[..<end.lowerBound].lowercased(), host.lowercased())
    }
}
