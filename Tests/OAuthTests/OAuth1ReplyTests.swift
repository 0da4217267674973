// A client takes what careless providers send, but never a token that could have been planted.

import OAuth
import Sealing
import Testing

@Suite struct OAuth1ReplyTests {
    @Test("a request token is taken with its oddities")
    func temporary() throws {
        let body = "\u{FEFF}oauth_token=a%2Fb+c%25&oauth_token_secret=%26+s%2B&oauth_callback_confirmed=true&xid=7\r\n"
        let reply = try TemporaryCredentialsReply.parse(body.utf8)
        #expect(reply.credentials.token == "a/b c%")
        #expect(reply.credentials.secret.revealText() == "& s+")
        #expect(reply.extra == [Parameter("xid", "7")])
    }

    @Test(
        "a request token without confirmed callback is refused",
        arguments: [
            "", "&oauth_callback_confirmed=", "&oauth_callback_confirmed=false", "&oauth_callback_confirmed=1",
        ])
    func unconfirmed(_ end: String) {
        #expect(throws: OAuthError.callbackNotConfirmed) {
            try TemporaryCredentialsReply.parse("oauth_token=t&oauth_token_secret=s\(end)".utf8)
        }
    }

    @Test("Authlib's capital letter is as good a confirmation")
    func confirmedByAuthlib() throws {
        let body = "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=True"
        #expect(try TemporaryCredentialsReply.parse(body.utf8).credentials.token == "t")
    }

    @Test("an access token keeps what came with it")
    func access() throws {
        let reply = try TokenCredentialsReply.parse("user_id=9&oauth_token=t&oauth_token_secret=&name=a+b".utf8)
        #expect(reply.credentials.token == "t")
        #expect(reply.credentials.secret.count == 0)
        #expect(reply.extra == [Parameter("user_id", "9"), Parameter("name", "a b")])
    }

    @Test(
        "a reply without exactly one token and secret is refused",
        arguments: [
            "", "<html>login</html>", "oauth_token=t", "oauth_token=&oauth_token_secret=s",
            "oauth_token=t&oauth_token=u&oauth_token_secret=s", "oauth_token=%ZZ&oauth_token_secret=s",
        ])
    func incomplete(_ body: String) {
        #expect(throws: OAuthError.self) { try TokenCredentialsReply.parse(body.utf8) }
    }

    @Test("a problem report in place of a token is thrown as such")
    func problem() {
        let error = #expect(throws: OAuthError.self) {
            try TokenCredentialsReply.parse("oauth_problem=token_revoked&oauth_problem_advice=Go%0Aaway".utf8)
        }
        guard case .problem(let problem) = error else {
            Issue.record("no problem report but \(String(describing: error))")
            return
        }
        #expect(problem.needsApproval)
        #expect(problem.advice == "Goaway")
    }

    @Test("a challenge without a report is no report")
    func bareChallenge() {
        #expect(OAuthProblem.parse([], wwwAuthenticate: "OAuth realm=\"x\"") == nil)
        #expect(OAuthProblem.parse(Array("<html>".utf8), wwwAuthenticate: "Basic realm=\"x\"") == nil)
    }

    @Test("what our provider answers, our client reads")
    func roundTrip() throws {
        let credentials = TokenCredentials(token: "a b&", secret: Secret(text: "é="))
        let first = try TemporaryCredentialsReply.parse(TemporaryCredentialsReply.body(credentials).revealBytes())
        #expect(first.credentials.token == "a b&")
        #expect(first.credentials.secret.matches(credentials.secret))
        let url = try CallbackReply.redirectURL(
            callback: "https://app.example/cb?x=1", token: "a b&", verifier: Secret(text: "v+"))
        #expect(url == "https://app.example/cb?x=1&oauth_token=a+b%26&oauth_verifier=v%2B")
        let query = String(url.drop { $0 != "?" }.dropFirst())
        #expect(try CallbackReply.parse(query: query, expecting: "a b&").verifier.revealText() == "v+")
    }

    @Test("a callback with another token, two tokens or no verifier is refused")
    func callback() {
        #expect(throws: OAuthError.stateMismatch) {
            try CallbackReply.parse(query: "oauth_token=x&oauth_verifier=v", expecting: "t")
        }
        #expect(throws: OAuthError.stateMismatch) { try CallbackReply.parse(query: "oauth_verifier=v", expecting: "t") }
        #expect(throws: OAuthError.repeated("oauth_token")) {
            try CallbackReply.parse(query: "oauth_token=t&oauth_token=t&oauth_verifier=v", expecting: "t")
        }
        #expect(throws: OAuthError.missing("oauth_verifier")) {
            try CallbackReply.parse(query: "oauth_token=t", expecting: "t")
        }
    }

    @Test("a problem is about the clock, the consumer or the grant")
    func about() {
        for (code, expected) in [
            ("timestamp_refused", [true, false, false]), ("signature_invalid", [false, true, false]),
            ("consumer_key_unknown", [false, true, false]), ("consumer_key_rejected", [false, true, false]),
            ("consumer_key_refused", [false, true, false]), ("token_revoked", [false, false, true]),
            ("token_expired", [false, false, true]), ("nonce_used", [false, false, false]),
            ("parameter_absent", [false, false, false]),
        ] {
            let problem = OAuthProblem.parse("oauth_problem=\(code)".utf8)
            #expect(
                problem.map { [$0.isAboutTime, $0.isAboutConsumer, $0.needsApproval] } == expected, "\(code)")
        }
    }
}
