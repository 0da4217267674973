// A problem report is a hint from a stranger: it may steer a retry or a message, never widen trust.

/// What a provider says went wrong (Problem Reporting extension).
package struct OAuthProblem: Sendable, Equatable {
    /// The code, such as `timestamp_refused`; made fit for a log.
    package let code: String
    /// A sentence for people; made fit for a log.
    package let advice: String?
    /// The timestamps the provider would take, in seconds since 1970.
    package let acceptableTimestamps: ClosedRange<Int>?

    /// Whether our clock is the trouble, so that one retry with a corrected one makes sense.
    package var isAboutTime: Bool { code == "timestamp_refused" }

    /// Whether only the owner's renewed approval can help.
    package var needsApproval: Bool {
        ["token_expired", "token_revoked", "token_rejected", "token_used", "permission_denied", "user_refused"]
            .contains(code)
    }

    /// Whether the consumer is refused, and with it every grant of it: an unknown key, or a secret that is not the
    /// provider's any more.
    package var isAboutConsumer: Bool {
        ["signature_invalid", "consumer_key_unknown", "consumer_key_rejected", "consumer_key_refused"].contains(code)
    }

    /// Reads the report from a reply's body, or else from its `WWW-Authenticate` header.
    ///
    /// - Returns: `nil` when neither holds a report.
    package static func parse(_ body: some Collection<UInt8>, wwwAuthenticate: String? = nil) -> OAuthProblem? {
        let text = String(decoding: Array(body.prefix(8192)).withoutByteOrderMark, as: UTF8.self).trimmed
        if let problem = (try? FormCoding.parse(text)).flatMap({ OAuthProblem($0) }) { return problem }
        guard let wwwAuthenticate, let header = try? AuthorizationHeader.parse(wwwAuthenticate) else { return nil }
        return OAuthProblem(header.parameters)
    }

    init?(_ parameters: [Parameter]) {
        guard let code = parameters.first("oauth_problem"), !code.isEmpty else { return nil }
        self.code = DisplayText.sanitised(code, limit: 64)
        advice = parameters.first("oauth_problem_advice").map { DisplayText.sanitised($0) }
        let bounds = (parameters.first("oauth_acceptable_timestamps") ?? "").split(separator: "-")
        if bounds.count == 2, let low = Int(bounds[0]), let high = Int(bounds[1]), low <= high {
            acceptableTimestamps = low...high
        } else {
            acceptableTimestamps = nil
        }
    }
}
