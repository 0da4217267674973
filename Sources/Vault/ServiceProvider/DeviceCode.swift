// A device code only ever moves forward: pending, then approved or denied, then used. Both codes are kept as hashes.

package import FoundationEssentials
import GRDB

/// A request for access by a device without a browser (RFC 8628).
package struct DeviceCode: Sendable, Equatable {
    /// Where a device code stands.
    package enum State: String, Sendable, CaseIterable {
        case pending
        case approved
        case denied
        /// It was exchanged for tokens.
        case used
    }

    /// SHA-256 of the device code.
    package let hash: [UInt8]
    /// The id of the consumer it was issued to.
    package let consumer: String
    /// What was asked for, as `operation@device`.
    package let requested: [String]
    /// The resources that were asked for (RFC 8707).
    package let resource: [String]
    package let state: State
    /// The id of the person who approved.
    package let person: String?
    /// What was approved.
    package let scopes: [ScopedOperation]
    /// How long to wait between two polls, in seconds.
    package let interval: Int
    package let polledAt: Date?
    package let expiresAt: Date
}

extension Transaction {
    /// Stores a pending device code, and forgets those that expired over a day ago.
    ///
    /// - Returns: `false`, having stored nothing, when the user code is already in use.
    package func insertDeviceCode(_ code: DeviceCode, userCodeHash: [UInt8], now: Date) throws -> Bool {
        try database.execute(
            sql: "DELETE FROM sp_device_code WHERE expires_at < ?", arguments: [now.addingTimeInterval(-86400)])
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO sp_device_code (hash, user_code_hash, consumer, requested, resource, state,
                    scopes, interval, expires_at) VALUES (?, ?, ?, ?, ?, 'pending', '', ?, ?)
                """,
            arguments: [
                code.hash.data, userCodeHash.data, code.consumer, code.requested.joined(separator: " "),
                code.resource.joined(separator: " "), code.interval, code.expiresAt,
            ])
        return database.changesCount > 0
    }

    /// The device code of that hash, whatever its state.
    package func deviceCode(hash: [UInt8]) throws -> DeviceCode? {
        try Row.fetchOne(database, sql: "SELECT * FROM sp_device_code WHERE hash = ?", arguments: [hash.data])
            .map(Self.deviceCode)
    }

    /// The device code that goes with a user code, whatever its state.
    package func deviceCode(userCodeHash: [UInt8]) throws -> DeviceCode? {
        try Row.fetchOne(
            database, sql: "SELECT * FROM sp_device_code WHERE user_code_hash = ?", arguments: [userCodeHash.data]
        ).map(Self.deviceCode)
    }

    /// How many device codes of a consumer nobody has decided about yet.
    package func openDeviceCodes(of consumer: String, at now: Date) throws -> Int {
        try Int.fetchOne(
            database,
            sql: "SELECT count(*) FROM sp_device_code WHERE consumer = ? AND state = 'pending' AND expires_at > ?",
            arguments: [consumer, now]) ?? 0
    }

    /// Forgets the oldest pending device code of a consumer, those first that no device has asked about lately.
    package func dropOldestDeviceCode(of consumer: String, unaskedSince idle: Date) throws {
        try database.execute(
            sql: """
                DELETE FROM sp_device_code WHERE hash = (
                    SELECT hash FROM sp_device_code WHERE consumer = ? AND state = 'pending'
                    ORDER BY polled_at IS NOT NULL AND polled_at > ?, expires_at LIMIT 1)
                """,
            arguments: [consumer, idle])
    }

    /// Notes a poll, and how long the next one has to wait.
    package func pollDeviceCode(hash: [UInt8], interval: Int, at now: Date) throws {
        try database.execute(
            sql: "UPDATE sp_device_code SET polled_at = ?, interval = ? WHERE hash = ?",
            arguments: [now, interval, hash.data])
    }

    /// Notes what a person decided about a pending device code.
    ///
    /// - Returns: `false` when it was not pending any more.
    package func decideDeviceCode(
        hash: [UInt8], person: String, scopes: [ScopedOperation], approved: Bool
    ) throws -> Bool {
        try database.execute(
            sql: "UPDATE sp_device_code SET state = ?, person = ?, scopes = ? WHERE hash = ? AND state = 'pending'",
            arguments: [approved ? "approved" : "denied", person, scopes.words, hash.data])
        return database.changesCount > 0
    }

    /// Marks an approved device code used.
    ///
    /// - Returns: `false` when it was not approved, or was used before.
    package func useDeviceCode(hash: [UInt8]) throws -> Bool {
        try database.execute(
            sql: "UPDATE sp_device_code SET state = 'used' WHERE hash = ? AND state = 'approved'",
            arguments: [hash.data])
        return database.changesCount > 0
    }

    private static func deviceCode(_ row: Row) throws -> DeviceCode {
        let columns = Columns(row, table: "sp_device_code")
        return DeviceCode(
            hash: try columns.bytes("hash"), consumer: try columns.text("consumer"),
            requested: try columns.words("requested"), resource: try columns.words("resource"),
            state: try columns.choice("state"), person: try columns.optionalText("person"),
            scopes: try columns.scopedOperations("scopes"), interval: Int(clamping: try columns.integer("interval")),
            polledAt: try columns.optionalDate("polled_at"), expiresAt: try columns.date("expires_at"))
    }
}

extension DeviceCode {
    /// A new device code that nobody has decided about yet.
    package init(
        hash: [UInt8], consumer: String, requested: [String], resource: [String], interval: Int, expiresAt: Date
    ) {
        self.init(
            hash: hash, consumer: consumer, requested: requested, resource: resource, state: .pending, person: nil,
            scopes: [], interval: interval, polledAt: nil, expiresAt: expiresAt)
    }
}
