// A refresh is on the disk before it is sent, and its reply is on the disk before it is read.

package import Delegation
package import FoundationEssentials
import GRDB
package import Sealing

/// A refresh that was begun and not yet finished.
package struct OpenRefresh: Sendable {
    package let grant: GrantID
    /// The generation it is to replace.
    package let generation: Int
    /// SHA-256 of the refresh token it was sent with.
    package let tokenHash: [UInt8]
    /// The kernel's boot id when it was first sent.
    package let boot: String
    /// When it was first sent, on the hub's clock.
    package let startedAt: Date
    /// When it was first sent, in seconds since that boot.
    package let startedUptime: Double?
    /// How often it was sent.
    package let attempts: Int
    /// The body of the provider's 200, when it came.
    package let reply: Secret?

    /// Describes a refresh that is about to be sent.
    package init(
        grant: GrantID, generation: Int, tokenHash: [UInt8], boot: String, startedAt: Date, startedUptime: Double? = nil
    ) {
        self.init(
            grant: grant, generation: generation, tokenHash: tokenHash, boot: boot, startedAt: startedAt,
            startedUptime: startedUptime, attempts: 1, reply: nil)
    }

    fileprivate init(
        grant: GrantID, generation: Int, tokenHash: [UInt8], boot: String, startedAt: Date, startedUptime: Double?,
        attempts: Int, reply: Secret?
    ) {
        self.grant = grant
        self.generation = generation
        self.tokenHash = tokenHash
        self.boot = boot
        self.startedAt = startedAt
        self.startedUptime = startedUptime
        self.attempts = attempts
        self.reply = reply
    }
}

extension Transaction {
    /// Notes that a refresh is about to be sent. When the same token was sent before without an answer, that this is
    /// once more; boot and time stay those of the first time, and a reply that was kept and told nothing is dropped.
    ///
    /// - Returns: Whether the grant is active and still of that generation; otherwise nothing has changed.
    package func beginRefresh(_ refresh: OpenRefresh) throws -> Bool {
        guard let grant = try grant(id: refresh.grant)?.grant, grant.state == .active,
            grant.generation == refresh.generation
        else { return false }
        try database.execute(
            sql: "DELETE FROM refresh WHERE grant_id = ? AND (generation <> ? OR token_hash <> ?)",
            arguments: [refresh.grant.rawValue, refresh.generation, refresh.tokenHash.data])
        try database.execute(
            sql: """
                INSERT INTO refresh (grant_id, generation, token_hash, boot, started_at, started_uptime, attempts)
                VALUES (?, ?, ?, ?, ?, ?, 1)
                ON CONFLICT (grant_id) DO UPDATE SET attempts = attempts + 1, sealed_reply = NULL
                """,
            arguments: [
                refresh.grant.rawValue, refresh.generation, refresh.tokenHash.data, refresh.boot, refresh.startedAt,
                refresh.startedUptime,
            ])
        return true
    }

    /// Keeps the body of a 200 as it came.
    ///
    /// - Returns: Whether the refresh is still open; otherwise nothing has changed.
    package func stageReply(_ body: Secret, of id: GrantID, generation: Int) throws -> Bool {
        let sealed = try sealer.seal(
            body, table: "refresh", row: Self.place(id, generation: generation), column: "sealed_reply")
        try database.execute(
            sql: "UPDATE refresh SET sealed_reply = ? WHERE grant_id = ? AND generation = ?",
            arguments: [sealed.data, id.rawValue, generation])
        return database.changesCount == 1
    }

    /// The refresh of a grant that is not finished.
    package func openRefresh(of id: GrantID) throws -> OpenRefresh? {
        try Row.fetchOne(database, sql: "SELECT * FROM refresh WHERE grant_id = ?", arguments: [id.rawValue])
            .map(openRefresh)
    }

    /// Whether a reply was kept that nobody has read yet.
    package func hasStagedReply(_ id: GrantID) throws -> Bool {
        try Bool.fetchOne(
            database.cachedStatement(
                sql: "SELECT EXISTS (SELECT 1 FROM refresh WHERE grant_id = ? AND sealed_reply IS NOT NULL)"),
            arguments: [id.rawValue]) ?? false
    }

    /// The grants whose refresh is not finished, those with a reply first, then by age.
    package func openRefreshes() throws -> [GrantID] {
        try String.fetchAll(
            database, sql: "SELECT grant_id FROM refresh ORDER BY sealed_reply IS NULL, started_at, grant_id"
        ).map(GrantID.init(rawValue:))
    }

    /// Closes a refresh that came to nothing.
    package func deleteRefresh(of id: GrantID) throws {
        try database.execute(sql: "DELETE FROM refresh WHERE grant_id = ?", arguments: [id.rawValue])
    }

    private func openRefresh(_ row: Row) throws -> OpenRefresh {
        let columns = Columns(row, table: "refresh")
        let id = GrantID(rawValue: try columns.text("grant_id"))
        let generation = Int(try columns.integer("generation"))
        return OpenRefresh(
            grant: id, generation: generation, tokenHash: try columns.bytes("token_hash"),
            boot: try columns.text("boot"), startedAt: try columns.date("started_at"),
            startedUptime: try columns.optionalReal("started_uptime"), attempts: Int(try columns.integer("attempts")),
            reply: try columns.optionalBytes("sealed_reply").map {
                try sealer.open(
                    $0, table: "refresh", row: Self.place(id, generation: generation), column: "sealed_reply")
            })
    }
}
