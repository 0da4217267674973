// Few refreshes are under way at a time, so that neither a provider nor a crash meets all grants at once: of those that
// may be lost with their answer one for the whole hub, unless it hangs, and one for each provider in any case.

import Delegation

/// Decides whose refresh is next; lives inside an actor.
struct Lanes {
    /// How many refreshes may be under way at one provider?
    private static let width = 4
    /// How long may an exclusive refresh take before it stops nobody at other providers any more?
    static let patience = Duration.seconds(2)

    /// A refresh that asks for its turn.
    struct Request {
        let id: GrantID
        let provider: ProviderName
        /// Whether its grant may be lost with the answer.
        let isExclusive: Bool
        /// Whether somebody waits for the token.
        var isUrgent: Bool
        /// How many refreshes a minute the provider takes.
        let perMinute: Int
        let go: CheckedContinuation<Void, Never>
    }

    private struct Pass {
        let provider: ProviderName
        let isExclusive: Bool
        let since: Duration
    }

    private var inside: [GrantID: Pass] = [:]
    private var waiting: [Request] = []
    /// Providers whose last exclusive refresh took longer than others can be asked to wait for.
    private var slow: Set<ProviderName> = []
    /// Up to which uptime each provider's minutes are spent.
    private var spent: [ProviderName: Duration] = [:]

    mutating func queue(_ request: Request) { waiting.append(request) }

    /// Lets somebody wait for a refresh that was begun without hurry.
    mutating func hurry(_ id: GrantID) {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return }
        waiting[index].isUrgent = true
    }

    mutating func leave(_ id: GrantID, at uptime: Duration) {
        guard let pass = inside.removeValue(forKey: id), pass.isExclusive else { return }
        if uptime - pass.since < Self.patience { slow.remove(pass.provider) } else { slow.insert(pass.provider) }
    }

    /// Lets everybody in; for when each of them will find out by itself that nothing is sent any more.
    mutating func open(at uptime: Duration) -> [CheckedContinuation<Void, Never>] {
        let all = waiting
        waiting = []
        for request in all { enter(request, uptime) }
        return all.map(\.go)
    }

    /// Lets in whoever may go now.
    ///
    /// - Returns: Whom to wake, and how long until time alone lets the next one in, if it does.
    mutating func admit(at uptime: Duration) -> (go: [CheckedContinuation<Void, Never>], next: Duration?) {
        var go: [CheckedContinuation<Void, Never>] = []
        var next: Duration?
        var left: [Request] = []
        for request in waiting.filter(\.isUrgent) + waiting.filter({ !$0.isUrgent }) {
            switch wait(request, uptime) {
            case .some(.zero):
                enter(request, uptime)
                go.append(request.go)
            case .some(let span):
                next = min(next ?? span, span)
                left.append(request)
            case nil: left.append(request)
            }
        }
        waiting = left
        return (go, next)
    }

    private mutating func enter(_ request: Request, _ uptime: Duration) {
        inside[request.id] = Pass(provider: request.provider, isExclusive: request.isExclusive, since: uptime)
        let spacing = Duration.seconds(60) / request.perMinute
        // Bounded, so that those who cannot wait do not stop those who can.
        spent[request.provider] = min(
            max(spent[request.provider] ?? uptime, uptime) + spacing, uptime + .seconds(60))
    }

    /// How long a request has to wait by the clock alone; `nil` when somebody has to leave first.
    private func wait(_ request: Request, _ uptime: Duration) -> Duration? {
        let here = inside.values.filter { $0.provider == request.provider }
        if here.contains(where: { $0.isExclusive }) || here.count >= (request.isExclusive ? 1 : Self.width) {
            return nil
        }
        var span = Duration.zero
        if request.isExclusive {
            for pass in inside.values where pass.isExclusive && !slow.contains(pass.provider) {
                span = max(span, pass.since + Self.patience - uptime)
            }
        }
        // A quarter of a minute's refreshes may go at once, then they are spread; whoever is waited for is not held up.
        if !request.isUrgent, let spent = spent[request.provider] {
            span = max(span, spent - uptime - .seconds(15))
        }
        return max(span, .zero)
    }
}
