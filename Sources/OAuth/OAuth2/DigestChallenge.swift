// A challenge is a stranger's text that comes back in our header: what could end a quoted value there is refused here.

import Sealing

/// A server's demand for HTTP Digest authentication (RFC 7616 §3.3).
package struct DigestChallenge: Sendable, Equatable {
    /// The hash functions a challenge may name (RFC 7616 §6.1).
    package enum Algorithm: String, Sendable {
        case md5 = "MD5"
        case sha256 = "SHA-256"

        var hash: HashFunction {
            switch self {
            case .md5: .md5
            case .sha256: .sha256
            }
        }
    }

    /// How large may the header be, in bytes?
    package static let maximumSize = 8192

    /// The protection space, which is part of what is hashed.
    package let realm: String
    /// What makes the answer good for a while only.
    package let nonce: String
    /// Goes back as it came.
    package let opaque: String?
    /// MD5 when the challenge names none.
    package let algorithm: Algorithm
    /// Whether the answer has to say ``algorithm``.
    package let namesAlgorithm: Bool
    /// Whether the answer has `qop=auth`; without it, it is the one of RFC 2069.
    package let usesQuality: Bool
    /// Whether only the nonce of the last answer was too old, so that id and secret may well be right.
    package let isStale: Bool

    /// Reads a `WWW-Authenticate` header, or several joined by commas; the first Digest challenge that can be answered
    /// counts (§3.7).
    ///
    /// - Throws: ``OAuthError/missing(_:)`` for a header without Digest and a challenge without nonce or realm,
    ///   ``OAuthError/unsupported(_:)`` for an algorithm other than MD5 and SHA-256 and a `qop` without `auth`, and others
    ///   for text that is no challenge.
    package static func parse(_ header: String) throws(OAuthError) -> DigestChallenge {
        guard header.utf8.count <= maximumSize else {
            throw .tooLarge("WWW-Authenticate header", limit: maximumSize)
        }
        guard let challenges = ChallengeList.parse(header) else {
            throw .malformedEncoding("WWW-Authenticate header")
        }
        var fault = OAuthError.missing("Digest challenge")
        var isFirst = true
        for challenge in challenges where challenge.scheme.lowercased() == "digest" {
            do throws(OAuthError) {
                return try DigestChallenge(challenge.parameters)
            } catch {
                if isFirst { fault = error }
                isFirst = false
            }
        }
        throw fault
    }

    private init(_ parameters: [Parameter]) throws(OAuthError) {
        if let name = parameters.repeatedName() { throw .repeated(name) }
        for parameter in parameters where ["realm", "nonce", "opaque"].contains(parameter.name) {
            guard parameter.value.isQuotable else { throw .malformed(parameter.name) }
        }
        guard let realm = parameters.first("realm") else { throw .missing("realm") }
        guard let nonce = parameters.first("nonce"), !nonce.isEmpty else { throw .missing("nonce") }
        let name = parameters.first("algorithm")
        switch name?.uppercased() {
        case nil, Algorithm.md5.rawValue: algorithm = .md5
        case Algorithm.sha256.rawValue: algorithm = .sha256
        default: throw .unsupported("algorithm")
        }
        guard algorithm.hash.isAvailable else { throw .unsupported("algorithm") }
        let qualities = (parameters.first("qop") ?? "").split(separator: ",").map { $0.trimmed.lowercased() }
        guard qualities.isEmpty || qualities.contains("auth") else { throw .unsupported("qop") }
        self.realm = realm
        self.nonce = nonce
        opaque = parameters.first("opaque")
        namesAlgorithm = name != nil
        usesQuality = !qualities.isEmpty
        isStale = parameters.first("stale")?.lowercased() == "true"
    }
}

extension String {
    /// Whether the text can stand between quotes in a header as it is.
    var isQuotable: Bool { isPrintableASCII && !utf8.contains { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") } }
}
