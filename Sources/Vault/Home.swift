// A home is named once, at its creation; its site and hub ids stand in every topic and signature.

import GRDB

/// What the home is called, for people and on the wire.
package struct Home: Sendable, Equatable {
    package let name: String
    /// The `<site>` of every topic.
    package let site: String
    /// The hub's id, `iss` of every command.
    package let hub: String

    static func fetch(_ db: Database) throws -> Home {
        guard let row = try Row.fetchOne(db, sql: "SELECT name, site, hub FROM home") else {
            throw VaultError.badRow(table: "home", column: "id")
        }
        let columns = Columns(row, table: "home")
        return Home(name: try columns.text("name"), site: try columns.text("site"), hub: try columns.text("hub"))
    }
}

extension Transaction {
    /// The home that this vault belongs to.
    package func home() throws -> Home { try Home.fetch(database) }
}
