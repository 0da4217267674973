// A password is kept as a salted, peppered scrypt hash together with its cost; nothing else of it is ever stored.

import Delegation
package import FoundationEssentials
import GRDB
package import Sealing

/// Somebody who may sign in at the home's provider and approve.
package struct Person: Sendable, Equatable {
    /// Random; the `sub` of tokens, so that it can never be mistaken for a client's id.
    package let id: String
    package let name: String
    package let createdAt: Date

    /// Assembles a person.
    package init(id: String, name: String, createdAt: Date) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
    }
}

/// What a password is checked against.
package struct PasswordHash: Sendable, Equatable {
    package let salt: [UInt8]
    package let cost: Scrypt
    /// 32 bytes.
    package let hash: [UInt8]

    /// Assembles a hash.
    package init(salt: [UInt8], cost: Scrypt, hash: [UInt8]) {
        self.salt = salt
        self.cost = cost
        self.hash = hash
    }
}

extension Transaction {
    /// Stores a person.
    ///
    /// - Throws: ``Refusal`` of kind `conflict` when the name is taken.
    package func insertPerson(_ person: Person, password: PasswordHash) throws {
        guard try self.person(named: person.name) == nil else {
            throw Refusal(.conflict, "there already is a person \(quoted(person.name))")
        }
        try database.execute(
            sql: "INSERT INTO sp_person (id, name, salt, n, r, p, hash, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                person.id, person.name, password.salt.data, Int64(clamping: password.cost.n),
                Int64(clamping: password.cost.r), Int64(clamping: password.cost.p), password.hash.data,
                person.createdAt,
            ])
    }

    /// Everybody who may sign in, by name.
    package func persons() throws -> [Person] {
        try Row.fetchAll(database, sql: "SELECT * FROM sp_person WHERE removed_at IS NULL ORDER BY name")
            .map { try Self.person(Columns($0, table: "sp_person")) }
    }

    /// The person of that name with what the password is checked against.
    package func person(named name: String) throws -> (person: Person, password: PasswordHash)? {
        guard
            let row = try Row.fetchOne(
                database, sql: "SELECT * FROM sp_person WHERE name = ? AND removed_at IS NULL", arguments: [name])
        else { return nil }
        let columns = Columns(row, table: "sp_person")
        let password = PasswordHash(
            salt: try columns.bytes("salt"),
            cost: Scrypt(
                n: UInt64(clamping: try columns.integer("n")), r: UInt64(clamping: try columns.integer("r")),
                p: UInt64(clamping: try columns.integer("p"))),
            hash: try columns.bytes("hash"))
        return (try Self.person(columns), password)
    }

    /// Removes a person: sessions end, and so does everything the person had allowed, once or for always.
    ///
    /// - Returns: The grants that ended.
    package func removePerson(_ person: Person, at now: Date) throws -> [String] {
        let grants = try String.fetchAll(
            database, sql: "SELECT id FROM sp_grant WHERE person = ? AND revoked_at IS NULL", arguments: [person.id])
        try database.execute(
            sql: "UPDATE sp_grant SET revoked_at = ? WHERE person = ? AND revoked_at IS NULL",
            arguments: [now, person.id])
        try database.execute(
            sql: "UPDATE sp_approval SET revoked_at = ? WHERE person = ? AND revoked_at IS NULL",
            arguments: [now, person.id])
        try database.execute(sql: "DELETE FROM sp_session WHERE person = ?", arguments: [person.id])
        try database.execute(sql: "UPDATE sp_person SET removed_at = ? WHERE id = ?", arguments: [now, person.id])
        return grants
    }

    static func person(_ columns: Columns) throws -> Person {
        Person(id: try columns.text("id"), name: try columns.text("name"), createdAt: try columns.date("created_at"))
    }
}
