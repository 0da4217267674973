// Quarantine outlives a restart; only the owner ends it, and with it everything that a lost state may have used is skipped.

import FoundationEssentials
import GRDB
import Synchronization

extension Vault {
    /// Why the vault must not be acted upon, for people; `nil` when it may.
    package var quarantine: String? { suspicion.withLock { $0 } }

    /// Ends the quarantine: this machine and this file are the right ones from now on, and the next command of each device
    /// skips 2^20 counters.
    ///
    /// - Parameter note: Runs in the same transaction, with the reason for the quarantine, to write into the audit log.
    /// - Returns: Why it was in quarantine; `nil` when it was not, and nothing has changed.
    /// - Throws: What `note` throws, or whatever SQLite says; then it stays in quarantine.
    @discardableResult
    package func liftQuarantine(
        _ note: @escaping @Sendable (Transaction, String) throws -> Void = { _, _ in }
    ) async throws -> String? {
        guard let reason = quarantine else { return nil }
        let (path, machine, anchor) = (path, machine, anchor)
        try await write { transaction in
            try Instance(machine: machine, file: FileIdentity(at: path), quarantine: nil)
                .save(transaction.database, at: Date())
            try transaction.skipCounters()
            // Before the commit: a crash after it must not find the number of the state that is lost.
            anchor.lower(to: try Transaction.lastSequence(transaction.database))
            try note(transaction, reason)
        }
        suspicion.withLock { $0 = nil }
        return reason
    }

    /// Whether the vault is where it was; remembers where it is.
    ///
    /// - Returns: Why it is in quarantine.
    static func judge(
        _ queue: DatabaseQueue, at path: String, on machine: Machine, beside anchor: Anchor
    ) throws -> String? {
        let file = FileIdentity(at: path)
        let (known, sequence) = try queue.read { (try Instance.fetch($0), try Transaction.lastSequence($0)) }
        if let quarantine = known?.quarantine { return quarantine }
        // A vault that remembers nothing was last used by a version that did not look.
        let before = known ?? Instance(machine: machine, file: file, quarantine: nil)
        let suspicion = before.suspicion(on: machine, in: file, beside: anchor, upTo: sequence)
        let after =
            suspicion.map { Instance(machine: before.machine, file: before.file, quarantine: $0) }
            ?? Instance(machine: machine.adding(before.machine), file: file ?? before.file, quarantine: nil)
        if known?.machine != after.machine || known?.file?.text != after.file?.text || suspicion != nil {
            try queue.write { try after.save($0, at: Date()) }
        }
        if suspicion == nil { anchor.follow(from: sequence) }
        return suspicion
    }
}
