// The secret goes into the hash and nowhere else; the header is written from checked values only.

package import Sealing

/// A client's answer to a ``DigestChallenge`` (RFC 7616 §3.4, RFC 2069 §2.1.2).
package struct DigestCredentials: Sendable {
    /// The request the answer is good for.
    package struct Request: Sendable {
        /// The HTTP method.
        package let method: String
        /// The whole URL; its path, and its query unless `coversQuery` is off, are what is hashed.
        package let url: String
        /// Off for the vendor that hashes the path alone, whatever the query holds.
        package let coversQuery: Bool

        /// Names a request.
        package init(method: String, url: String, coversQuery: Bool = true) {
            self.method = method
            self.url = url
            self.coversQuery = coversQuery
        }
    }

    /// The public identifier.
    package let clientID: String
    private let secret: Secret

    /// Gathers credentials.
    package init(clientID: String, secret: Secret) {
        self.clientID = clientID
        self.secret = secret
    }

    /// Writes the `Authorization` header's value.
    ///
    /// - Parameters:
    ///   - challenge: What the server asked for.
    ///   - request: The request the header goes with.
    ///   - count: How many answers have been given to this nonce, this one included.
    ///   - clientNonce: Our share of the hash when there is a `qop`.
    /// - Returns: The value, good for this request alone.
    /// - Throws: ``OAuthError`` when the id, the URL or the nonce cannot stand in the header.
    package func authorization(
        for challenge: DigestChallenge, request: Request, count: UInt32 = 1,
        clientNonce: String = Random.alphanumerics(24)
    ) throws(OAuthError) -> Secret {
        guard let url = AbsoluteURL(request.url) else { throw .badURL(request.url) }
        let query = request.coversQuery ? url.query.map { "?\($0)" } ?? "" : ""
        let target = (url.path.isEmpty ? "/" : url.path) + query
        guard target.isQuotable else { throw .badURL(request.url) }
        guard clientID.isQuotable, !clientID.isEmpty else { throw .malformed("client_id") }
        guard clientNonce.isQuotable else { throw .malformed("cnonce") }
        let hash = challenge.algorithm.hash
        let owner = secret.reveal { hash.digest(Array("\(clientID):\(challenge.realm):".utf8) + $0) }
        let place = Hex.encode(hash.digest("\(request.method):\(target)".utf8))
        let padded = String(count, radix: 16)
        let number = String(repeating: "0", count: 8 - padded.utf8.count) + padded
        let middle = challenge.usesQuality ? "\(challenge.nonce):\(number):\(clientNonce):auth" : challenge.nonce
        let response = Hex.encode(hash.digest("\(Hex.encode(owner)):\(middle):\(place)".utf8))
        var fields = [
            #"username="\#(clientID)""#, #"realm="\#(challenge.realm)""#, #"nonce="\#(challenge.nonce)""#,
            #"uri="\#(target)""#, #"response="\#(response)""#,
        ]
        if challenge.namesAlgorithm { fields.append("algorithm=\(challenge.algorithm.rawValue)") }
        if let opaque = challenge.opaque { fields.append(#"opaque="\#(opaque)""#) }
        if challenge.usesQuality { fields += ["qop=auth", "nc=\(number)", #"cnonce="\#(clientNonce)""#] }
        return Secret(text: "Digest " + fields.joined(separator: ", "))
    }
}
