// A counter is on the disk before the command that carries it leaves: no crash can make two commands share one. A
// finished command never changes.

package import Delegation
package import FoundationEssentials
import GRDB
package import StrictJSON

/// One command as it stands in the vault.
package struct CommandRecord: Sendable {
    /// The command's `jti`.
    package let id: String
    /// DAC/1 device id.
    package let device: String
    package let operation: String
    package let args: JSON
    package let requester: String
    package let grant: GrantID?
    package let session: String
    package let keyID: String
    package let counter: Int64
    /// SHA-256 of the signed bytes, base64url.
    package let hash: String
    package let createdAt: Date

    /// Assembles a record of a command about to be published.
    package init(
        id: String, device: String, operation: String, args: JSON, requester: Requester, grant: GrantID?,
        session: String, keyID: String, counter: Int64, hash: String, createdAt: Date
    ) {
        self.id = id
        self.device = device
        self.operation = operation
        self.args = args
        self.requester = requester.description
        self.grant = grant
        self.session = session
        self.keyID = keyID
        self.counter = counter
        self.hash = hash
        self.createdAt = createdAt
    }
}

extension Transaction {
    /// The highest counter ever used with a device's session and one of our keys, or that may have been used by a state of
    /// the vault that is lost; 0 when none was.
    package func lastCounter(device: String, session: String, keyID: String) throws -> Int64 {
        let used = try Int64.fetchOne(
            database, sql: "SELECT MAX(counter) FROM command WHERE device = ? AND session = ? AND kid = ?",
            arguments: [device, session, keyID])
        let skipped = try Int64.fetchOne(
            database, sql: "SELECT counter FROM counter_floor WHERE device = ? AND (session IS NULL OR session = ?)",
            arguments: [device, session])
        return max(used ?? 0, skipped ?? 0)
    }

    /// Records a signed command that is about to be published.
    package func insertCommand(_ command: CommandRecord) throws {
        try database.execute(
            sql: """
                INSERT INTO command (id, device, operation, args, requester, grant_id, session, kid, counter, hash, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                command.id, command.device, command.operation, command.args.text, command.requester,
                command.grant?.rawValue, command.session, command.keyID, command.counter, command.hash,
                command.createdAt,
            ])
        // Sessions that begin after this one were never seen by a state of the vault that is lost.
        try database.execute(
            sql: "UPDATE counter_floor SET session = ? WHERE device = ? AND session IS NULL",
            arguments: [command.session, command.device])
    }

    /// Closes a command; one that is closed already stays as it is.
    ///
    /// - Returns: Whether it was still open.
    package func finishCommand(
        id: String, outcome: Outcome, code: String?, receipt: String?, at now: Date
    ) throws -> Bool {
        try database.execute(
            sql: """
                UPDATE command SET outcome = ?, code = ?, receipt = ?, finished_at = ?
                WHERE id = ? AND outcome IS NULL
                """,
            arguments: [outcome.rawValue, code, receipt, now, id])
        return database.changesCount == 1
    }

    /// Whether these exact bytes were a command of ours, by their hash; the command's id if so.
    package func command(withHash hash: String) throws -> String? {
        try String.fetchOne(database, sql: "SELECT id FROM command WHERE hash = ?", arguments: [hash])
    }

    /// Commands that were published and never closed, because the daemon ended in between.
    package func openCommands() throws -> [CommandRecord] {
        try Row.fetchAll(database, sql: "SELECT * FROM command WHERE outcome IS NULL ORDER BY created_at").map { row in
            let columns = Columns(row, table: "command")
            return CommandRecord(
                id: try columns.text("id"), device: try columns.text("device"),
                operation: try columns.text("operation"), args: try columns.json("args"),
                requester: Requester(description: try columns.text("requester")),
                grant: try columns.optionalText("grant_id").map(GrantID.init(rawValue:)),
                session: try columns.text("session"), keyID: try columns.text("kid"),
                counter: try columns.integer("counter"), hash: try columns.text("hash"),
                createdAt: try columns.date("created_at"))
        }
    }
}
