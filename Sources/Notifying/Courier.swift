// Every notice is told at least once and in order: the cursor moves only after the channel took it, or after it turned
// it down five times. A channel that is new, or that comes back, hears what still matters and is spared the history.

import Delegation
import FoundationEssentials
import Logging
import Vault

/// Brings one channel its notices.
struct Courier: Sendable {
    /// How often may a notice be turned down?
    private static let patience = 5
    /// What is over is news for how long, in seconds?
    private static let freshness = 86_400.0
    /// More than the vault keeps.
    private static let batch = 10_000

    let channel: any NoticeChannel
    let vault: Vault
    let pace: Pace
    let logger: Logger

    /// Tells what there is to tell until the task is cancelled or the vault tells of no more changes.
    func run() async {
        var told: Int64?
        for await _ in vault.changes() {
            var rest = Rest(longest: channel.longestRest)
            while !Task.isCancelled {
                do {
                    told = try await tellNews(after: told)
                    break
                } catch is CancellationError {
                    return
                } catch {
                    let wait = rest.next(pace.jitter())
                    log(.error, "notices cannot be read", ["error": "\(error)", "retry_in": "\(wait)"])
                    try? await pace.clock.sleep(for: wait)
                }
            }
        }
    }

    /// Tells what was not told yet.
    ///
    /// - Parameter told: How far the channel was told in this run; `nil` at the first look.
    /// - Returns: How far it is now.
    /// - Throws: `CancellationError`, or why the notices cannot be read.
    private func tellNews(after told: Int64?) async throws -> Int64 {
        let (cursor, news, open) = try await vault.read { [name = channel.name] transaction in
            let cursor = try told ?? transaction.noticeCursor(name)
            return (
                cursor, try transaction.notices(after: cursor, limit: Self.batch), try transaction.openNotices()
            )
        }
        let now = pace.now()
        var last = cursor
        for notice in news {
            // The vault says 0 for a channel that it does not know.
            let isNews = cursor != 0 && now.timeIntervalSince(notice.at) < Self.freshness
            if told != nil || isNews || open.contains(where: { $0.seq == notice.seq }) {
                try await deliver(notice)
                await remember(notice.seq)
            }
            last = notice.seq
        }
        // Before the first notice there is nothing to remember but that the channel is known.
        let known = last == 0 ? -1 : last
        if told == nil, known != cursor { await remember(known) }
        return last
    }

    /// Returns once the channel took the notice, or once it is given up.
    private func deliver(_ notice: Notice) async throws {
        var rest = Rest(longest: channel.longestRest)
        var refusals = 0
        while true {
            try Task.checkCancellation()
            do throws(Undelivered) {
                try await channel.tell(notice)
                log(.debug, "notice told", ["notice.seq": "\(notice.seq)"])
                return
            } catch {
                if case .refused = error { refusals += 1 }
                guard refusals < Self.patience else {
                    return log(.error, "notice given up", ["notice.seq": "\(notice.seq)", "why": "\(error)"])
                }
                try Task.checkCancellation()
                let wait = rest.next(pace.jitter())
                log(
                    .warning, "notice not told",
                    ["notice.seq": "\(notice.seq)", "why": "\(error)", "retry_in": "\(wait)"])
                try await pace.clock.sleep(for: wait)
            }
        }
    }

    private func remember(_ seq: Int64) async {
        do {
            // A task of its own, because a cancelled one writes nothing, and this was told; awaited right here.
            try await Task { [vault, name = channel.name] in
                try await vault.write { try $0.moveNoticeCursor(name, to: seq) }
            }.value
        } catch {
            // It will be told once more after a restart, which is better than not at all.
            log(.warning, "told notice not remembered", ["notice.seq": "\(seq)", "error": "\(error)"])
        }
    }

    private func log(_ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata) {
        logger.log(level: level, message, metadata: metadata.merging(["channel": "\(channel.name)"]) { $1 })
    }
}
