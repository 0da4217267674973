// One trouble is one notice: it is latched until it is over, over restarts too, and each channel knows how far it has told.

package import Delegation
package import FoundationEssentials
import GRDB

extension Transaction {
    /// How many notices are kept, beside those of troubles that last.
    private static var kept: Int64 { 1000 }

    /// Tells of a trouble, unless it has been told already and is not over.
    ///
    /// - Returns: Whether it is new; otherwise nothing has changed.
    package func openNotice(
        _ kind: Notice.Kind, subject: String, device: DeviceName?, provider: ProviderName?, text: String,
        hint: String?, at now: Date
    ) throws -> Bool {
        guard try openNotice(kind, subject: subject) == nil else { return false }
        let seq = try insertNotice(
            kind, subject: subject, device: device?.rawValue, provider: provider?.rawValue, text: text, hint: hint,
            at: now)
        try database.execute(
            sql: "INSERT INTO notice_open (kind, subject, seq) VALUES (?, ?, ?)",
            arguments: [kind.rawValue, subject, seq])
        return true
    }

    /// Tells that a trouble is over, if it was told.
    ///
    /// - Returns: Whether it was; otherwise nothing has changed.
    package func closeNotice(_ kind: Notice.Kind, subject: String, text: String, at now: Date) throws -> Bool {
        guard let told = try openNotice(kind, subject: subject) else { return false }
        try database.execute(
            sql: "DELETE FROM notice_open WHERE kind = ? AND subject = ?", arguments: [kind.rawValue, subject])
        _ = try insertNotice(
            .wellAgain, subject: subject, device: told.device?.rawValue, provider: told.provider?.rawValue, text: text,
            hint: nil, at: now)
        return true
    }

    /// Forgets a trouble that something worse took the place of; nobody is told.
    package func dropNotice(_ kind: Notice.Kind, subject: String) throws {
        try database.execute(
            sql: "DELETE FROM notice_open WHERE kind = ? AND subject = ?", arguments: [kind.rawValue, subject])
    }

    /// The troubles that are not over, oldest first; readable while the vault is sealed.
    package func openNotices() throws -> [Notice] {
        try Row.fetchAll(
            database,
            sql: "SELECT notice.* FROM notice JOIN notice_open ON notice_open.seq = notice.seq ORDER BY notice.seq"
        ).map(Self.notice)
    }

    /// The notices after `seq`, oldest first; readable while the vault is sealed.
    package func notices(after seq: Int64, limit: Int) throws -> [Notice] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM notice WHERE seq > ? ORDER BY seq LIMIT ?", arguments: [seq, limit]
        ).map(Self.notice)
    }

    /// The last notice that a channel has told; 0 for a channel that never told one.
    package func noticeCursor(_ channel: String) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT told FROM notice_channel WHERE name = ?", arguments: [channel]) ?? 0
    }

    /// Notes how far a channel has told; never backwards.
    package func moveNoticeCursor(_ channel: String, to seq: Int64) throws {
        try database.execute(
            sql: """
                INSERT INTO notice_channel (name, told) VALUES (?1, ?2)
                ON CONFLICT (name) DO UPDATE SET told = max(told, ?2)
                """,
            arguments: [channel, seq])
    }

    private func openNotice(_ kind: Notice.Kind, subject: String) throws -> Notice? {
        try Row.fetchOne(
            database,
            sql: """
                SELECT notice.* FROM notice JOIN notice_open ON notice_open.seq = notice.seq
                WHERE notice_open.kind = ? AND notice_open.subject = ?
                """,
            arguments: [kind.rawValue, subject]
        ).map(Self.notice)
    }

    private func insertNotice(
        _ kind: Notice.Kind, subject: String, device: String?, provider: String?, text: String, hint: String?,
        at now: Date
    ) throws -> Int64 {
        try database.execute(
            sql: """
                INSERT INTO notice (at, kind, subject, device, provider, text, hint) VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [now, kind.rawValue, subject, device, provider, text, hint])
        let seq = database.lastInsertedRowID
        try database.execute(
            sql: "DELETE FROM notice WHERE seq <= ? AND seq NOT IN (SELECT seq FROM notice_open)",
            arguments: [seq - Self.kept])
        return seq
    }

    private static func notice(_ row: Row) throws -> Notice {
        let columns = Columns(row, table: "notice")
        return Notice(
            seq: try columns.integer("seq"), at: try columns.date("at"), kind: try columns.choice("kind"),
            subject: try columns.text("subject"),
            device: try columns.optionalText("device").flatMap(DeviceName.init(rawValue:)),
            provider: try columns.optionalText("provider").flatMap(ProviderName.init(rawValue:)),
            text: try columns.text("text"), hint: try columns.optionalText("hint"))
    }
}
