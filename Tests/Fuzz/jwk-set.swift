// A key that is taken is written as the same key, and a private one is never taken.

import OAuth
import StrictJSON

func jwkSet(_ input: [UInt8]) throws {
    for set in [try? JWKSet(parsing: input), try? JWKSet(parsingKeyFile: input)] {
        guard let set else { continue }
        let again = try? JWKSet(parsing: set.json.bytes)
        hold(again?.keys.map(\.thumbprint) == set.keys.map(\.thumbprint), "a key written again is the same key")
        hold(again?.keys.map(\.keyID) == set.keys.map(\.keyID), "a key written again has the same id")
        hold(!text(set.json.bytes).contains(#""d":"#), "no private key is written")
    }
}
