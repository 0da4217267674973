// Lines: WWW-Authenticate, client id, URL. An answer is one header of quoted values, and holds the challenge's own.

import OAuth
import Sealing

func digestChallenge(_ input: [UInt8]) throws {
    let parts = lines(input, 3)
    let challenge = try DigestChallenge.parse(text(parts[0]))
    hold(!challenge.nonce.isEmpty, "a nonce is not empty")
    hold(
        [challenge.realm, challenge.nonce, challenge.opaque ?? ""].allSatisfy { value in
            isPrintable(value) && !value.utf8.contains { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
        }, "what goes back can stand between quotes")
    let plain = try DigestCredentials(clientID: "hub", secret: Secret(text: "s3cret")).authorization(
        for: challenge, request: .init(method: "POST", url: "https://server.example.com/token"), clientNonce: "0a4f113b"
    ).revealText()
    hold(isPrintable(plain) && !plain.contains("s3cret"), "an answer is one line without the secret")
    hold(
        plain.hasPrefix(
            #"Digest username="hub", realm="\#(challenge.realm)", nonce="\#(challenge.nonce)", uri="/token""#),
        "an answer holds realm and nonce as they came")
    let quotes = 2 * (5 + (challenge.opaque == nil ? 0 : 1) + (challenge.usesQuality ? 1 : 0))
    hold(plain.utf8.count { $0 == UInt8(ascii: "\"") } == quotes, "an answer has no quote but its own")
    // The answer is a list of the same form as the challenge, so our own reader must find the same values in it.
    let again = try? DigestChallenge.parse(plain.split(separator: "qop=auth").joined(separator: #"qop="auth""#))
    hold(again?.realm == challenge.realm && again?.nonce == challenge.nonce, "an answer reads as it was written")
    let odd = try DigestCredentials(clientID: text(parts[1]), secret: Secret(text: "s3cret")).authorization(
        for: challenge, request: .init(method: "POST", url: text(parts[2])), count: .max
    ).revealText()
    hold(isPrintable(odd), "an answer is one line")
    hold(odd.utf8.count { $0 == UInt8(ascii: "\"") } == quotes, "an answer has no quote but its own")
}
