// Lines: status, Content-Type, Retry-After, body. A reply gives tokens that fit a header and waits that fit an hour.

import OAuth
import Sealing

func tokenReply(_ input: [UInt8]) throws {
    let parts = lines(input, 4)
    let verdict = RefreshVerdict.classify(
        .reply(
            status: Int(text(parts[0])) ?? 200, contentType: header(parts[1]), retryAfter: header(parts[2]),
            body: parts[3]),
        now: 1_700_000_000)
    switch verdict {
    case .refreshed(let reply): accepted(reply)
    case .transient(let wait): hold(wait.map(RetryAfter.limits.contains) ?? true, "a wait is 1 to 3600 seconds")
    case .needsApproval(let reason), .probablyRevoked(let reason), .clientBroken(let reason),
        .configuration(let reason), .ambiguous(let reason), .suspicious(let reason):
        hold(isOneLine(reason), "a reason is one line in a log")
    }
    var options = TokenReplyOptions()
    (options.expiryUnit, options.expiryField, options.scopeSeparator) = (86400, "expires", ",")
    if let reply = try? TokenReply.parse(parts[3], options: options) { accepted(reply) }
    if let date = HTTPDate.parse(text(parts[2])) {
        hold((-62_167_219_200...253_402_300_799).contains(date), "a date has four digits of years")
    }
}

private func accepted(_ reply: TokenReply) {
    for token in [reply.accessToken, reply.refreshToken].compactMap(\.self) {
        hold((1...16384).contains(token.count) && isPrintable(token.revealText()), "a token fits a header")
    }
    hold(TokenReply.lifetimes.contains(reply.expiresIn), "a lifetime makes sense")
    hold((reply.scope ?? []).allSatisfy(isOneLine), "scopes fit a log")
}
