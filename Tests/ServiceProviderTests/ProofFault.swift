// Every way to get a proof wrong that the FAPI conformance suite tries, once for all endpoints.

import Sealing
import StrictJSON

/// What is wrong with a proof of possession, or with how many there are.
enum ProofFault: String, CaseIterable, Sendable, CustomStringConvertible {
    case absent = "no proof"
    case twice = "the header twice"
    case joined = "two proofs in one header"
    case garbage = "no token"
    case noType = "no typ"
    case otherType = "typ JWT"
    case unsigned = "alg none"
    case symmetric = "HS256 under a secret of its own"
    case symmetricUnderPublicKey = "HS256 under the public key"
    case otherAlgorithm = "an alg that the key has not"
    case unsupportedAlgorithm = "an alg that is not supported"
    case unsupportedKey = "a key of a kind that is not supported"
    case noKey = "no jwk"
    case privateKey = "the private key in the jwk"
    case badSignature = "a signature of another key"
    case changedClaim = "a claim that was changed after signing"
    case critical = "crit"
    case noID = "no jti"
    case noMethod = "no htm"
    case noTarget = "no htu"
    case noTime = "no iat"
    case otherMethod = "another htm"
    case lowerMethod = "htm in lower case"
    case otherPath = "another path in htu"
    case otherHost = "another host in htu"
    case otherScheme = "another scheme in htu"
    case old = "iat an hour ago"
    case early = "iat in an hour"
    case textTime = "iat as text"
    case noNonce = "no nonce"
    case foreignNonce = "a nonce of somebody else"
    // At a protected resource only.
    case noHash = "no ath"
    case otherHash = "ath of another token"
    case hexHash = "ath in hexadecimal"

    var description: String { rawValue }

    /// Those that make sense where no token is presented.
    static let withoutToken = allCases.filter { ![.noHash, .otherHash, .hexHash].contains($0) }

    /// Whether the answer asks for another nonce instead of calling the proof bad.
    var isAboutNonce: Bool { self == .noNonce || self == .foreignNonce }

    /// The proofs that are sent in place of a right one.
    func spoil(_ proof: LooseProof) throws -> [String] {
        switch self {
        case .absent: []
        case .twice: [try proof.text, try proof.claim("jti", "another").text]
        case .joined: [try proof.text + ", " + proof.claim("jti", "another").text]
        case .garbage: ["x.y.z"]
        case .noType: [try proof.header("typ", nil).text]
        case .otherType: [try proof.header("typ", "JWT").text]
        case .unsigned: [proof.header("alg", "none").text { _ in [] }]
        case .symmetric:
            [
                proof.header("alg", "HS256")
                    .header("jwk", ["kty": "oct", "k": .string(Base64.encode([1, 2, 3], as: .url))])
                    .text { HMAC.code($0, key: Secret([1, 2, 3]), hash: .sha256) }
            ]
        case .symmetricUnderPublicKey:
            [
                proof.header("alg", "HS256").text {
                    HMAC.code($0, key: Secret(proof.header("jwk")?.bytes ?? []), hash: .sha256)
                }
            ]
        case .otherAlgorithm: [try proof.header("alg", "RS256").text]
        case .unsupportedAlgorithm: [try proof.header("alg", "ES512").text]
        case .unsupportedKey:
            [try proof.header("jwk", ["kty": "EC", "crv": "secp256k1", "x": "AQAB", "y": "AQAB"]).text]
        case .noKey: [try proof.header("jwk", nil).text]
        case .privateKey:
            [try proof.header("jwk", .object((proof.header("jwk")?.members ?? []) + [JSON.Member("d", "AQAB")])).text]
        case .badSignature: [try proof.text { try P256PrivateKey().sign($0) }]
        case .changedClaim:
            [
                try Self.joined(
                    header: try proof.text, claims: try proof.claim("jti", "another").text,
                    signature: try proof.text)
            ]
        case .critical: [try proof.header("crit", ["exp"]).text]
        case .noID: [try proof.claim("jti", nil).text]
        case .noMethod: [try proof.claim("htm", nil).text]
        case .noTarget: [try proof.claim("htu", nil).text]
        case .noTime: [try proof.claim("iat", nil).text]
        case .otherMethod: [try proof.claim("htm", "PUT").text]
        case .lowerMethod: [try proof.claim("htm", .string(Self.text(proof, "htm").lowercased())).text]
        case .otherPath: [try proof.claim("htu", .string(Self.text(proof, "htu") + "/more")).text]
        case .otherHost: [try proof.claim("htu", .string("http://evil.example" + Self.path(proof))).text]
        case .otherScheme: [try proof.claim("htu", .string("https" + Self.text(proof, "htu").dropFirst(4))).text]
        case .old: [try proof.claim("iat", .integer(Self.time(proof) - 3600)).text]
        case .early: [try proof.claim("iat", .integer(Self.time(proof) + 3600)).text]
        case .textTime: [try proof.claim("iat", .string(String(Self.time(proof)))).text]
        case .noNonce: [try proof.claim("nonce", nil).text]
        case .foreignNonce: [try proof.claim("nonce", .string(Random.alphanumerics(32))).text]
        case .noHash: [try proof.claim("ath", nil).text]
        case .otherHash:
            [
                try proof.claim(
                    "ath", .string(Base64.encode(HashFunction.sha256.digest(Array("other".utf8)), as: .url))
                ).text
            ]
        case .hexHash:
            [
                try proof.claim(
                    "ath", .string(Hex.encode(Base64.decode(Self.text(proof, "ath"), as: .url) ?? []))
                ).text
            ]
        }
    }

    private static func text(_ proof: LooseProof, _ claim: String) -> String { proof.claim(claim)?.string ?? "" }

    private static func path(_ proof: LooseProof) -> String {
        "/" + text(proof, "htu").split(separator: "/").dropFirst(2).joined(separator: "/")
    }

    private static func time(_ proof: LooseProof) -> Int64 { proof.claim("iat")?.integer ?? 0 }

    private static func joined(header: String, claims: String, signature: String) throws -> String {
        let parts = [header, claims, signature].map { $0.split(separator: ".") }
        return [parts[0][0], parts[1][1], parts[2][2]].joined(separator: ".")
    }
}
