// Form is checked before the consumer is looked up, the signature before the nonce is stored: garbage costs nothing and
// nobody can burn a nonce that is not theirs.

package import Sealing

/// A received request whose OAuth parameters are complete and well-formed, ready to be verified.
///
/// The order for a provider: make this value, look up consumer and token (``VerificationKey/decoy`` and an empty token
/// secret for unknown ones), ``requireMethod(_:)``, ``verify(key:tokenSecret:)``, ``checkTimestamp(now:window:)``, then
/// store the nonce, then trust.
package struct OAuth1Verification: Sendable {
    /// What the request asks for, which decides what parameters it must have.
    package enum Endpoint: Sendable {
        /// First leg (§2.1): `oauth_callback` needed, no token.
        case temporaryCredentials
        /// Third leg (§2.3): token and `oauth_verifier` needed.
        case tokenCredentials
        /// A protected resource (§3.1): token needed.
        case resource
    }

    /// The public identifier of the consumer.
    package let consumerKey: String
    /// The token; `nil` when absent or empty.
    package let token: String?
    /// How the request claims to be signed.
    package let method: SignatureMethod
    /// Seconds since 1970; absent only with PLAINTEXT.
    package let timestamp: Int?
    /// Absent only with PLAINTEXT.
    package let nonce: String?
    /// An absolute URL or exactly `oob`; only for ``Endpoint/temporaryCredentials``.
    package let callback: String?
    /// What the owner was given; only for ``Endpoint/tokenCredentials``.
    package let verifier: Secret?
    /// Whether signature or body hash cover the body, so that a changed body would be noticed.
    package let coversBody: Bool

    private let signature: Secret
    private let baseString: [UInt8]
    private let bodyHashIsRight: Bool

    /// Reads the parameters of a request from its header, form body or query, whichever one has them.
    ///
    /// - Throws: ``OAuth1Refusal`` with status 400 for anything wrong in form, and ``OAuth1Refusal/unsigned`` when there
    ///   is nothing to read.
    package init(_ request: OAuth1Request, endpoint: Endpoint) throws(OAuth1Refusal) {
        let parameters = try ProtocolParameters(request)
        if let version = parameters["oauth_version"], version != "1.0" { throw .versionRejected }
        consumerKey = try parameters.required("oauth_consumer_key")
        guard let method = SignatureMethod(rawValue: try parameters.required("oauth_signature_method")) else {
            throw .signatureMethodRejected
        }
        if method == .plaintext {
            guard parameters.url.scheme == "https" else { throw .signatureMethodRejected }
        }
        self.method = method
        signature = Secret(text: try parameters.required("oauth_signature"))
        (timestamp, nonce) = try Self.freshness(parameters, optional: method == .plaintext)
        token = parameters["oauth_token"].flatMap { $0.isEmpty ? nil : $0 }
        callback = parameters["oauth_callback"]
        verifier = parameters["oauth_verifier"].map { Secret(text: $0) }
        try Self.check(parameters, for: endpoint)

        if let hash = parameters["oauth_body_hash"] {
            // A form body is signed already; two ways to protect it are one too many.
            guard !request.hasFormBody else { throw .parameterRejected(["oauth_body_hash"]) }
            bodyHashIsRight = BodyHash.isValid(hash, for: request.body)
        } else {
            bodyHashIsRight = true
        }
        // PLAINTEXT signs nothing, so nothing covers the body.
        coversBody =
            method != .plaintext
            && (request.body.isEmpty || request.hasFormBody || parameters["oauth_body_hash"] != nil)
        do throws(OAuthError) {
            baseString = try BaseString.bytes(request, parameters.url, parameters.signed)
        } catch {
            throw .malformed(error)
        }
    }

    private static func freshness(
        _ parameters: ProtocolParameters, optional: Bool
    ) throws(OAuth1Refusal) -> (Int?, String?) {
        if optional, parameters["oauth_timestamp"] == nil, parameters["oauth_nonce"] == nil { return (nil, nil) }
        let absent = ["oauth_timestamp", "oauth_nonce"].filter { (parameters[$0] ?? "").isEmpty }
        guard absent.isEmpty, let text = parameters["oauth_timestamp"], let nonce = parameters["oauth_nonce"] else {
            throw .parameterAbsent(absent)
        }
        // Ten digits last until 2286; a leading zero would be a second spelling.
        guard text.isDigits, text.utf8.count <= 10, text.first != "0", let seconds = Int(text) else {
            throw .parameterRejected(["oauth_timestamp"])
        }
        return (seconds, nonce)
    }

    private static func check(_ parameters: ProtocolParameters, for endpoint: Endpoint) throws(OAuth1Refusal) {
        var misplaced: [String]
        switch endpoint {
        case .temporaryCredentials:
            let callback = try parameters.required("oauth_callback")
            guard callback == "oob" || AbsoluteURL(callback) != nil else {
                throw .parameterRejected(["oauth_callback"])
            }
            misplaced = ["oauth_verifier"]
            if parameters["oauth_token"]?.isEmpty == false { misplaced.append("oauth_token") }
        case .tokenCredentials:
            _ = try parameters.required("oauth_token")
            _ = try parameters.required("oauth_verifier")
            // A callback here means nothing; it is signed, and Authlib sends it along.
            misplaced = []
        case .resource:
            _ = try parameters.required("oauth_token")
            misplaced = ["oauth_verifier"]
        }
        misplaced.removeAll { parameters[$0] == nil }
        guard misplaced.isEmpty else { throw .parameterRejected(misplaced) }
    }

    /// Refuses a method that was not agreed with this consumer.
    ///
    /// - Throws: ``OAuth1Refusal/signatureMethodRejected``.
    package func requireMethod(_ allowed: Set<SignatureMethod>) throws(OAuth1Refusal) {
        guard allowed.contains(method) else { throw .signatureMethodRejected }
    }

    /// Whether the signature and, where one is sent, the body hash are right; constant time.
    ///
    /// - Parameters:
    ///   - key: The consumer's key, or ``VerificationKey/decoy`` when there is no such consumer.
    ///   - tokenSecret: The secret of ``token``; `nil` without one.
    /// - Returns: `false` also when the key is of the wrong kind for ``method``.
    package func verify(key: VerificationKey, tokenSecret: Secret?) -> Bool {
        let signatureIsRight = Signature.isValid(
            signature.revealBytes(), for: baseString, method: method, key: key, tokenSecret: tokenSecret)
        return signatureIsRight && bodyHashIsRight
    }

    /// Whether the signature is that of the holder of these shared secrets.
    package func verify(consumerSecret: Secret, tokenSecret: Secret?) -> Bool {
        verify(key: .secret(consumerSecret), tokenSecret: tokenSecret)
    }

    /// Whether the signature is that of the holder of the private key.
    package func verify(publicKey: RSAPublicKey) -> Bool { verify(key: .rsa(publicKey), tokenSecret: nil) }

    /// Refuses a request from too far in the past or in the future.
    ///
    /// - Parameters:
    ///   - now: Seconds since 1970.
    ///   - window: How many seconds a clock may be off either way.
    /// - Throws: ``OAuth1Refusal/timestampRefused(acceptable:)``.
    package func checkTimestamp(now: Int, window: Int = 300) throws(OAuth1Refusal) {
        let acceptable = (now - window)...(now + window)
        guard timestamp.map(acceptable.contains) ?? true else { throw .timestampRefused(acceptable: acceptable) }
    }
}
