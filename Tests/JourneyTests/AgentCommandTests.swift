// Every command of the agent says what was wrong with what it was given and changes nothing, and a secret comes and goes
// as it is.

import Foundation
import StrictJSON
import Testing

@Suite(.serialized) struct AgentCommandTests {
    @Test("wrong input to the agent's commands exits with 2 and says what is allowed", .timeLimit(.minutes(1)))
    func wrongInput() async throws {
        let home = try await TestHome.granted()
        let cases: [(arguments: [String], says: String)] = [
            (["grant", "request", "front-door", "--flow", "magic"], "'redirect', 'oob', 'device' or 'client'"),
            (["grant", "request", "front-door", "--flow", "device"], "has no flow \"device\""),
            (["grant", "request", "hallway", "--flow", "oob"], "has no flow \"oob\""),
            (["grant", "request", "hallway", "--qr", "--json"], "--json prints no QR code"),
            (["grant", "finish", "hallway"], "the PIN is empty"),
            (["grant", "finish", "hallway", "--verifier", "1", "--redirected"], "not both"),
            (["sign", "front-door", "GET", "no url"], "is not an absolute URL"),
            (["sign", "front-door", "GET", "/relative"], "is not an absolute URL"),
            (["sign", "front-door", "get", "http://127.0.0.1/"], "write it in upper case"),
            (["sign", "front-door", "POST", "http://127.0.0.1/", "--form", "a"], "is not name=value"),
            (
                ["sign", "front-door", "POST", "http://127.0.0.1/", "--form", "a=b", "--body-file", "/etc/hosts"],
                "not both"
            ),
            (["sign", "front-door", "POST", "http://127.0.0.1/", "--body-file", "/nowhere"], "cannot read"),
            (["sign", "hallway", "GET", "http://127.0.0.1/"], "bearer tokens, which sign nothing"),
            (["token", "hallway", "--min-valid", "1s", "--audience", "x"], "--min-valid is not for"),
            (["token", "hallway", "--min-valid", "soon"], "is not a duration"),
            (["provider", "discover", "nonsense"], "does not say what to call the provider"),
            (["provider", "discover", "https://x.example", "--name", "A B"], "provider name \"A B\" is not allowed"),
            (["provider", "show", "home", "--yaml", "--json"], "not both"),
            (["consumer", "rotate", "home", "--secret-file", "/nowhere"], "there is no file \"/nowhere\""),
            (["consumer", "rotate", "home"], "no new consumer secret given"),
            (["backup", ""], "is empty"), (["backup", "/nowhere/file"], "there is no folder"),
            (["backup", "\(home.homePath)/copy"], "inside the home"),
        ]
        for (arguments, says) in cases {
            let run = try await Program.run(
                Places.program("keyholder"), arguments, environment: ["KEYHOLDER_HOME": home.homePath])
            #expect(run.status == 2, "\(arguments): \(run.status) \(run.output) \(run.errors)")
            #expect(run.errors.hasPrefix("error: "), "\(arguments): \(run.errors)")
            #expect((run.errors + run.output).contains(says), "\(arguments): \(run.errors)")
        }
        try await home.stop()
    }

    @Test("what is not there exits with 8, and a host that is not the provider's with 3", .timeLimit(.minutes(1)))
    func notThere() async throws {
        let home = try await TestHome.granted()
        let secret = try home.privateFile("secret", "x")
        let cases: [(arguments: [String], code: Int32)] = [
            (["grant", "check", "attic"], 8), (["grant", "finish", "hallway", "--verifier", "1"], 8),
            (["consumer", "rotate", "home", "--secret-file", secret], 8),
            (["consumer", "rotate", "nobody", "--secret-file", secret], 8), (["provider", "show", "nobody"], 8),
            (["quarantine", "lift"], 8), (["token", "attic", "--audience", "x"], 8),
            (["sign", "attic", "GET", "https://x.example/"], 8),
            (["sign", "front-door", "GET", "https://elsewhere.example/"], 3),
        ]
        for (arguments, code) in cases {
            let run = try await Program.run(
                Places.program("keyholder"), arguments, environment: ["KEYHOLDER_HOME": home.homePath])
            #expect(run.status == code, "\(arguments): \(run.status) \(run.output) \(run.errors)")
            #expect(run.errors.hasPrefix("error: "), "\(arguments): \(run.errors)")
        }
        let lost = try await home.keyholder(
            "grant", "finish", "hallway", "--redirected", input: " http://127.0.0.1/callback?code=c&state=s\n")
        #expect(lost.status == 8, "\(lost.errors)")
        #expect(!lost.errors.contains("code=c"))
        try await home.stop()
    }

