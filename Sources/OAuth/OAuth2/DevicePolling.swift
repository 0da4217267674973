// A device asks no more often than it was told, and stops only on the provider's clear word or at the end of its code.

/// The questions of a device that waits for its approval (RFC 8628 §3.4, §3.5), without clock and connection.
///
/// Ask first after ``interval`` seconds, hand in what came back, and do what ``received(_:elapsed:now:)`` says. Once it has
/// said ``Step/finish(_:)`` or ``Step/stop(_:)`` there is nothing more to ask.
package struct DevicePolling: Sendable {
    /// What to do next.
    package enum Step: Sendable {
        /// Ask again after so many seconds, 1 to 3600.
        case wait(seconds: Int)
        /// The owner approved; the raw body that was handed in holds these tokens.
        case finish(TokenReply)
        /// Do not ask again.
        case stop(Stop)
    }

    /// Why there will be no tokens.
    package enum Stop: Sendable, Equatable {
        /// The owner said no.
        case denied
        /// Nobody approved in time.
        case expired
        /// The provider does not take the request; the code is fit for a log.
        case refused(code: String)
        /// Time and again something answered that is no token endpoint; the reason is fit for a log.
        case suspicious(reason: String)
    }

    /// What a provider's own error code can mean; the raw values are the RFC's codes, and stand in profiles.
    package enum Meaning: String, Sendable, CaseIterable {
        case authorizationPending = "authorization_pending"
        case slowDown = "slow_down"
        case accessDenied = "access_denied"
        case expiredToken = "expired_token"
    }

    /// How one provider's replies are read.
    package struct Options: Sendable {
        /// How a successful reply is read.
        package var reply = TokenReplyOptions()
        /// What the provider's own codes mean; wins over the RFC's.
        package var errorMap: [String: Meaning] = [:]
        /// Where its error codes stand, as for ``TokenError/parse(_:paths:)-([UInt8],_)``.
        package var errorPaths: [[String]] = [["error"]]

        /// The reading of the RFC.
        package init() {}
    }

    /// How many seconds does each `slow_down` add for good (§3.5)?
    package static let slowDown = 5
    /// How many answers in a row may be no answers before somebody must look?
    package static let maximumSuspicious = 5
    /// Up to how many seconds does waiting grow while the provider cannot be reached? The owner sits in front of it.
    private static let longestBackoff = 60

    /// Seconds between two questions, 1 to 3600; only ever grows.
    package private(set) var interval: Int
    private let lifetime: Int
    private let options: Options
    private var failures = 0
    private var suspicious = 0
    private var stop: Stop?

    /// Starts with what the provider said, cut to 1 to 3600 seconds between questions and a day for the whole.
    package init(interval: Int, lifetime: Int, options: Options = Options()) {
        self.interval = Self.clamped(interval)
        self.lifetime = min(max(lifetime, 1), 86400)
        self.options = options
    }

    /// Starts with a provider's reply.
    package init(_ reply: DeviceAuthorizationReply, options: Options = Options()) {
        self.init(interval: reply.interval, lifetime: reply.expiresIn, options: options)
    }

    /// Takes what came of a question.
    ///
    /// - Parameters:
    ///   - outcome: A whole reply, or why there is none.
    ///   - elapsed: The time since the request for the device code was sent.
    ///   - now: Seconds since 1970, to read a `Retry-After` that is a date.
    /// - Returns: What to do next; the same for ever once it is to stop.
    package mutating func received(_ outcome: RefreshOutcome, elapsed: Duration, now: Int) -> Step {
        if let stop { return .stop(stop) }
        let remaining = lifetime - min(max(Int(clamping: elapsed.components.seconds), 0), lifetime)
        let step: Step
        switch outcome {
        case .notSent, .ambiguous: step = backOff(nil, remaining)
        case .reply(let status, _, let retryAfter, let body):
            let wait = retryAfter.flatMap { RetryAfter.parse($0, now: now) }
            step = answered(DeviceAnswer(status: status, body: body, options: options), wait, remaining)
        }
        switch step {
        case .wait where remaining == 0: return ended(.expired)
        case .stop(let reason): return ended(reason)
        case .wait, .finish: return step
        }
    }

    private mutating func answered(_ answer: DeviceAnswer, _ wait: Int?, _ remaining: Int) -> Step {
        switch answer {
        case .tokens(let reply): return .finish(reply)
        case .meaning(let meaning, let newInterval):
            (failures, suspicious) = (0, 0)
            switch meaning {
            case .authorizationPending: return pause(atLeast: wait, remaining)
            case .slowDown:
                interval = Self.clamped(max(interval + Self.slowDown, newInterval ?? 0))
                return pause(atLeast: wait, remaining)
            case .accessDenied: return .stop(.denied)
            case .expiredToken: return .stop(.expired)
            }
        case .unavailable: return backOff(wait, remaining)
        case .refused(let code):
            // A code that died of age may be forgotten by the time we ask.
            return .stop(code == "invalid_grant" && remaining == 0 ? .expired : .refused(code: code))
        case .suspicious(let reason):
            suspicious += 1
            guard suspicious < Self.maximumSuspicious else { return .stop(.suspicious(reason: reason)) }
            return pause(atLeast: wait, remaining)
        }
    }

    /// Each failure doubles the wait, up to where one more would only annoy, and not beyond the end of the code.
    private mutating func backOff(_ wait: Int?, _ remaining: Int) -> Step {
        failures = min(failures + 1, 10)
        let doubled = min(interval << failures, max(interval, Self.longestBackoff))
        return pause(atLeast: wait ?? min(doubled, max(interval, remaining)), remaining)
    }

    /// Nobody waits for a code that will be dead by then.
    private func pause(atLeast seconds: Int?, _ remaining: Int) -> Step {
        let wait = Self.clamped(max(interval, seconds ?? 0))
        return wait > max(remaining, interval) ? .stop(.expired) : .wait(seconds: wait)
    }

    private mutating func ended(_ reason: Stop) -> Step {
        stop = reason
        return .stop(reason)
    }

    private static func clamped(_ seconds: Int) -> Int { min(max(seconds, 1), 3600) }
}
