// A third party's app as a test sees it: what it knows it was given by the home's own pages and endpoints.

import Foundation
import StrictJSON

/// An app on requests-oauthlib, registered at a home.
struct AppClient: Sendable {
    let home: TestHome
    let name: String
    let key: String
    private let spoken: String
    private let scope: String

    private var secretFile: String { "\(home.folder)/\(name).secret" }
    private var credentials: String { "\(home.folder)/\(name).credentials" }

    /// Registers an app for at most these scopes.
    static func register(
        at home: TestHome, _ spoken: String, scopes: [String], name: String = "Dashboard"
    ) async throws -> AppClient {
        let added = try await Program.run(
            Places.program("keyholder"),
            [
                "app", "add", name, "--protocol", spoken, "--redirect", "http://127.0.0.1:1/back", "--secret-file",
                "\(home.folder)/\(name).secret", "--json",
            ] + scopes.flatMap { ["--scope", $0] }, environment: ["KEYHOLDER_HOME": home.homePath])
        guard let key = added.json["app"]?["key"]?.string else { throw TestHome.Failure(what: added.errors) }
        return AppClient(home: home, name: name, key: key, spoken: spoken, scope: scopes.joined(separator: " "))
    }

    /// Asks for everything it may ask for, and a person allows it; what comes of it is kept for ``ask(_:_:body:_:)``.
    ///
    /// - Returns: What the app tells.
    @discardableResult
    func isAllowed(by person: String = TestHome.person, _ options: String...) async throws -> JSON {
        let own =
            spoken == "oauth1"
            ? ["--consumer-key", key, "--consumer-secret-file", secretFile, "--callback"]
            : ["--client-id", key, "--client-secret-file", secretFile, "--redirect"]
        let ran = try await Program.run(
            Places.python,
            [
                Places.peer("home_client.py"), spoken, "--base", "http://127.0.0.1:\(home.providerPort)", "--scope",
                scope, "--person", person, "--password-file", "\(home.folder)/anna.password", "--save", credentials,
            ] + own + ["http://127.0.0.1:1/back"] + options)
        guard ran.status == 0 else { throw TestHome.Failure(what: "\(ran.output) \(ran.errors)") }
        return ran.json
    }

    /// The person takes back on the home's page what was allowed.
    func isTakenBack() async throws {
        let ran = try await Program.run(
            "/usr/bin/env",
            [
                "python3", Places.peer("browser.py"), "take-back", "http://127.0.0.1:\(home.providerPort)/", "--person",
                TestHome.person, "--password-file", "\(home.folder)/anna.password", "--whose", name,
            ])
        guard ran.status == 0 else { throw TestHome.Failure(what: "\(ran.output) \(ran.errors)") }
    }

    /// The access token it holds.
    func token() throws -> String {
        let held = try JSON(parsing: try String(contentsOfFile: credentials, encoding: .utf8))
        return try held["token"]?.string.orThrow("no token") ?? ""
    }

    /// Starts a request and leaves it running.
    func asking(_ method: String, _ path: String, body: String? = nil) throws -> Program {
        try asking(method, path, body: body, [])
    }

    private func asking(_ method: String, _ path: String, body: String?, _ options: [String]) throws -> Program {
        try Program(
            Places.python,
            [Places.peer("home_client.py"), "ask", credentials, method, path] + (body.map { ["--body", $0] } ?? [])
                + options)
    }

    /// Sends a request with what it was given.
    func ask(_ method: String, _ path: String, body: String? = nil, _ options: String...) async throws -> JSON {
        try Self.reply(try await asking(method, path, body: body, options).finish())
    }

    /// Sends a request, as often as the options say.
    func replies(_ method: String, _ path: String, body: String? = nil, _ options: String...) async throws -> [JSON] {
        try Self.replies(try await asking(method, path, body: body, options).finish())
    }

    /// The reply that a finished request was given.
    static func reply(_ ran: Finished) throws -> JSON { try replies(ran).first.orThrow("no reply") }

    private static func replies(_ ran: Finished) throws -> [JSON] {
        guard ran.status == 0, let replies = ran.json["replies"]?.array else {
            throw TestHome.Failure(what: "\(ran.output) \(ran.errors)")
        }
        return replies
    }
}
