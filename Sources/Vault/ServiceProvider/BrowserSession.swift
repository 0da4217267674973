// A session is known by the hash of its cookie, a form by the hash of its token: who reads the file can use neither.

package import FoundationEssentials
import GRDB
package import StrictJSON

/// A person signed in with one browser.
package struct BrowserSession: Sendable, Equatable {
    /// SHA-256 of the cookie's value.
    package let hash: [UInt8]
    package let person: Person
    package let signedInAt: Date
    package let seenAt: Date
}

/// A form that was shown in a session and may be sent back once.
package struct IssuedForm: Sendable, Equatable {
    package let purpose: String
    /// What the page showed, so that exactly this is carried out.
    package let payload: JSON

    /// Says what a form is for and what it shows.
    package init(purpose: String, payload: JSON) {
        self.purpose = purpose
        self.payload = payload
    }
}

extension Transaction {
    /// Starts a session.
    package func insertSession(hash: [UInt8], person: Person, at now: Date) throws {
        try database.execute(
            sql: "INSERT INTO sp_session (hash, person, signed_in_at, seen_at) VALUES (?1, ?2, ?3, ?3)",
            arguments: [hash.data, person.id, now])
    }

    /// The session of a cookie, whatever its age.
    package func session(hash: [UInt8]) throws -> BrowserSession? {
        guard
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT s.signed_in_at, s.seen_at, p.id, p.name, p.created_at
                    FROM sp_session s JOIN sp_person p ON p.id = s.person
                    WHERE s.hash = ? AND p.removed_at IS NULL
                    """,
                arguments: [hash.data])
        else { return nil }
        let columns = Columns(row, table: "sp_session")
        return BrowserSession(
            hash: hash, person: try Self.person(columns), signedInAt: try columns.date("signed_in_at"),
            seenAt: try columns.date("seen_at"))
    }

    /// Notes that a session was used.
    package func touchSession(hash: [UInt8], at now: Date) throws {
        try database.execute(
            sql: "UPDATE sp_session SET seen_at = ? WHERE hash = ?", arguments: [now, hash.data])
    }

    /// Ends a session; its forms end with it.
    package func deleteSession(hash: [UInt8]) throws {
        try database.execute(sql: "DELETE FROM sp_session WHERE hash = ?", arguments: [hash.data])
    }

    /// Ends every session that was signed in or used too long ago.
    package func deleteSessions(signedInBefore oldest: Date, unusedSince idle: Date) throws {
        try database.execute(
            sql: "DELETE FROM sp_session WHERE signed_in_at < ? OR seen_at < ?", arguments: [oldest, idle])
    }

    /// Stores a form that is about to be shown, and forgets expired ones and the oldest beyond `keep`.
    package func insertForm(
        hash: [UInt8], session: [UInt8], form: IssuedForm, expiresAt: Date, now: Date, keep: Int
    ) throws {
        try database.execute(sql: "DELETE FROM sp_form WHERE expires_at <= ?", arguments: [now])
        try database.execute(
            sql: """
                DELETE FROM sp_form WHERE session = ?1 AND rowid NOT IN
                    (SELECT rowid FROM sp_form WHERE session = ?1 ORDER BY rowid DESC LIMIT ?2)
                """,
            arguments: [session.data, max(keep - 1, 0)])
        try database.execute(
            sql: "INSERT INTO sp_form (hash, session, purpose, payload, expires_at) VALUES (?, ?, ?, ?, ?)",
            arguments: [hash.data, session.data, form.purpose, form.payload.text, expiresAt])
    }

    /// Takes a form back, once.
    ///
    /// - Returns: `nil` when it was not shown in this session for this purpose, was sent before, or is too old.
    package func takeForm(hash: [UInt8], session: [UInt8], purpose: String, now: Date) throws -> IssuedForm? {
        let row = try Row.fetchOne(
            database,
            sql: """
                DELETE FROM sp_form WHERE hash = ? AND session = ? AND purpose = ? AND expires_at > ?
                RETURNING purpose, payload
                """,
            arguments: [hash.data, session.data, purpose, now])
        guard let columns = row.map({ Columns($0, table: "sp_form") }) else { return nil }
        return IssuedForm(purpose: try columns.text("purpose"), payload: try columns.json("payload"))
    }
}
