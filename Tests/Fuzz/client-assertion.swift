// An assertion that verifies is bounded in age and id, and one made here is good for its audience only.

import OAuth
import Sealing

func clientAssertion(_ input: [UInt8]) throws {
    let parts = lines(input, 2).map(text)
    let (issuer, now) = ("https://home.example", 1_700_000_000)
    if let read = try? ClientAssertion(parsing: parts[0]) {
        hold(!read.clientID.isEmpty, "an assertion names a client")
        if let verified = try? read.verify(keys: exampleKeys, issuer: issuer, now: now) {
            hold((1...256).contains(verified.id.utf8.count), "jti has 1 to 256 bytes")
            hold((now...now + 700).contains(verified.expiresAt), "an assertion is to be remembered for minutes")
        }
    }
    guard let key = exampleKey, !parts[1].isEmpty else { return }
    let made = try ClientAssertion.make(clientID: parts[1], audience: issuer, key: key, now: now).revealText()
    guard made.utf8.count <= JWT.maximumSize else { return }
    let read = try? ClientAssertion(parsing: made)
    hold(isSame(read?.clientID, parts[1]), "an assertion made here can be read")
    hold((try? read?.verify(keys: exampleKeys, issuer: issuer, now: now)) != nil, "an assertion made here verifies")
    hold((try? read?.verify(keys: exampleKeys, issuer: issuer + "/", now: now)) == nil, "it has one audience")
    hold((try? read?.verify(keys: exampleKeys, issuer: issuer, now: now + 100)) == nil, "it ends")
}
