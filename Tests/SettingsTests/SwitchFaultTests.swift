// Every switch has values that it does not take, and each of them is one fault with its place.

import Delegation
import Foundation
import Settings
import Testing

@Suite struct SwitchFaultTests {
    private static let page: String = "an https URL"
    private static let names: String = "a list of names out of a-z and '_', other than home and api"
    private static let meanings: String = "needs_approval, probably_revoked, client_broken, configuration, transient"

    static let around: [Breakage] = [
        Breakage(
            "a variable in capitals", "[region, project_id]", "[region, project_id, Region]", line: 5, "variables[2]",
            found: "\"Region\"", allowed: names),
        Breakage(
            "a variable that is the home's own", "[region, project_id]", "[region, project_id, home]", line: 5,
            "variables[2]", found: "\"home\"", allowed: names),
        Breakage(
            "an empty doubt", "that this works", "\"\"", line: 6, "doubts[0]", found: "\"\"", allowed: "a list of texts"
        ),
        Breakage(
            "a page to revoke on that is not https", "https://acme.example/apps", "http://acme.example/apps", line: 7,
            "revocation_page", found: "\"http://acme.example/apps?tab=mine\"", allowed: page),
        Breakage(
            "a page with a space in it", "https://acme.example/apps", "https://acme.example/my apps", line: 7,
            "revocation_page", found: "\"https://acme.example/my apps?tab=mine\"", allowed: page),
        Breakage(
            "a redirect URI with a fragment", "callback/acme", "callback#acme", line: 8, "redirect_uri",
            found: "\"https://localhost/callback#acme\"", allowed: page),
        Breakage(
            "no refreshes at all", "refreshes_per_minute: 10", "refreshes_per_minute: 0", line: 10,
            "refreshes_per_minute", found: "\"0\"", allowed: "an integer from 1 to 6000"),
        Breakage(
            "an empty name of a parameter", "key_parameter: apikey", "key_parameter: \"\"", line: 9, "key_parameter",
            found: "\"\"", allowed: "a text"),
    ]

    static let endpoints: [Breakage] = [
        Breakage(
            "a proof of identity that there is not", "private_key_jwt", "client_secret_jwt", line: 18,
            "oauth2.client_authentication", found: "\"client_secret_jwt\"",
            allowed: "one of basic, basic_raw, basic_and_post, post, none, digest, private_key_jwt, tls"),
        Breakage(
            "an audience that there is not", "audience: token_endpoint", "audience: token", line: 19,
            "oauth2.client_assertion_audience", found: "\"token\"", allowed: "one of issuer, token_endpoint"),
        Breakage(
            "a resource that is no URI", "\"urn:acme:all\"", "all", line: 23, "oauth2.resource[1]", found: "\"all\"",
            allowed: "a list of texts"),
        Breakage(
            "a resource with a fragment", "urn:acme:all", "urn:acme#all", line: 23, "oauth2.resource[1]",
            found: "\"urn:acme#all\"", allowed: "a list of texts"),
        Breakage(
            "a place that there is not", "parameters_in: query", "parameters_in: header", line: 26,
            "oauth2.parameters_in", found: "\"header\"", allowed: "one of body, query"),
        Breakage(
            "a grace without an end", "rotation_grace: 8h", "rotation_grace: 31d", line: 28, "oauth2.rotation_grace",
            found: "\"31d\"", allowed: "a duration from 1s to 30d, such as 90s, 10m or 12h"),
        Breakage(
            "a refresh token that dies at once", "365d", "59s", line: 29, "oauth2.refresh_token_lifetime",
            found: "\"59s\"", allowed: "a duration from 1m to 7320d, such as 90s, 10m or 12h"),
        Breakage(
            "a truth value of another kind", "never_expires: true", "never_expires: yes", line: 32,
            "oauth2.never_expires", found: "\"yes\"", allowed: "true or false"),
        Breakage(
            "an exchange without its parameter", "{grant_type: long, parameter: short_token}", "{grant_type: long}",
            line: 34, "oauth2.long_lived_exchange.parameter", found: "nothing", allowed: "a text"),
        Breakage(
            "an unknown key of an exchange", "parameter: short_token}", "parameter: short_token, method: GET}",
            line: 34, "oauth2.long_lived_exchange.method", found: "the unknown key \"method\"",
            allowed: "grant_type, parameter"),
        Breakage(
            "a device endpoint on another host", "https://api.acme.example/device", "https://acme.example/device",
            line: 14, "oauth2.device_authorization_endpoint", found: "\"https://acme.example/device?in={region}\"",
            allowed: "an https URL on one of the hosts api.acme.example (http on loopback only)"),
        Breakage(
            "an endpoint for pushed requests without TLS", "https://api.acme.example/par",
            "http://api.acme.example/par", line: 15, "oauth2.pushed_authorization_request_endpoint",
            found: "\"http://api.acme.example/par\"",
            allowed: "an https URL on one of the hosts api.acme.example (http on loopback only)"),
    ]

