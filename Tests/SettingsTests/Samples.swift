// Small settings files with every key in them, for tests to break in one place at a time.

import Delegation
import Foundation
import Settings
import Testing

enum Samples {
    static let device = """
        profile: locks/test-lock
        title: Test lock
        maker: Keyholder
        provider: home
        state:
          lock: {type: choice, choices: [locked, unlocked], initial: locked}
          level: {type: integer, minimum: 0, maximum: 10, initial: "5"}
        operations:
          lock.set:
            title: Set the lock
            risk: high
            arguments:
              to: {title: how, type: choice, choices: [locked, unlocked], required: true}
              level: {title: how far, type: integer, minimum: 0, maximum: 10, required: false}
              gently: {title: gently, type: flag, required: false}
            effect: {lock: $to, level: $level}
        home_assistant: {component: lock}

        """

    static let oauth2 = """
        provider: acme
        title: Acme
        protocol: oauth2
        hosts: [api.acme.example, 127.0.0.1]
        scope_format: "{operation}:{device}"
        scopes: [offline]
        scope_separator: ","
        validation_endpoint: https://api.acme.example/me
        verified: false
        oauth2:
          issuer: https://api.acme.example
          authorization_endpoint: https://api.acme.example/authorize
          token_endpoint: https://api.acme.example:8443/token
          revocation_endpoint: http://127.0.0.1:9000/revoke
          client_authentication: basic_raw
          rotation: strict
          default_lifetime: 12h
          extra_authorization_parameters: {prompt: consent}
          announces_issuer: true

        """

    static let oauth1 = """
        provider: acme
        title: Acme
        protocol: oauth1
        hosts: [api.acme.example]
        verified: true
        oauth1:
          request_token_endpoint: https://api.acme.example/request
          authorize_endpoint: https://api.acme.example/authorize
          access_token_endpoint: https://api.acme.example/access
          signature_method: HMAC-SHA1
          realm: Acme

        """

    /// A provider that differs from the RFCs wherever a profile can say so.
    static let odd = """
        provider: acme
        title: Acme
        protocol: oauth2
        hosts: [api.acme.example]
        variables: [region, project_id]
        doubts: [that this works, that anything does]
        revocation_page: https://acme.example/apps?tab=mine
        redirect_uri: https://localhost/callback/acme
        key_parameter: apikey
        refreshes_per_minute: 10
        verified: false
        oauth2:
          authorization_endpoint: https://api.acme.example/{project_id}/authorize
          device_authorization_endpoint: https://api.acme.example/device?in={region}
          pushed_authorization_request_endpoint: https://api.acme.example/par
          token_endpoint: https://api.acme.example/token
          introspection_endpoint: https://api.acme.example/introspect
          client_authentication: private_key_jwt
          client_assertion_audience: token_endpoint
          client_id_in_body: true
          client_id_parameter: clientid
          dpop: true
          resource: ["https://things.acme.example", "urn:acme:all"]
          client_credentials: true
          token_exchange: true
          parameters_in: query
          rotation: grace
          rotation_grace: 8h
          refresh_token_lifetime: 365d
          refresh_prolongs: false
          default_lifetime: 1h
          never_expires: true
          extra_token_parameters: {action: requesttoken}
          long_lived_exchange: {grant_type: long, parameter: short_token}
          device:
            method: GET
            extra_parameters: {response_type: pin}
            device_code_field: code
            user_code_field: pin
            expiry_unit: minutes
            verification_uri: https://acme.example/pin
            interval: 30s
            grant_type: pin
            code_parameter: code
            errors: {wait: authorization_pending, "429": slow_down, gone: expired_token, no: access_denied}
          reply:
            token_path: result.tokens
            success: {field: status, value: "0"}
            expiry_field: expire_time
            expiry_unit: minutes
            error_paths: [status, fault.detail.errorcode]
            errors: {"100": needs_approval, "200": client_broken, "300": transient, "400": configuration}
            without_code: transient

        """

    static let configuration = """
        name: Home
        listen: 127.0.0.1:8420
        redirect: 127.0.0.1:8421
        broker: localhost:8883
        access_token_lifetime: 10m

        """

    /// The base URL of the home's own provider.
    static let home = "http://127.0.0.1:8420"

    static func readDevice(_ yaml: String) throws -> DeviceProfile {
        try DeviceProfile(
            yaml: yaml, reference: try #require(ProfileReference(rawValue: "locks/test-lock")), file: "test.yaml")
    }

    static func readProvider(_ yaml: String) throws -> ProviderProfile {
        try ProviderProfile(
            yaml: yaml, name: try #require(ProviderName(rawValue: "acme")), file: "test.yaml", home: home)
    }

    static func readConfiguration(_ yaml: String) throws -> AgentConfiguration {
        try AgentConfiguration(yaml: yaml, file: "test.yaml")
    }

    /// The profiles that ship, found above the tests.
    static func shippedFolder() throws -> String {
        var folder = URL(fileURLWithPath: #filePath)
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            let candidate = folder.appendingPathComponent("device-profiles").path
            if FileManager.default.fileExists(atPath: candidate) { return candidate }
        }
        throw Refusal(.notFound, "no device-profiles above the tests")
    }

    /// Runs a test with a new folder.
    static func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("settings-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }
}

/// One way to break a sample, and the one fault that must come of it.
struct Breakage: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let old: String
    let new: String
    let line: Int?
    let keyPath: String
    let found: String
    let allowed: String

    init(
        _ name: String, _ old: String, _ new: String, line: Int?, _ keyPath: String, found: String, allowed: String
    ) {
        testDescription = name
        self.old = old
        self.new = new
        self.line = line
        self.keyPath = keyPath
        self.found = found
        self.allowed = allowed
    }

    /// Breaks the sample and checks that reading reports exactly this fault.
    func check(_ sample: String, reading read: (String) throws -> Void) throws {
        try #require(sample.contains(old), "the sample has no \(old)")
        let broken = sample.replacingOccurrences(of: old, with: new)
        let error = try #require(throws: SettingsError.self) { try read(broken) }
        let fault = try #require(error.faults.first)
        #expect(error.faults.count == 1, "\(error)")
        #expect(fault.file == "test.yaml")
        #expect(fault.line == line)
        #expect(fault.keyPath == keyPath)
        #expect(fault.found == found)
        #expect(fault.allowed == allowed)
    }
}
