// A row that is not what the schema promises is an error that names its place, never a trap.

import Delegation
import FoundationEssentials
import GRDB
import StrictJSON

/// Reads the columns of one row, checked.
struct Columns {
    let row: Row
    let table: String

    init(_ row: Row, table: String) {
        self.row = row
        self.table = table
    }

    private func value<T: DatabaseValueConvertible>(_ column: String, _ type: T.Type) throws -> T {
        guard row.hasColumn(column), let value = T.fromDatabaseValue(row[column] as DatabaseValue) else {
            throw VaultError.badRow(table: table, column: column)
        }
        return value
    }

    private func optional<T: DatabaseValueConvertible>(_ column: String, _ type: T.Type) throws -> T? {
        guard row.hasColumn(column) else { throw VaultError.badRow(table: table, column: column) }
        return (row[column] as DatabaseValue).isNull ? nil : try value(column, type)
    }

    func text(_ column: String) throws -> String { try value(column, String.self) }
    func optionalText(_ column: String) throws -> String? { try optional(column, String.self) }
    func integer(_ column: String) throws -> Int64 { try value(column, Int64.self) }
    func optionalInteger(_ column: String) throws -> Int64? { try optional(column, Int64.self) }
    func optionalReal(_ column: String) throws -> Double? { try optional(column, Double.self) }
    func flag(_ column: String) throws -> Bool { try integer(column) != 0 }
    func bytes(_ column: String) throws -> [UInt8] { Array(try value(column, Data.self)) }
    func optionalBytes(_ column: String) throws -> [UInt8]? { try optional(column, Data.self).map(Array.init) }
    func date(_ column: String) throws -> Date { try value(column, Date.self) }
    func optionalDate(_ column: String) throws -> Date? { try optional(column, Date.self) }

    func choice<T: RawRepresentable>(_ column: String) throws -> T where T.RawValue == String {
        guard let value = T(rawValue: try text(column)) else { throw VaultError.badRow(table: table, column: column) }
        return value
    }

    /// A space-separated list of words.
    func words(_ column: String) throws -> [String] { try text(column).split(separator: " ").map(String.init) }

    func json(_ column: String) throws -> JSON {
        do {
            return try JSON(parsing: try text(column))
        } catch is JSONFault {
            throw VaultError.badRow(table: table, column: column)
        }
    }
}

extension [UInt8] {
    /// For a BLOB column.
    var data: Data { Data(self) }
}
