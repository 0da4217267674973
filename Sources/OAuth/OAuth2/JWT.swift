// The key decides the algorithm, the caller decides type and header members; the token decides nothing about itself.

import Sealing
package import StrictJSON

/// Why a token is not what it must be. No case carries the token or a claim's value.
package enum JWTFault: Error, Equatable, Sendable, CustomStringConvertible {
    /// Larger than ``JWT/maximumSize``.
    case tooLarge
    /// Not three parts of strict base64url with strict JSON objects in the first two.
    case malformed
    /// The header's `alg` is not the key's.
    case wrongAlgorithm
    /// The header's `typ` is not the one expected.
    case wrongType
    /// The header has a member that the caller does not allow.
    case headerNotAllowed(String)
    /// The signature is wrong, or the key is too weak to say.
    case badSignature
    /// No key of the set has this id.
    case unknownKey
    /// A claim is missing, malformed, or not what it must be; the payload is its name.
    case claim(String)
    /// `exp` has passed.
    case expired
    /// `iat` or `nbf` lies in the future.
    case notYetValid

    /// One line for a log, without any value of the request.
    package var description: String {
        switch self {
        case .tooLarge: "token is larger than \(JWT.maximumSize) bytes"
        case .malformed: "token is malformed"
        case .wrongAlgorithm: "token is signed with another algorithm than its key's"
        case .wrongType: "token is of another type"
        case .headerNotAllowed(let name):
            "token header has \"\(DisplayText.sanitised(name, limit: 64))\", which is not allowed"
        case .badSignature: "token signature is wrong"
        case .unknownKey: "token is signed with an unknown key"
        case .claim(let name): "claim \"\(name)\" is missing or wrong"
        case .expired: "token has expired"
        case .notYetValid: "token is not valid yet"
        }
    }
}

/// Compact JWS with JSON claims (RFC 7515, RFC 7519, RFC 8725).
package enum JWT {
    /// How large may a token be, in bytes?
    package static let maximumSize = 8192

    /// Signs claims.
    ///
    /// - Parameters:
    ///   - claims: A JSON object.
    ///   - type: The header's `typ`.
    ///   - key: Decides `alg` and, if it has an id, `kid`.
    ///   - header: Further header members.
    /// - Returns: The token in compact form.
    /// - Throws: `SealingError` when the key fails.
    package static func sign(
        _ claims: JSON, type: String, key: JWTSigningKey, header: [JSON.Member] = []
    ) throws -> String {
        var members = [JSON.Member("typ", .string(type)), JSON.Member("alg", .string(key.algorithm))]
        if let keyID = key.keyID { members.append(JSON.Member("kid", .string(keyID))) }
        let input =
            Base64.encode(JSON.object(members + header).bytes, as: .url) + "." + Base64.encode(claims.bytes, as: .url)
        return input + "." + Base64.encode(try key.sign(Array(input.utf8)), as: .url)
    }

    /// Verifies a token under one key.
    ///
    /// - Parameters:
    ///   - token: The token in compact form.
    ///   - key: Decides which algorithm the header may name.
    ///   - type: What `typ` must be, in any case, with or without `application/`; `nil` when it may be missing or `JWT`.
    ///   - allowedHeaders: The header members the caller takes; `crit`, `jwk`, `jku` and `x5u` only if listed here, and
    ///     then they are the caller's to judge.
    /// - Returns: The claims, a JSON object.
    /// - Throws: ``JWTFault``.
    package static func verify(
        _ token: String, key: JWTVerificationKey, type: String?, allowedHeaders: Set<String> = ["alg", "typ", "kid"]
    ) throws(JWTFault) -> JSON {
        try verify(try CompactToken(token), key: key, type: type, allowedHeaders: allowedHeaders)
    }

    /// Verifies a token under the key of a set that its `kid` names; without `kid` the set must have exactly one key.
    ///
    /// - Throws: ``JWTFault``, ``JWTFault/unknownKey`` when the set has no such key.
    package static func verify(
        _ token: String, keys: [JWTVerificationKey], type: String?,
        allowedHeaders: Set<String> = ["alg", "typ", "kid"]
    ) throws(JWTFault) -> JSON {
        let token = try CompactToken(token)
        let candidates: [JWTVerificationKey]
        switch token.header["kid"] {
        case .none: candidates = keys
        case .string(let keyID): candidates = keys.filter { $0.keyID?.sameBytes(as: keyID) ?? false }
        default: throw .malformed
        }
        guard let key = candidates.first, candidates.count == 1 else { throw .unknownKey }
        return try verify(token, key: key, type: type, allowedHeaders: allowedHeaders)
    }

    static func verify(
        _ token: CompactToken, key: JWTVerificationKey, type: String?,
        allowedHeaders: Set<String> = ["alg", "typ", "kid"]
    ) throws(JWTFault) -> JSON {
        guard let algorithm = token.header["alg"]?.string, key.algorithms.contains(algorithm) else {
            throw .wrongAlgorithm
        }
        for member in token.header.members ?? [] where !allowedHeaders.contains(member.name) {
            throw .headerNotAllowed(member.name)
        }
        guard isType(token.header["typ"], type) else { throw .wrongType }
        guard key.isValid(token.signature, for: token.signedBytes) else { throw .badSignature }
        return token.claims
    }

    /// A claim that is a NumericDate (RFC 7519 §2), which may have a fraction.
    ///
    /// - Returns: Seconds since 1970, bounded so that adding a leeway cannot overflow.
    /// - Throws: ``JWTFault/claim(_:)`` when it is missing or no such number.
    static func seconds(_ name: String, _ claims: JSON) throws(JWTFault) -> Int {
        let number: Double? =
            switch claims[name] {
            case .integer(let integer): Double(integer)
            case .decimal(let decimal): decimal
            default: nil
            }
        guard let number, (0...253_402_300_799).contains(number) else { throw .claim(name) }
        return Int(number)
    }

    /// A claim that is a text of 1 to `limit` bytes.
    ///
    /// - Throws: ``JWTFault/claim(_:)`` when it is missing or no such text.
    static func text(_ name: String, _ claims: JSON, limit: Int = maximumSize) throws(JWTFault) -> String {
        guard let text = claims[name]?.string, (1...limit).contains(text.utf8.count) else { throw .claim(name) }
        return text
    }

    static func isType(_ found: JSON?, _ expected: String?) -> Bool {
        guard let found else { return expected == nil }
        guard let text = found.string?.lowercased() else { return false }
        let expected = (expected ?? "JWT").lowercased()
        return text == expected || text == "application/" + expected
    }
}

/// The three parts of a token, decoded; nothing in it is to be believed yet.
struct CompactToken: Sendable {
    let header: JSON
    let claims: JSON
    let signature: [UInt8]
    let signedBytes: [UInt8]

    init(_ text: String) throws(JWTFault) {
        guard text.utf8.count <= JWT.maximumSize else { throw .tooLarge }
        let parts = Array(text.utf8).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64.decode(parts[0], as: .url),
            let claims = Base64.decode(parts[1], as: .url), let signature = Base64.decode(parts[2], as: .url),
            let header = try? JSON(parsing: header), let claims = try? JSON(parsing: claims),
            header.members != nil, claims.members != nil
        else { throw .malformed }
        self.header = header
        self.claims = claims
        self.signature = signature
        signedBytes = parts[0] + [UInt8(ascii: ".")] + parts[1]
    }
}
