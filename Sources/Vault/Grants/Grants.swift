// A device has at most one active grant, by an index of the database; a grant whose device was removed is never found
// by the device's name again.

package import Delegation
package import FoundationEssentials
import GRDB

/// A grant with what the keeper needs to know about it; no secret.
package struct GrantRecord: Sendable, Equatable {
    package let grant: Grant
    /// The device's id, which a later device of the same name does not have.
    package let deviceID: String
    /// The id of the consumer that asked for it.
    package let consumer: String
    /// When the access token was issued, on the hub's clock.
    package let issuedAt: Date?
    /// Whether there is a token to refresh it with.
    package let isRefreshable: Bool
    /// The kernel's boot id when the access token was issued.
    package let issuedBoot: String?
    /// Seconds since that boot, sleep included, when it was issued.
    package let issuedUptime: Double?
}

extension Transaction {
    /// Stores a grant that is waiting for approval.
    package func insertGrant(_ grant: Grant, deviceID: String, consumer: String) throws {
        try database.execute(
            sql: """
                INSERT INTO grant
                    (id, device_id, device, provider, consumer, state, scopes, generation, created_at, flow, release)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                grant.id.rawValue, deviceID, grant.device.rawValue, grant.provider.rawValue, consumer,
                grant.state.rawValue, grant.scopes.joined(separator: " "), grant.generation, grant.createdAt,
                grant.flow.rawValue, grant.release.rawValue,
            ])
    }

    /// Every grant, newest first.
    package func grants() throws -> [GrantRecord] {
        try Row.fetchAll(database, sql: "SELECT * FROM grant ORDER BY rowid DESC").map(Self.record)
    }

    /// Every active grant.
    package func activeGrants() throws -> [GrantRecord] {
        try Row.fetchAll(database, sql: "SELECT * FROM grant WHERE state = 'active' ORDER BY rowid").map(Self.record)
    }

    /// The grant of that id.
    package func grant(id: GrantID) throws -> GrantRecord? {
        try Row.fetchOne(
            database.cachedStatement(sql: "SELECT * FROM grant WHERE id = ?"), arguments: [id.rawValue]
        ).map(Self.record)
    }

    /// The grants of the device that has this name today, newest first.
    package func grants(of device: DeviceName) throws -> [GrantRecord] {
        try Row.fetchAll(
            database.cachedStatement(
                sql: """
                    SELECT grant.* FROM grant JOIN device ON device.id = grant.device_id
                    WHERE device.name = ? AND device.state <> 'removed' ORDER BY grant.rowid DESC
                    """),
            arguments: [device.rawValue]
        ).map(Self.record)
    }

    /// The grants of a device, removed or not, newest first.
    package func grants(ofDeviceID id: String) throws -> [GrantRecord] {
        try Row.fetchAll(
            database.cachedStatement(sql: "SELECT * FROM grant WHERE device_id = ? ORDER BY rowid DESC"),
            arguments: [id]
        ).map(Self.record)
    }

    /// Moves a grant to a state in which it is not used; whatever it waited for is forgotten.
    ///
    /// - Returns: Whether the grant was in one of the states `from`; otherwise nothing has changed.
    package func endGrant(
        _ id: GrantID, from: [Grant.State], to state: Grant.State, reason: String
    ) throws -> Bool {
        guard let found = try grant(id: id)?.grant.state, from.contains(found) else { return false }
        try database.execute(
            sql: "UPDATE grant SET state = ?, reason = ? WHERE id = ?",
            arguments: [state.rawValue, reason, id.rawValue])
        // Only a grant that may come back keeps its tokens, so that they can still be revoked.
        if state != .needsReauth { try eraseTokens(of: id) }
        try deletePendingApproval(of: id)
        try deleteRefresh(of: id)
        return true
    }

    private static func record(_ row: Row) throws -> GrantRecord {
        let columns = Columns(row, table: "grant")
        guard let device = DeviceName(rawValue: try columns.text("device")) else {
            throw VaultError.badRow(table: "grant", column: "device")
        }
        let grant = Grant(
            id: GrantID(rawValue: try columns.text("id")), device: device, provider: try columns.provider("provider"),
            state: try columns.choice("state"), scopes: try columns.words("scopes"),
            generation: Int(try columns.integer("generation")), createdAt: try columns.date("created_at"),
            expiresAt: try columns.optionalDate("expires_at"), reason: try columns.optionalText("reason"),
            flow: try columns.choice("flow"), release: try columns.choice("release"),
            refreshExpiresAt: try columns.optionalDate("refresh_expires_at"))
        return GrantRecord(
            grant: grant, deviceID: try columns.text("device_id"), consumer: try columns.text("consumer"),
            issuedAt: try columns.optionalDate("issued_at"),
            isRefreshable: try columns.optionalBytes("sealed_refresh_token") != nil,
            issuedBoot: try columns.optionalText("issued_boot"),
            issuedUptime: try columns.optionalReal("issued_uptime"))
    }
}
