// Every row authenticates itself and all rows before it, and a sealed head says where the log ends: to change, drop or
// cut off a line, one needs keys that are sealed. Rows are written in the transaction of what they tell about. A whole
// file that is put back as it once was cannot be told from the inside, but from how far the anchor says the log had come.

package import Delegation
package import FoundationEssentials
import GRDB
import Sealing
package import StrictJSON

/// One line of the audit log: who asked, what, on what authority, what came of it.
package struct AuditEntry: Sendable, Equatable {
    /// Its place in the log, from 1; 0 before it is written.
    package let sequence: Int64
    package let at: Date
    package let actor: String
    /// `command`, `grant.approve`, `token.refresh`, …
    package let action: String
    /// What it was done to: a device's name, a grant's id.
    package let subject: String
    /// On what authority: a grant's id, `local`, `consent:<person>`.
    package let authority: String
    package let outcome: String
    package let detail: JSON

    /// Describes what happened; sequence and time are filled in when it is written.
    package init(
        actor: Requester, action: String, subject: String, authority: String, outcome: String, detail: JSON = [:]
    ) {
        self.init(
            sequence: 0, at: .distantPast, actor: actor.description, action: action, subject: subject,
            authority: authority, outcome: outcome, detail: detail)
    }

    fileprivate init(
        sequence: Int64, at: Date, actor: String, action: String, subject: String, authority: String,
        outcome: String, detail: JSON
    ) {
        self.sequence = sequence
        self.at = at
        self.actor = actor
        self.action = action
        self.subject = subject
        self.authority = authority
        self.outcome = outcome
        self.detail = detail
    }

    /// The line as JSON.
    package var json: JSON {
        [
            "seq": .integer(sequence), "at": .string(at.rfc3339), "actor": .string(actor), "action": .string(action),
            "subject": .string(subject), "authority": .string(authority), "outcome": .string(outcome),
            "detail": detail,
        ]
    }
}

/// What checking the whole audit log found.
package enum AuditVerdict: Sendable, Equatable {
    case intact(entries: Int)
    /// The first entry that does not authenticate, or that is missing.
    case broken(at: Int64)
}

extension Transaction {
    /// Appends a line to the audit log.
    ///
    /// - Throws: ``VaultError/sealed``: nothing that needs a secret happens without a line in the log.
    package func audit(_ entry: AuditEntry, at now: Date) throws {
        let key = try auditKey()
        // From the sealed head, not from the newest line: lines that were cut off leave a gap that no later line closes.
        let head = try auditHead() ?? AuditHead(sequence: 0, mac: [])
        let next = AuditEntry(
            sequence: head.sequence + 1,
            // To the second, so that what is read back authenticates as it was written.
            at: Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded(.down)),
            actor: Self.storable(entry.actor), action: Self.storable(entry.action),
            subject: Self.storable(entry.subject), authority: Self.storable(entry.authority),
            outcome: Self.storable(entry.outcome), detail: entry.detail)
        let mac = Self.mac(of: next, after: head.mac, key: key)
        try database.cachedStatement(
            sql: """
                INSERT INTO audit (seq, at, actor, action, subject, authority, outcome, detail, mac)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(
            arguments: [
                next.sequence, next.at, next.actor, next.action, next.subject, next.authority, next.outcome,
                next.detail.text, mac.data,
            ])
        try setAuditHead(AuditHead(sequence: next.sequence, mac: mac))
        progress.sequence = next.sequence
    }

    /// The lines after `sequence`, oldest first.
    package func auditEntries(after sequence: Int64, limit: Int) throws -> [AuditEntry] {
        try Row.fetchAll(
            database, sql: "SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?", arguments: [sequence, limit]
        ).map { try Self.auditEntry(Columns($0, table: "audit")) }
    }

    /// Checks every line of the log against the key.
    ///
    /// - Throws: ``VaultError/sealed``.
    package func verifyAudit() throws -> AuditVerdict {
        let isEmpty = try Row.fetchOne(database, sql: "SELECT 1 FROM audit LIMIT 1") == nil
        // Never made here: a log without its key is a log that nothing vouches for.
        guard let key = try keys(for: .audit).first?.secret else {
            guard sealer.dataKey != nil else { throw VaultError.sealed }
            return isEmpty ? .intact(entries: 0) : .broken(at: 1)
        }
        var previous: [UInt8] = []
        var expected: Int64 = 1
        let cursor = try Row.fetchCursor(database, sql: "SELECT * FROM audit ORDER BY seq")
        while let row = try cursor.next() {
            let columns = Columns(row, table: "audit")
            let mac = try columns.bytes("mac")
            // A row that cannot even be read is as broken as one that does not authenticate.
            guard let entry = try? Self.auditEntry(columns), entry.sequence == expected,
                ConstantTime.equal(Self.mac(of: entry, after: previous, key: key), mac)
            else { return .broken(at: expected) }
            previous = mac
            expected += 1
        }
        // The key was made with the first line, and the head with every line: without a head, lines are gone.
        guard let head = try auditHead(), head.sequence == expected - 1, ConstantTime.equal(head.mac, previous) else {
            return .broken(at: expected)
        }
        return .intact(entries: Int(expected - 1))
    }

    /// Where the log ends; sealed, so that a log that was cut off is told from a short one.
    private struct AuditHead {
        let sequence: Int64
        let mac: [UInt8]
    }

    private func auditHead() throws -> AuditHead? {
        guard let row = try Row.fetchOne(database.cachedStatement(sql: "SELECT sealed_head FROM audit_head")) else {
            return nil
        }
        let sealed = try Columns(row, table: "audit_head").bytes("sealed_head")
        let bytes = try sealer.open(sealed, table: "audit_head", row: "1", column: "sealed_head").revealBytes()
        guard bytes.count == 40 else { throw VaultError.badRow(table: "audit_head", column: "sealed_head") }
        return AuditHead(
            sequence: bytes.prefix(8).reduce(0) { $0 << 8 | Int64($1) }, mac: Array(bytes.suffix(32)))
    }

    private func setAuditHead(_ head: AuditHead) throws {
        let number = (0..<8).map { UInt8(truncatingIfNeeded: head.sequence >> Int64(56 - 8 * $0)) }
        let sealed = try sealer.seal(Secret(number + head.mac), table: "audit_head", row: "1", column: "sealed_head")
        try database.cachedStatement(
            sql:
                "INSERT INTO audit_head (id, sealed_head) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET sealed_head = ?1"
        ).execute(arguments: [sealed.data])
    }

    private func auditKey() throws -> Secret {
        if let key = try keys(for: .audit).first { return key.secret }
        let key = Secret.random(count: 32)
        try insertKey(StoredKey(id: "audit", purpose: .audit, secret: key, createdAt: Date(), retiredAt: nil))
        return key
    }

    /// SQLite takes a text to end at its first NUL; what follows must not be lost, nor break the chain.
    private static func storable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
    }

    private static func auditEntry(_ columns: Columns) throws -> AuditEntry {
        AuditEntry(
            sequence: try columns.integer("seq"), at: try columns.date("at"), actor: try columns.text("actor"),
            action: try columns.text("action"), subject: try columns.text("subject"),
            authority: try columns.text("authority"), outcome: try columns.text("outcome"),
            detail: try columns.json("detail"))
    }

    private static func mac(of entry: AuditEntry, after previous: [UInt8], key: Secret) -> [UInt8] {
        HMAC.code(previous + entry.json.bytes, key: key, hash: .sha256)
    }
}
