// A removed device keeps its row, so that its key can never be enrolled again under another name.

package import Delegation
package import FoundationEssentials
import GRDB

extension Transaction {
    /// Stores a device that is being enrolled.
    package func insertDevice(_ device: Device) throws {
        try database.execute(
            sql: """
                INSERT INTO device (id, name, profile, state, identity_key, sealing_key, created_at, enrolled_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                device.id, device.name.rawValue, device.profile.rawValue, device.state.rawValue,
                device.identityKey.data, device.sealingKey.data, device.createdAt, device.enrolledAt,
            ])
    }

    /// Every device that is not removed, by name.
    package func devices() throws -> [Device] {
        try Row.fetchAll(database, sql: "SELECT * FROM device WHERE state <> 'removed' ORDER BY name").map(Self.device)
    }

    /// The device of that name, unless it is removed.
    package func device(named name: DeviceName) throws -> Device? {
        try Row.fetchOne(
            database, sql: "SELECT * FROM device WHERE name = ? AND state <> 'removed'", arguments: [name.rawValue]
        ).map(Self.device)
    }

    /// The device of that name.
    ///
    /// - Throws: ``Refusal`` of kind `notFound`.
    package func requiredDevice(named name: DeviceName) throws -> Device {
        guard let device = try device(named: name) else {
            throw Refusal(
                .notFound, "no device \(quoted(name.rawValue))",
                hint: "run 'keyholder device list' to see those there are")
        }
        return device
    }

    /// The device of that id, removed ones included.
    package func device(id: String) throws -> Device? {
        try Row.fetchOne(database, sql: "SELECT * FROM device WHERE id = ?", arguments: [id]).map(Self.device)
    }

    /// Whether some device, removed or not, has this identity key.
    package func knowsIdentityKey(_ key: [UInt8]) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM device WHERE identity_key = ?)", arguments: [key.data])
            ?? false
    }

    /// Moves a device to another state of its enrolment.
    package func setState(_ state: Device.State, ofDevice id: String, at now: Date) throws {
        try database.execute(
            sql: """
                UPDATE device SET state = ?1, enrolled_at = CASE WHEN ?1 = 'enrolled' THEN ?2 ELSE enrolled_at END
                WHERE id = ?3
                """,
            arguments: [state.rawValue, now, id])
    }

    /// Forgets a device whose enrolment did not get as far as a join bundle, and the grants it had, which have ended.
    package func deleteDevice(id: String) throws {
        let ended = "device_id = ?1 AND state <> 'active' AND ?1 IN (SELECT id FROM device WHERE state = 'enrolling')"
        try database.execute(
            sql: "DELETE FROM pending_approval WHERE grant_id IN (SELECT id FROM grant WHERE \(ended))",
            arguments: [id])
        try database.execute(sql: "DELETE FROM grant WHERE \(ended)", arguments: [id])
        try database.execute(sql: "DELETE FROM device WHERE id = ? AND state = 'enrolling'", arguments: [id])
    }

    /// Removed devices whose login at the broker may still be there.
    package func devicesToDismiss() throws -> [Device] {
        try Row.fetchAll(database, sql: "SELECT * FROM device WHERE state = 'removed' AND dismissed = 0").map(
            Self.device)
    }

    /// Notes that a removed device's login is gone.
    package func markDismissed(_ id: String) throws {
        try database.execute(sql: "UPDATE device SET dismissed = 1 WHERE id = ?", arguments: [id])
    }

    private static func device(_ row: Row) throws -> Device {
        let columns = Columns(row, table: "device")
        guard let name = DeviceName(rawValue: try columns.text("name")) else {
            throw VaultError.badRow(table: "device", column: "name")
        }
        guard let profile = ProfileReference(rawValue: try columns.text("profile")) else {
            throw VaultError.badRow(table: "device", column: "profile")
        }
        return Device(
            id: try columns.text("id"), name: name, profile: profile, state: try columns.choice("state"),
            identityKey: try columns.bytes("identity_key"), sealingKey: try columns.bytes("sealing_key"),
            createdAt: try columns.date("created_at"), enrolledAt: try columns.optionalDate("enrolled_at"))
    }
}
