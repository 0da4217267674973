// Lines: interval, lifetime, then three for each answer: status, Retry-After and seconds gone by apart by a slash, body.
// A device never asks sooner than it was told, its interval never shrinks, and its last word is its last.

import OAuth
import Sealing

func devicePolling(_ input: [UInt8]) throws {
    let parts = lines(input, 40)
    var polling = DevicePolling(interval: Int(text(parts[0])) ?? 5, lifetime: Int(text(parts[1])) ?? 600)
    var stop: DevicePolling.Stop?
    for start in stride(from: 2, to: parts.count - 2, by: 3) {
        let before = polling.interval
        let times = text(parts[start + 1]).split(separator: "/", omittingEmptySubsequences: false)
        let outcome: RefreshOutcome =
            switch Int(text(parts[start])) {
            case nil: .notSent(reason: "dns")
            case -1: .ambiguous(reason: "reset")
            case let status?:
                .reply(
                    status: status, contentType: nil, retryAfter: times.first.map { String($0) }, body: parts[start + 2]
                )
            }
        let step = polling.received(
            outcome, elapsed: .seconds(times.dropFirst().first.flatMap { Int64($0) } ?? 0), now: 1_700_000_000)
        hold((max(1, before)...3600).contains(polling.interval), "an interval never shrinks and fits an hour")
        switch step {
        case .wait(let seconds):
            hold((polling.interval...3600).contains(seconds), "a wait is an interval to an hour")
            hold(stop == nil, "the last word is the last")
        case .finish(let reply):
            hold(stop == nil, "the last word is the last")
            hold(isPrintable(reply.accessToken.revealText()), "a token fits a header")
            return
        case .stop(let reason):
            hold(stop == nil || stop == reason, "the last word is the last")
            stop = reason
            switch reason {
            case .denied, .expired: break
            case .refused(let words), .suspicious(let words): hold(isOneLine(words), "a reason is one line in a log")
            }
        }
    }
}