    static let dialects: [Breakage] = [
        Breakage(
            "a method that there is not", "method: GET", "method: PUT", line: 36, "oauth2.device.method",
            found: "\"PUT\"", allowed: "one of POST, GET"),
        Breakage(
            "a page for the code that is not https", "https://acme.example/pin", "acme.example/pin", line: 41,
            "oauth2.device.verification_uri", found: "\"acme.example/pin\"", allowed: page),
        Breakage(
            "an interval longer than anybody waits", "interval: 30s", "interval: 11m", line: 42,
            "oauth2.device.interval", found: "\"11m\"", allowed: "a duration from 1s to 10m, such as 90s, 10m or 12h"),
        Breakage(
            "a device's code with another meaning", "wait: authorization_pending", "wait: needs_approval", line: 45,
            "oauth2.device.errors.wait", found: "\"needs_approval\"",
            allowed: "one of authorization_pending, slow_down, access_denied, expired_token"),
        Breakage(
            "an unknown key of the device flow", "interval: 30s", "interval: 30s\n    poll: 5s", line: 43,
            "oauth2.device.poll", found: "the unknown key \"poll\"",
            allowed: "code_parameter, device_code_field, errors, expiry_unit, extra_parameters, grant_type, interval, "
                + "method, user_code_field, verification_uri"),
        Breakage(
            "a success without a value", "{field: status, value: \"0\"}", "{field: status}", line: 48,
            "oauth2.reply.success.value", found: "nothing", allowed: "a text"),
        Breakage(
            "a unit that there is not", "expire_time\n    expiry_unit: minutes", "expire_time\n    expiry_unit: hours",
            line: 50, "oauth2.reply.expiry_unit", found: "\"hours\"", allowed: "one of seconds, minutes"),
        Breakage(
            "a list of codes that is a text", "[status, fault.detail.errorcode]", "status", line: 51,
            "oauth2.reply.error_paths", found: "\"status\"", allowed: "a list of texts"),
        Breakage(
            "a code with another meaning", "\"300\": transient", "\"300\": authorization_pending", line: 52,
            "oauth2.reply.errors.300", found: "\"authorization_pending\"", allowed: "one of \(meanings)"),
        Breakage(
            "a meaning that there is not", "without_code: transient", "without_code: dead", line: 53,
            "oauth2.reply.without_code", found: "\"dead\"", allowed: "one of \(meanings)"),
        Breakage(
            "an unknown key of replies", "without_code: transient", "without_code: transient\n    path: body",
            line: 54, "oauth2.reply.path", found: "the unknown key \"path\"",
            allowed: "error_paths, errors, expiry_field, expiry_unit, success, token_path, without_code"),
    ]

    @Test(
        "a switch with a value that it does not take is one fault with its place",
        arguments: around + endpoints + dialects)
    func breakage(_ breakage: Breakage) throws {
        try breakage.check(Samples.odd) { _ = try Samples.readProvider($0) }
    }

    private static let graces: String = "a duration, with rotation \"grace\" and only then"
    static let needed: [Breakage] = [
        Breakage(
            "a rotation with grace that does not say how long", "  rotation_grace: 8h\n", "", line: 13,
            "oauth2.rotation_grace", found: "nothing", allowed: graces),
        Breakage(
            "a grace without a rotation that has one", "rotation: grace", "rotation: strict", line: 28,
            "oauth2.rotation_grace", found: "\"8h\"", allowed: graces),
        Breakage(
            "a private key addressed to an issuer that there is not", "client_assertion_audience: token_endpoint",
            "client_assertion_audience: issuer", line: 13, "oauth2.issuer", found: "nothing",
            allowed: "an issuer, which private_key_jwt is addressed to"),
    ]

    @Test("a switch that needs another one is refused without it", arguments: needed)
    func pairs(_ breakage: Breakage) throws {
        try breakage.check(Samples.odd) { _ = try Samples.readProvider($0) }
    }

    @Test("a provider that offers no flow at all is refused")
    func noFlow() throws {
        let breakage = Breakage(
            "no flow", "  authorization_endpoint: https://api.acme.example/authorize\n", "", line: 11,
            "oauth2.authorization_endpoint", found: "nothing",
            allowed: "an authorization_endpoint, a device_authorization_endpoint or client_credentials")
        try breakage.check(Samples.oauth2) { _ = try Samples.readProvider($0) }
    }

    @Test("switches are checked although the endpoints before them are at fault")
    func allAtOnce() throws {
        let yaml = Samples.odd.replacingOccurrences(of: "token_endpoint: https", with: "token_endpoint: ftp")
            .replacingOccurrences(of: "method: GET", with: "method: PUT")
            .replacingOccurrences(of: "without_code: transient", with: "without_code: dead")
            .replacingOccurrences(of: "rotation_grace: 8h", with: "rotation_grace: 8")
        let error = try #require(throws: SettingsError.self) { try Samples.readProvider(yaml) }
        #expect(
            Set(error.faults.map(\.keyPath)) == [
                "oauth2.token_endpoint", "oauth2.device.method", "oauth2.reply.without_code", "oauth2.rotation_grace",
            ])
    }
}
