// A follower sees every entry once, in order: it asks the vault again after each write and never guesses.

import NIOCore
import StrictJSON
import Vault

/// The audit log as lines of JSON, some at a time; while following, it ends when the reader hangs up.
struct AuditLines: AsyncSequence, Sendable {
    let vault: Vault
    /// The sequence number after which to begin.
    let after: Int64
    let follows: Bool

    struct AsyncIterator: AsyncIteratorProtocol {
        let vault: Vault
        let follows: Bool
        var last: Int64
        var changes: AsyncStream<Void>.Iterator

        mutating func next(isolation actor: isolated (any Actor)? = #isolation) async throws -> ByteBuffer? {
            while true {
                let from = last
                let entries = try await vault.read { try $0.auditEntries(after: from, limit: 200) }
                if let newest = entries.last {
                    last = newest.sequence
                    return ByteBuffer(bytes: entries.flatMap { $0.json.bytes + [0x0A] })
                }
                guard follows, await changes.next(isolation: actor) != nil else { return nil }
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(vault: vault, follows: follows, last: after, changes: vault.changes().makeAsyncIterator())
    }
}
