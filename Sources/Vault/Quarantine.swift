// A vault that may be a copy, or an older state, touches nothing outside until its owner has said that it is the one:
// refresh tokens that were used since are dead, and using one again may end the living ones.
//
// What a power cut leaves never looks like that: the anchor is written after the commit that it tells of, and one that is
// lost or torn says nothing. A file that was replaced on the same machine is trusted when the anchor, in the very file that
// it was written to, says that nothing newer is known. Whoever moves a home to another disk takes the anchor along as a
// copy, exactly as who puts back a backup of all of it, and nothing inside tells the two apart: the owner is asked, once.
// A whole disk that is put back as it was, on the same machine, is not noticed.

import FoundationEssentials
import GRDB

/// What the vault remembers of where it was.
struct Instance {
    let machine: Machine
    /// `nil` in a backup.
    let file: FileIdentity?
    let quarantine: String?

    static func fetch(_ db: Database) throws -> Instance? {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM instance") else { return nil }
        let columns = Columns(row, table: "instance")
        return Instance(
            machine: Machine(text: try columns.text("machine")), file: FileIdentity(text: try columns.text("file")),
            quarantine: try columns.optionalText("quarantine"))
    }

    func save(_ db: Database, at now: Date) throws {
        try db.execute(
            sql: """
                INSERT INTO instance (id, machine, file, quarantine, since) VALUES (1, ?1, ?2, ?3, ?4)
                ON CONFLICT (id) DO UPDATE SET machine = ?1, file = ?2, quarantine = ?3, since = ?4
                """,
            arguments: [machine.text, file?.text ?? "", quarantine, quarantine == nil ? nil : now])
    }

    /// Why this vault should be in quarantine where it is now; `nil` when it should not.
    func suspicion(on machine: Machine, in file: FileIdentity?, beside anchor: Anchor, upTo sequence: Int64) -> String?
    {
        let record = anchor.read()
        if let record, record.sequence > sequence { return "an older state of the vault was put back" }
        let isReplaced = file.map { now in self.file.map { !$0.isSame(as: now) } ?? true } ?? false
        let isElsewhere =
            machine.hasHardware(of: self.machine).map { !$0 }
            ?? (isReplaced && machine.hasSystem(of: self.machine) == false)
        if isElsewhere { return "this is a copy on another machine" }
        let place = anchor.identity
        let isOriginal =
            record.flatMap { record in place.map { $0.born != nil && $0.isSame(as: record.file) } } ?? false
        if isReplaced, !isOriginal {
            return "the vault's file was replaced, and nothing proves that this is its newest state"
        }
        // Both files were written over with what they once held: the vault looks unmoved, the anchor does not.
        if record != nil, !isOriginal, place?.wasRewritten == true { return "an older state of the vault was put back" }
        return nil
    }
}

extension Transaction {
    /// How far the audit log has come; 0 when it is empty.
    static func lastSequence(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT max(seq) FROM audit") ?? 0
    }

    /// Makes sure that no counter is used again that a state of the vault which is lost may have used.
    ///
    /// The next command of every device skips 2^20 counters, which its receipt tells as a gap (DAC/1); from its next
    /// boot on, a device counts from 1 as ever.
    func skipCounters() throws {
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO counter_floor (device, counter)
                SELECT id, 1048576 + max(
                    coalesce((SELECT max(counter) FROM command WHERE command.device = device.id), 0),
                    coalesce((SELECT counter FROM counter_floor WHERE counter_floor.device = device.id), 0))
                FROM device WHERE state <> 'removed'
                """)
    }
}
