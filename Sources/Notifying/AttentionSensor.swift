// Home Assistant is not told what happened but shown how things are, again and again: a broker that was restarted has
// forgotten it, and what nobody says again Home Assistant takes for unknown.

import Delegation
import Logging
import StrictJSON
import Vault

/// Keeps Home Assistant's picture of the open troubles true.
struct AttentionSensor: Sendable {
    /// How old may the picture be before it is said again?
    static let renewal = Duration.seconds(60)
    /// How long does it hold without being said again?
    static let lifetime = Duration.seconds(300)
    private static let longestRest = Duration.seconds(10)

    private let publisher: any NoticePublisher
    private let vault: Vault
    private let pace: Pace
    private let logger: Logger

    private enum Cause { case change, renewal }

    /// Prepares to show.
    init(publisher: any NoticePublisher, vault: Vault, pace: Pace, logger: Logger) {
        self.publisher = publisher
        self.vault = vault
        self.pace = pace
        self.logger = logger
    }

    /// Shows what is open until the task is cancelled.
    func run() async {
        // One cause is enough: either way what is shown is read anew.
        let (causes, continuation) = AsyncStream<Cause>.makeStream(bufferingPolicy: .bufferingNewest(1))
        await withDiscardingTaskGroup { group in
            group.addTask { for await _ in vault.changes() { continuation.yield(.change) } }
            group.addTask { [clock = pace.clock] in
                while (try? await clock.sleep(for: Self.renewal)) != nil { continuation.yield(.renewal) }
            }
            var shown: [JSON]?
            for await cause in causes { shown = await show(cause, instead: shown) }
            group.cancelAll()
        }
    }

    /// - Returns: What is shown now.
    private func show(_ cause: Cause, instead shown: [JSON]?) async -> [JSON]? {
        var rest = Rest(longest: Self.longestRest)
        while !Task.isCancelled {
            do {
                // Read at each attempt: in between the trouble may have ended.
                let open = try await vault.read { try $0.openNotices() }.map(\.json)
                guard cause == .renewal || open != shown else { return shown }
                try await publisher.publishAttention(open, holding: Self.lifetime)
                return open
            } catch {
                let wait = rest.next(pace.jitter())
                logger.debug("open troubles not shown", metadata: ["error": "\(error)", "retry_in": "\(wait)"])
                try? await pace.clock.sleep(for: wait)
            }
        }
        return shown
    }
}
