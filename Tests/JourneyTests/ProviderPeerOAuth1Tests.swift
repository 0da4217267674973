// OAuth 1.0a at two libraries' servers: what they take for a signature, an approval and a no is theirs to say.

import Foundation
import StrictJSON
import Testing

@Suite(.serialized, VendorHome()) struct ProviderPeerOAuth1Tests {
    /// A library, how requests are signed for it, and how its person's answer comes back.
    struct Way: Sendable, CustomTestStringConvertible {
        let library: String
        let method: String
        let flow: String

        var testDescription: String { "\(library) \(method) \(flow)" }
        /// What the provider and the device are called.
        var name: String { "\(library)-\(flow)" }
        var isRSA: Bool { method.hasPrefix("RSA") }
        /// Authlib sees neither what is not ASCII in a query nor the second of two fields of one name.
        var query: String { library == "authlib" ? "b=2&a=%20~" : "b=2&a=%C3%A9%20~" }
        var form: [String] { library == "authlib" ? ["c=1 + 1", "d=\u{E9}"] : ["c=1 + 1", "c=\u{E9}"] }
    }

    private static let key = "peerConsumerKey0123456789"
    private static let secret = "peerConsumerSecret01234567"

    @Test(
        "a grant is approved and signed with; what was approved once is not approved again", .timeLimit(.minutes(1)),
        arguments: [
            Way(library: "authlib", method: "HMAC-SHA1", flow: "oob"),
            Way(library: "authlib", method: "RSA-SHA1", flow: "redirect"),
            Way(library: "oauthlib", method: "HMAC-SHA256", flow: "oob"),
            Way(library: "oauthlib", method: "HMAC-SHA512", flow: "redirect"),
        ])
    func approved(way: Way) async throws {
        let home = try VendorHome.current.orThrow("no home")
        try await home.shelve(way.name)
        let (program, base) = try await Self.provider(way, of: home)
        let asked = try await home.done(
            "grant", "request", way.name, "--provider", way.name, "--flow", way.flow)
        let page = try asked["authorize_url"]?.string.orThrow("no page") ?? ""
        let told = try await home.browse(page)
        if way.flow == "oob" {
            let pin = try told["pin"]?.string.orThrow("no PIN: \(told.text)") ?? ""
            try await home.done("grant", "finish", way.name, "--verifier", pin)
            #expect(try await home.keyholder("grant", "finish", way.name, "--verifier", pin).status == 8)
        }
        let grant = try await home.done("grant", "show", way.name, "--wait", "30s")["grant"]
        #expect(grant?["state"]?.string == "active")
        #expect(try await home.done("grant", "check", way.name)["answer"]?.string == "honoured")
        // What a form holds and what has to be escaped is signed too.
        for (url, form) in [("\(base)/api/me?\(way.query)", []), ("\(base)/api/me", way.form)] {
            let options = form.flatMap { ["--form", $0] }
            let method = form.isEmpty ? "GET" : "POST"
            let header = try await home.done(["sign", way.name, method, url] + options)["authorization"]?.string ?? ""
            #expect(header.contains("oauth_signature_method=\"\(way.method)\""))
            let data = form.flatMap { ["--data-urlencode", $0] }
            let status = try await Self.curl(url, ["-X", method, "-H", "Authorization: \(header)"] + data)
            #expect(status == "200")
            // It is good for one request.
            #expect(try await Self.curl(url, ["-X", method, "-H", "Authorization: \(header)"] + data) != "200")
        }
        try await program.end()
    }

    @Test(
        "a person's no ends the request, unless it does not say which one it is about", .timeLimit(.minutes(1)),
        arguments: [("oauthlib", "denied"), ("authlib", "pending")])
    func denied(library: String, state: String) async throws {
        let home = try VendorHome.current.orThrow("no home")
        let way = Way(library: library, method: "HMAC-SHA1", flow: "denied")
        try await home.shelve(way.name)
        let (program, _) = try await Self.provider(way, of: home)
        let asked = try await home.done("grant", "request", way.name, "--provider", way.name)
        let page = try asked["authorize_url"]?.string.orThrow("no page") ?? ""
        let person = try await Program.run(
            "/usr/bin/env",
            [
                "python3", Places.peer("browser.py"), "approve", page, "--person", TestHome.person, "--password-file",
                "\(home.folder)/anna.password", "--decision", "deny",
            ])
        let back = person.json["redirected_to"]?.string ?? ""
        #expect(back.contains("/callback/\(way.name)?"), "\(person.output) \(person.errors)")
        #expect(back.contains("oauth_token=") == (state == "denied"))
        #expect(try await home.done("grant", "show", way.name)["grant"]?["state"]?.string == state)
        try await program.end()
    }

    /// Starts a library's server and adds it.
    private static func provider(_ way: Way, of home: TestHome) async throws -> (Program, base: String) {
        var consumerSecret = secret
        var own: [String] = []
        if way.isRSA {
            let pair = "\(home.folder)/\(way.name).pem"
            _ = try await Program.run("/usr/bin/openssl", ["genrsa", "-out", pair, "2048"])
            _ = try await Program.run("/usr/bin/openssl", ["rsa", "-in", pair, "-pubout", "-out", "\(pair).public"])
            consumerSecret = try String(contentsOfFile: pair, encoding: .utf8)
            own = ["--public-key", "\(pair).public"]
        }
        let callback = "http://127.0.0.1:\(home.redirectPort)/callback/\(way.name)"
        let program = try Program(
            Places.python,
            [
                "-u", Places.peer("\(way.library)_oauth1_provider.py"), "--consumer-key", key, "--consumer-secret",
                secret, "--callback", callback,
            ] + own)
        let line = try await program.output.line(with: "\"port\"")
        let base = try JSON(parsing: line)["base"]?.string.orThrow("no base") ?? ""
        try """
        provider: \(way.name)
        title: A peer
        hosts: ["127.0.0.1"]
        validation_endpoint: \(base)/api/me
        verified: true
        protocol: oauth1
        oauth1:
          request_token_endpoint: \(base)/request_token
          authorize_endpoint: \(base)/authorize
          access_token_endpoint: \(base)/access_token
          signature_method: \(way.method)
        """.write(toFile: "\(home.folder)/\(way.name).yaml", atomically: true, encoding: .utf8)
        try await home.done("provider", "add", "\(home.folder)/\(way.name).yaml")
        let file = try home.privateFile("\(way.name).secret", consumerSecret)
        try await home.done("consumer", "add", way.name, "--key", key, "--secret-file", file)
        return (program, base)
    }

    private static func curl(_ url: String, _ arguments: [String] = []) async throws -> String {
        let answer = try await Program.run(
            "/usr/bin/curl",
            ["--silent", "--show-error", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", url] + arguments)
        guard answer.status == 0 else { throw TestHome.Failure(what: "curl \(url): \(answer.errors)") }
        return answer.output
    }
}
