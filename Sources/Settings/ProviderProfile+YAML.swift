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
        let variables = root.texts(
            "variables", required: false, allowed: "a list of names out of a-z and '_', other than home and api",
            check: Self.isVariable)
        let urls = EndpointReader(
            hosts: hosts ?? [], own: ["{home}": home, "{api}": api ?? home],
            variables: variables ?? (root.keys.contains("variables") ? nil : []),
            checksHosts: hosts != nil)
        let scopeFormat = root.text("scope_format", required: false, allowed: "a text with {operation}") {
            $0.contains("{operation}")
        }
        let scopes = root.texts("scopes", required: false, check: { !$0.isEmpty && !$0.contains(" ") }) ?? []
        let separator = root.text("scope_separator", required: false, allowed: "\" \" or \",\"") {
            $0 == " " || $0 == ","
        }
        let validation = urls.read(root, "validation_endpoint", required: false)
        let verified = root.flag("verified", required: true)
        let doubts = root.texts("doubts", required: false) { !$0.isEmpty && $0.utf8.count <= 500 } ?? []
        let revocationPage = root.text("revocation_page", required: false, allowed: "an https URL", check: Self.isPage)
        let redirectURI = root.text("redirect_uri", required: false, allowed: "an https URL", check: Self.isPage)
        let keyParameter = root.text("key_parameter", required: false)
        let perMinute = root.integer("refreshes_per_minute", in: 1...6000, required: false)
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
        self.doubts = doubts
        self.revocationPage = revocationPage
        self.redirectURI = redirectURI
        self.keyParameter = keyParameter
        self.variables = variables ?? []
        if let perMinute { refreshesPerMinute = Int(perMinute) }
    }

    private static func isVariable(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 == UInt8(ascii: "_") || (0x61...0x7A).contains($0) }
            && text != "home" && text != "api"
    }

    private static func isPage(_ text: String) -> Bool {
        text.hasPrefix("https://") && text.utf8.count > 8
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "\"") }
    }
}
