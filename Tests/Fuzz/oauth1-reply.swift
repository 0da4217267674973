// A provider's words reach logs and clocks only within bounds.

import OAuth
import Sealing

func oauth1Reply(_ input: [UInt8]) throws {
    let parts = lines(input, 2)
    if let problem = OAuthProblem.parse(parts[1], wwwAuthenticate: header(parts[0])) {
        hold(isOneLine(problem.code) && problem.code.unicodeScalars.count <= 64, "a problem code fits a log")
        hold(isOneLine(problem.advice ?? ""), "advice is one line")
    }
    if let reply = try? TokenCredentialsReply.parse(parts[1]) {
        hold(!reply.credentials.token.isEmpty, "a token is not empty")
        let body = TokenCredentialsReply.body(reply.credentials, extra: reply.extra).revealBytes()
        if body.count <= 65536 {
            let again = try? TokenCredentialsReply.parse(body)
            hold(isSame(again?.credentials.token, reply.credentials.token), "a token written again reads the same")
            hold(
                again?.credentials.secret.matches(reply.credentials.secret) ?? false,
                "a token secret written again reads the same")
        }
    }
    _ = try? TemporaryCredentialsReply.parse(parts[1])
    if let callback = try? CallbackReply.parse(query: text(parts[1]), expecting: "nnch734d00sl2jdk") {
        hold(callback.verifier.count > 0, "a verifier is not empty")
    }
}
