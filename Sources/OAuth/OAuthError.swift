// An error names the parameter, member or limit that is wrong; it never carries the value, which may be a secret.

/// Why a request cannot be built or a reply cannot be trusted.
///
/// What a server answers to a bad request is ``OAuth1Refusal`` and ``OAuth2Refusal``, because those have a form on the wire.
package enum OAuthError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Text is not what its encoding demands; the payload names the encoding.
    case malformedEncoding(String)
    /// A URL is not absolute, not ASCII, or of a scheme that cannot be used; the payload is cut before the query.
    case malformedURL(String)
    /// Something is larger than it may be; the limit is in bytes.
    case tooLarge(String, limit: Int)
    /// A parameter or member that must be there is not.
    case missing(String)
    /// A parameter that may come once came more often.
    case repeated(String)
    /// A parameter or member has a form it must not have.
    case malformed(String)
    /// A parameter or member demands what is not done here.
    case unsupported(String)
    /// The provider did not confirm the callback: it speaks OAuth 1.0 without the fix of 1.0a.
    case callbackNotConfirmed
    /// The redirect carries no or another `state` than the one this transaction started with.
    case stateMismatch
    /// The redirect comes from another issuer than the one this transaction started with, or from nobody in particular.
    case issuerMismatch
    /// The document speaks for another API than the one it was fetched for.
    case resourceMismatch
    /// An endpoint is neither https nor on the loopback interface.
    case insecureEndpoint(String)
    /// The key is of a kind that the signature method does not use.
    case keyMismatch(SignatureMethod)
    /// PLAINTEXT was asked for where everybody could read it.
    case plaintextWithoutTLS
    /// The provider answered with an OAuth 1 problem report.
    case problem(OAuthProblem)
    /// The reply is well-formed, but says that the request failed.
    case unsuccessful

    /// One line for a log, without any value of the request.
    package var description: String {
        switch self {
        case .malformedEncoding(let encoding): "malformed \(encoding)"
        case .malformedURL(let url): "unusable URL \"\(url)\""
        case .tooLarge(let what, let limit): "\(what) larger than \(limit) bytes"
        case .missing(let name): "\"\(name)\" is missing"
        case .repeated(let name): "\"\(name)\" more than once"
        case .malformed(let name): "\"\(name)\" is malformed"
        case .unsupported(let name): "\"\(name)\" demands what is not supported"
        case .callbackNotConfirmed: "provider did not confirm the callback"
        case .stateMismatch: "redirect does not carry the state it was started with"
        case .issuerMismatch: "redirect does not come from the issuer it was started with"
        case .resourceMismatch: "metadata does not speak for the API it was fetched for"
        case .insecureEndpoint(let name): "\"\(name)\" is neither https nor on this machine"
        case .keyMismatch(let method): "key does not fit the signature method \(method.rawValue)"
        case .plaintextWithoutTLS: "PLAINTEXT needs https"
        case .problem(let problem): "provider reports \"\(problem.code)\""
        case .unsuccessful: "reply reports a failure"
        }
    }

    static func badURL(_ text: String) -> OAuthError {
        .malformedURL(DisplayText.sanitised(String(text.prefix { $0 != "?" && $0 != "#" })))
    }
}
