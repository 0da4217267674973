// A body that is no form is not signed by OAuth 1.0a itself; its hash, sent as a parameter, is.

package import Sealing

/// The Request Body Hash extension: `oauth_body_hash`.
package enum BodyHash {
    /// Which functions may a consumer choose? Not MD5: anybody can make two bodies of one hash with it.
    private static let functions: [HashFunction] = [.sha1, .sha256, .sha512]

    /// The hash of a body in base64.
    package static func make(_ body: [UInt8], hash: HashFunction) -> String {
        Base64.encode(hash.digest(body), as: .standard)
    }

    /// Whether `text` is the hash of the body, by whichever of SHA-1, SHA-256 and SHA-512 has digests of that length.
    package static func isValid(_ text: String, for body: [UInt8]) -> Bool {
        guard let digest = Base64.decode(text, as: .standard),
            let hash = functions.first(where: { $0.digestCount == digest.count })
        else { return false }
        return ConstantTime.equal(digest, hash.digest(body))
    }
}
