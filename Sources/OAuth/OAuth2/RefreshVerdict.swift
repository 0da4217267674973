// A refresh token is given up only on the provider's own clear word; everything else is waited out or asked about.

import StrictJSON

/// What came of an attempt to refresh.
package enum RefreshOutcome: Sendable {
    /// A whole reply.
    case reply(status: Int, contentType: String?, retryAfter: String?, body: [UInt8])
    /// The request never left: name resolution, connection or TLS handshake failed.
    case notSent(reason: String)
    /// The request left and no whole reply came: the provider may have rotated the token.
    case ambiguous(reason: String)
}

/// What a refresher must make of it. Reasons are fit for a log.
package enum RefreshVerdict: Sendable {
    /// New tokens.
    case refreshed(TokenReply)
    /// The grant is dead; only the owner can give a new one.
    case needsApproval(reason: String)
    /// The grant is probably dead; try a few times before asking the owner.
    case probablyRevoked(reason: String)
    /// The client itself is refused, so all its grants are; break the circuit and delete nothing.
    case clientBroken(reason: String)
    /// The request is wrong and will stay wrong; stop and tell a person.
    case configuration(reason: String)
    /// It will pass; seconds to wait when the provider said so, 1 to 3600.
    case transient(retryAfter: Int?)
    /// The token may have been rotated; try the same one again at once, once.
    case ambiguous(reason: String)
    /// This is not how a token endpoint answers (login wall, redirect, garbage); store nothing, back off, tell a person
    /// if it lasts.
    case suspicious(reason: String)

    /// What a provider's own error code can mean; the raw values stand in profiles.
    package enum Meaning: String, Sendable, CaseIterable {
        case needsApproval = "needs_approval"
        case probablyRevoked = "probably_revoked"
        case clientBroken = "client_broken"
        case configuration
        case transient
    }

    /// How one provider's replies are read.
    package struct Options: Sendable {
        /// How a successful reply is read.
        package var reply = TokenReplyOptions()
        /// What the provider's own codes mean; wins over the RFC's.
        package var errorMap: [String: Meaning] = [:]
        /// Where its error codes stand, member by member.
        package var errorPaths: [[String]] = [["error"]]
        /// What a 400 or 401 without any code means; glewlwyd and SmartThings answer so to a dead refresh token.
        package var withoutCode = Meaning.probablyRevoked

        /// The reading of the RFCs.
        package init() {}
    }

    /// Classifies an outcome.
    ///
    /// `now` is seconds since 1970, to read a `Retry-After` that is a date.
    package static func classify(
        _ outcome: RefreshOutcome, options: Options = Options(), now: Int
    ) -> RefreshVerdict {
        switch outcome {
        case .notSent: return .transient(retryAfter: nil)
        case .ambiguous(let reason): return .ambiguous(reason: DisplayText.sanitised(reason))
        case .reply(let status, let contentType, let retryAfter, let body):
            let wait = retryAfter.flatMap { RetryAfter.parse($0, now: now) }
            guard body.count <= TokenReply.maximumSize else {
                return .suspicious(reason: "reply larger than \(TokenReply.maximumSize) bytes")
            }
            let json = JSON(reply: body, orForm: options.reply.takesForms)
            let error = json.flatMap { TokenError.parse($0, paths: options.errorPaths) }
            if 200..<300 ~= status { return success(json, error, contentType, options, wait) }
            if let error, let meaning = options.errorMap[error.code] {
                return verdict(meaning, reason(error, status), wait)
            }
            switch status {
            case 300..<400: return .suspicious(reason: "redirect (status \(status)) from the token endpoint")
            case 408, 425, 429, 500...599: return .transient(retryAfter: wait)
            case 400, 401, 403: return refusal(status, error, body, options, wait)
            default: return .suspicious(reason: "status \(status)")
            }
        }
    }

    private static func success(
        _ json: JSON?, _ code: TokenError?, _ contentType: String?, _ options: Options, _ wait: Int?
    ) -> RefreshVerdict {
        guard let json else {
            let type = DisplayText.sanitised(mediaType(contentType) ?? "no content type", limit: 60)
            return .suspicious(reason: "success that is not JSON (\(type))")
        }
        do throws(OAuthError) {
            return .refreshed(try TokenReply.parse(json, options: options.reply))
        } catch {
            // Some providers put errors into a 200; a known code is as clear there as in a 400.
            guard let code, let meaning = options.errorMap[code.code] ?? standard(code.code) else {
                return .suspicious(reason: "success without tokens: \(error)")
            }
            return verdict(meaning, "\(code.code) in a success", wait)
        }
    }

    private static func refusal(
        _ status: Int, _ error: TokenError?, _ body: [UInt8], _ options: Options, _ wait: Int?
    ) -> RefreshVerdict {
        if let error {
            return verdict(standard(error.code) ?? .probablyRevoked, reason(error, status), wait)
        }
        guard status == 403 else {
            return verdict(options.withoutCode, "status \(status) without an error code", wait)
        }
        // glewlwyd answers a wrong client secret so; a page behind a 403 is somebody else's.
        return body.isEmpty
            ? .clientBroken(reason: "status 403 without a body")
            : .suspicious(reason: "status 403 without an error code")
    }

    private static func reason(_ error: TokenError, _ status: Int) -> String {
        let reason = "\(error.code) (status \(status))"
        return advice(error.code).map { "\(reason): \($0)" } ?? reason
    }

    /// What a person can look at, for codes that do not say it themselves.
    private static func advice(_ code: String) -> String? {
        switch code {
        case "use_dpop_nonce": "the provider asks for another DPoP nonce than the one it has just given"
        case "invalid_dpop_proof": "the provider does not take our DPoP proof; check this machine's clock and the key"
        default: nil
        }
    }

    /// What the RFCs' own codes mean to a refresher.
    private static func standard(_ code: String) -> Meaning? {
        switch code {
        case "invalid_grant", "expired_token", "consent_required", "interaction_required", "login_required":
            .needsApproval
        case "invalid_client": .clientBroken
        // Whoever sends the request has tried the nonce once, so a nonce asked for again does not help.
        case "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_request", "invalid_target",
            "use_dpop_nonce", "invalid_dpop_proof":
            .configuration
        case "slow_down", "temporarily_unavailable", "server_error": .transient
        default: nil
        }
    }

    private static func verdict(_ meaning: Meaning, _ reason: String, _ wait: Int?) -> RefreshVerdict {
        switch meaning {
        case .needsApproval: .needsApproval(reason: reason)
        case .probablyRevoked: .probablyRevoked(reason: reason)
        case .clientBroken: .clientBroken(reason: reason)
        case .configuration: .configuration(reason: reason)
        case .transient: .transient(retryAfter: wait)
        }
    }
}
