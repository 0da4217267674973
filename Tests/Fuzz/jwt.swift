// First line a token, second claims. Only what a key signed is believed, and claims signed here come back as they were.

import OAuth
import Sealing
import StrictJSON

/// Public examples: RFC 7515 A.2 (RSA) and A.3 (P-256), RFC 8037 A.1 (Ed25519); the seeds hold tokens made with them.
let exampleKeys: [JWTVerificationKey] = {
    let set = """
        {"keys": [
        {"kty": "RSA", "kid": "a2", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-\
        Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX\
        ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud\
        F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
        {"kty": "EC", "kid": "a3", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
        {"kty": "OKP", "kid": "a1", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
        """
    return (try? JWKSet(parsing: Array(set.utf8)))?.keys ?? []
}()

/// The private half of the Ed25519 example, RFC 8032 §7.1 test 1.
let exampleKey: JWTSigningKey? = Hex.decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    .flatMap { try? Ed25519PrivateKey(seed: Secret($0)) }.map { .ed25519($0, keyID: "a1") }

func jwt(_ input: [UInt8]) throws {
    let parts = lines(input, 2)
    let token = text(parts[0])
    hold(exampleKeys.count == 3, "the example keys can be read")
    if let claims = try? JWT.verify(token, keys: exampleKeys, type: nil) {
        hold(token.utf8.count <= JWT.maximumSize && claims.members != nil, "a token is bounded, its claims an object")
    }
    _ = try? AccessTokenClaims.verify(
        token, keys: exampleKeys, issuer: "https://home.example", audience: "https://api.example", now: 1_700_000_000)
    guard let key = exampleKey, let claims = try? JSON(parsing: parts[1]), claims.members != nil else { return }
    let signed = try JWT.sign(claims, type: AccessTokenClaims.type, key: key)
    if signed.utf8.count <= JWT.maximumSize {
        let verified = try? JWT.verify(signed, keys: exampleKeys, type: AccessTokenClaims.type)
        hold(verified == claims, "signed claims come back as they were")
        hold((try? JWT.verify(signed, keys: exampleKeys, type: nil)) == nil, "an access token is nothing else")
    }
    guard let read = try? AccessTokenClaims(json: claims) else { return }
    hold((try? AccessTokenClaims(json: read.json)) == read, "claims written again read the same")
    hold(!read.audience.isEmpty && !read.issuer.isEmpty, "claims have an issuer and an audience")
}