    @Test("a daemon that never answers does not hold a command up for ever: exit code 6", .timeLimit(.minutes(1)))
    func silence() async throws {
        let daemon = try await StandInDaemon.start(answering: nil)
        let run = try await daemon.keyholder("user", "list", environment: ["KEYHOLDER_TIMEOUT": "1s"])
        #expect(run.status == 6)
        #expect(run.errors.contains("error: the daemon did not answer within 1 s"))
        #expect(run.errors.contains("hint: "))
        let wrong = try await daemon.keyholder("user", "list", environment: ["KEYHOLDER_TIMEOUT": "soon"])
        #expect(wrong.status == 2)
        #expect(wrong.errors.contains("KEYHOLDER_TIMEOUT is \"soon\""))
        try await daemon.stop()
    }

    @Test(
        "a key in PEM reaches the daemon byte for byte, and a secret of one line without its newline",
        .timeLimit(.minutes(1)))
    func secretsAsTheyAre() async throws {
        let daemon = try await StandInDaemon.start(answering: ["consumer": [:]])
        let pem = "-----BEGIN CERTIFICATE-----\r\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN KEY-----\nBBBB\n"
        let long = String(repeating: "0123456789abcde\n", count: 1000)
        for (text, sent) in [(pem, pem), (long, long), ("one line\n", "one line"), ("one line", "one line")] {
            let file = "\(daemon.folder)/secret"
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            chmod(file, 0o600)
            let before = daemon.asked.count
            let runs = [
                try await daemon.keyholder("consumer", "add", "p", "--key", "k", "--secret-file", file),
                try await daemon.keyholder("consumer", "rotate", "p", "--secret-file", file),
                try await daemon.keyholder("consumer", "rotate", "p", "--secret-file", "-", input: text),
            ]
            #expect(runs.allSatisfy { $0.status == 0 }, "\(runs.map(\.errors))")
            // Adding looks at the provider first.
            try await daemon.waitForRequests(before + 4)
            let told = daemon.asked.dropFirst(before).filter { $0.hasPrefix("POST ") }
            let bodies = try told.map { line in
                try JSON(parsing: String(line[(line.firstIndex(of: "{") ?? line.startIndex)...]))
            }
            #expect(bodies.map { $0["secret"]?.string } == [sent, sent, sent])
        }
        chmod("\(daemon.folder)/secret", 0o644)
        let open = try await daemon.keyholder("consumer", "rotate", "p", "--secret-file", "\(daemon.folder)/secret")
        #expect(open.status == 2 && open.errors.contains("chmod 600"))
        try await daemon.stop()
    }

    @Test("what is pasted is read from standard input and not from the arguments", .timeLimit(.minutes(1)))
    func pasted() async throws {
        let daemon = try await StandInDaemon.start(answering: ["grant": ["state": "active"]])
        let address = "https://back.example/?code=c&state=s"
        _ = try await daemon.keyholder("grant", "finish", "hallway", "--redirected", input: "  \(address) \n")
        _ = try await daemon.keyholder("grant", "finish", "hallway", input: "1234\n")
        #expect(daemon.asked.first == "POST /v1/grants/hallway/finish {\"redirected\":\"\(address)\"}")
        #expect(daemon.asked.last == "POST /v1/grants/hallway/finish {\"verifier\":\"1234\"}")
        let two = try await daemon.keyholder("grant", "finish", "hallway", input: "12\n34\n")
        #expect(two.status == 2 && two.errors.contains("not one line"))
        try await daemon.stop()
    }

    @Test("a grant for signing only gives out no token, and health is told in words", .timeLimit(.minutes(1)))
    func signOnly() async throws {
        let home = try await TestHome.furnished()
        let asked = try await home.done("grant", "request", "front-door", "--sign-only")
        #expect(asked["grant"]?["release"]?.string == "sign_only")
        #expect(asked["grant"]?["flow"]?.string == "redirect")
        try await home.browse(try asked["authorize_url"]?.string.orThrow("no authorize_url") ?? "")
        try await home.done("grant", "show", "front-door", "--wait", "30s")
        let token = try await home.keyholder("token", "front-door")
        #expect(token.status == 3, "\(token.status) \(token.errors)")
        #expect(token.output.isEmpty)
        let url = "http://127.0.0.1:\(home.providerPort)/api/v1/devices"
        #expect(try await home.keyholder("sign", "front-door", "GET", url).output.hasPrefix("OAuth "))
        let body = try home.privateFile("body", "{}")
        let signed = try await home.keyholder("sign", "front-door", "POST", url, "--body-file", body)
        #expect(signed.status == 0 && signed.output.hasPrefix("OAuth "), "\(signed.errors)")
        let shown = try await home.done("grant", "show", "front-door")
        #expect(shown["grant"]?["health"]?["verdict"]?.string == "well")
        #expect(try await home.keyholder("grant", "show", "front-door").output.contains("health      well"))
        let check = try await home.done("grant", "check", "front-door")
        #expect(check["answer"]?.string == "honoured")
        try await home.stop()
    }
}
