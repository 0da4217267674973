// Every way to refuse a signed request has one status and one code, and says which parameters, never their values.

/// Why a provider refuses a request (RFC 5849 §3.2), with the code of the Problem Reporting extension.
package enum OAuth1Refusal: Error, Equatable, Sendable, CustomStringConvertible {
    /// The request carries no OAuth parameter at all.
    case unsigned
    /// The header, the query or the body cannot be read.
    case malformed(OAuthError)
    /// Parameters that must be there are not.
    case parameterAbsent([String])
    /// Parameters are repeated, in two places, unknown, malformed, or out of place here.
    case parameterRejected([String])
    /// `oauth_version` is not `1.0`.
    case versionRejected
    /// The signature method is unknown, not allowed for this consumer, or PLAINTEXT without TLS.
    case signatureMethodRejected
    /// The timestamp is outside the window, given in seconds since 1970.
    case timestampRefused(acceptable: ClosedRange<Int>)
    /// The nonce was used before.
    case nonceUsed
    /// The signature is wrong.
    case signatureInvalid
    /// There is no such consumer.
    case consumerKeyUnknown
    /// The consumer exists, but may not.
    case consumerKeyRefused
    /// The token is unknown, or another consumer's, or of the wrong kind for this endpoint.
    case tokenRejected
    /// The token was good once and is too old.
    case tokenExpired
    /// The token was withdrawn.
    case tokenRevoked
    /// The request token was exchanged before.
    case tokenUsed
    /// The verifier is not the one the owner was given.
    case verifierInvalid
    /// The owner said no.
    case userRefused
    /// The token is good but does not allow this.
    case permissionDenied

    /// The HTTP status: 400 for a request that is wrong in form, 401 for wrong credentials, 403 for right ones that do
    /// not suffice.
    package var status: Int {
        switch self {
        case .malformed, .parameterAbsent, .parameterRejected, .versionRejected, .signatureMethodRejected: 400
        case .permissionDenied: 403
        default: 401
        }
    }

    /// The value of `oauth_problem`.
    package var problem: String {
        switch self {
        case .unsigned, .parameterAbsent: "parameter_absent"
        case .malformed, .parameterRejected: "parameter_rejected"
        case .versionRejected: "version_rejected"
        case .signatureMethodRejected: "signature_method_rejected"
        case .timestampRefused: "timestamp_refused"
        case .nonceUsed: "nonce_used"
        case .signatureInvalid: "signature_invalid"
        case .consumerKeyUnknown: "consumer_key_unknown"
        case .consumerKeyRefused: "consumer_key_refused"
        case .tokenRejected: "token_rejected"
        case .tokenExpired: "token_expired"
        case .tokenRevoked: "token_revoked"
        case .tokenUsed: "token_used"
        case .verifierInvalid: "verifier_invalid"
        case .userRefused: "user_refused"
        case .permissionDenied: "permission_denied"
        }
    }

    /// The report's parameters.
    package var report: [Parameter] {
        let detail: Parameter? =
            switch self {
            case .parameterAbsent(let names): Parameter("oauth_parameters_absent", Self.list(names))
            case .parameterRejected(let names): Parameter("oauth_parameters_rejected", Self.list(names))
            case .versionRejected: Parameter("oauth_acceptable_versions", "1.0-1.0")
            case .timestampRefused(let range):
                Parameter("oauth_acceptable_timestamps", "\(range.lowerBound)-\(range.upperBound)")
            default: nil
            }
        return [Parameter("oauth_problem", problem)] + [detail].compactMap(\.self)
    }

    /// The report as a form body.
    package var formBody: String { FormCoding.encode(report) }

    /// The `WWW-Authenticate` header that goes with it.
    package func challenge(realm: String) -> String { AuthorizationHeader(realm: realm, parameters: report).text }

    /// One line for a log, without any value of the request.
    package var description: String {
        switch self {
        case .malformed(let error): "\(problem): \(error)"
        case .parameterAbsent(let names), .parameterRejected(let names):
            "\(problem): \(DisplayText.sanitised(names.joined(separator: ", ")))"
        default: problem
        }
    }

    private static func list(_ names: [String]) -> String {
        names.map { PercentEncoding.encode($0) }.joined(separator: "&")
    }
}
