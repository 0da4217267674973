// Lines: a URL and another one. Normalising twice changes nothing, matching does not depend on the order but for ports,
// and only the loopback interface matches anything but itself.

import OAuth
import Sealing

func url(_ input: [UInt8]) throws {
    let parts = lines(input, 2).map(text)
    let (one, other) = (parts[0], parts[1])
    if let base = try? BaseURI.make(one) {
        hold((try? BaseURI.make(base)) == base, "a base URI is its own base URI")
        hold(!base.contains("?") && !base.contains("#"), "a base URI has neither query nor fragment")
    }
    _ = try? BaseURI.make(one, host: other)
    for uri in [one, other] where RedirectURI.isRegistrable(uri) {
        hold(uri.utf8.count <= 2048 && isPrintable(uri), "a registrable URI is short printable ASCII")
        hold(RedirectURI.matches(registered: uri, requested: uri), "a URI matches itself")
    }
    let matches = RedirectURI.matches(registered: one, requested: other)
    hold(matches == RedirectURI.matches(registered: other, requested: one), "matching has no direction")
    if matches, !isSame(one, other) {
        hold(loopback(one) && loopback(other), "only the loopback interface matches another URI")
    }
    let token = TokenCredentials(token: "nnch734d00sl2jdk", secret: Secret(text: "hfdp7dh39dks9884"))
    if let redirect = try? CallbackReply.redirectURL(callback: one, token: token.token, verifier: token.secret) {
        hold(redirect.hasPrefix(one), "a callback keeps what it had")
        let query = redirect.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).last ?? ""
        let read = try? FormCoding.parse(String(query))
        hold(read.map { isSame($0.all("oauth_token").last, token.token) } ?? true, "a callback carries the token")
    }
    let request = AuthorizationRequest(
        clientID: "s6BhdRkqt3", redirectURI: nil, scope: [], state: nil,
        codeChallenge: PKCE.challenge(for: token.secret))
    if let sent = try? request.url(endpoint: one) {
        hold(one.lowercased().hasPrefix("https://") || loopback(one), "nobody asks without TLS")
        hold(sent.hasPrefix(one), "an endpoint keeps what it had")
    }
}

private func loopback(_ uri: String) -> Bool {
    ["http://127.0.0.1", "http://[::1]", "http://localhost", "https://127.0.0.1", "https://[::1]", "https://localhost"]
        .contains { prefix in
            uri.lowercased().hasPrefix(prefix)
                && [nil, ":", "/", "?", "#"].contains(uri.dropFirst(prefix.count).first)
        }
}
