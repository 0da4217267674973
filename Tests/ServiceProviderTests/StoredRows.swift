// That nothing changed is read from the vault's file by another process: every row of every table of the provider, those
// that come later included. What a refusal may write is named here, each with its reason; everything else is a change.

import Foundation
import OAuth
import ServiceProvider
import StrictJSON
import Testing

/// Every row of the provider, by table.
struct StoredRows: Sendable {
    /// Tables and columns, `table` or `table.column`, that a refusal writes to although it refuses.
    private static let leftOut: Set<String> = [
        // A right signature uses up its nonce, whatever becomes of the request after it.
        "sp_nonce",
        // A wrong guess is counted; that is what refuses the next one.
        "sp_throttle",
        // A person who is shown a page, or signs in on the way to a refusal, gets a session and forms, which open nothing.
        "sp_session", "sp_form",
        // For the page that shows when something was last used; good requests between the refused ones write it.
        "sp_grant.used_at",
    ]

    private let tables: [String: [String]]

    /// Reads the vault's file, which may be open, without further tables and columns.
    static func read(_ path: String, except exceptions: Set<String> = []) async throws -> StoredRows {
        let schema = """
            SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c
            WHERE t.type = 'table' AND t.name GLOB 'sp_*' ORDER BY 1
            """
        let found = try await sqlite(path, schema)
        let ignored = leftOut.union(exceptions)
        let known = Set(found).union(found.map { String($0.prefix { $0 != "." }) })
        // A name that is misspelt here, or gone from the schema, would leave out nothing.
        try #require(known.isSuperset(of: ignored), "\(ignored.subtracting(known))")
        var columns: [String: [String]] = [:]
        for name in found {
            let parts = name.split(separator: ".").map(String.init)
            if !ignored.contains(name), !ignored.contains(parts[0]) { columns[parts[0], default: []].append(parts[1]) }
        }
        let rows = columns.map { table, columns in
            let texts = columns.map { "quote(\($0))" }.joined(separator: " || ' ' || ")
            return "SELECT '\(table) ' || \(texts) FROM \(table);"
        }
        // One transaction, so that all tables are of the same moment.
        let lines = try await sqlite(path, "BEGIN;" + rows.joined() + "COMMIT;")
        return StoredRows(
            tables: Dictionary(grouping: lines.sorted()) { String($0.prefix { $0 != " " }) })
    }

    /// The tables that are not as they were.
    func changed(since old: StoredRows) -> [String] {
        Set(tables.keys).union(old.tables.keys).filter { tables[$0] != old.tables[$0] }.sorted()
    }

    /// The lines that `sqlite3` prints about a vault's file, which may be open.
    static func sqlite(_ path: String, _ sql: String) async throws -> [String] {
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("rows-\(UUID().uuidString)")
        try Data().write(to: log)
        defer { try? FileManager.default.removeItem(at: log) }
        let handle = try FileHandle(forWritingTo: log)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["sqlite3", "-batch", "-bail", "-readonly", "-cmd", ".timeout 5000", path, sql]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                ended.resume(throwing: error)
            }
        }
        try handle.close()
        let output = String(decoding: try Data(contentsOf: log), as: UTF8.self)
        try #require(status == 0, "sqlite3: \(output)")
        return output.split(separator: "\n").map(String.init)
    }
}

extension TestHome {
    /// Checks that `body` leaves every row of the provider as it is, but for what any refusal may write, and what this
    /// very one writes too, as `table` or `table.column`.
    func expectNothingChanged(
        except exceptions: Set<String> = [], _ location: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Void
    ) async throws {
        let tables = try await changedTables(except: exceptions, body)
        #expect(tables.isEmpty, "changed: \(tables)", sourceLocation: location)
    }

    /// The tables of the provider that `body` changes.
    func changedTables(except exceptions: Set<String> = [], _ body: () async throws -> Void) async throws -> [String] {
        let before = try await StoredRows.read(path, except: exceptions)
        try await body()
        return try await StoredRows.read(path, except: exceptions).changed(since: before)
    }
}

@Suite(.timeLimit(.minutes(5))) struct StoredRowsTests {
    @Test("a change of any row is seen: added, changed or removed; what was only looked at is none")
    func changes() async throws {
        try await TestHome.run { home in
            let app = try await OAuth2App.register(home)
            let code = try await app.code()
            var refresh = ""
            let redeemed = try await home.changedTables {
                refresh = try #require(try await app.token(app.redemption(code)).json["refresh_token"]?.string)
            }
            #expect(redeemed == ["sp_access_token", "sp_code", "sp_grant", "sp_grant_scope", "sp_refresh_token"])
            home.clock.advance(by: 61)
            let refreshed = try await home.changedTables { _ = try await app.refresh(refresh) }
            #expect(refreshed == ["sp_access_token", "sp_refresh_token"])
            let revoked = try await home.changedTables { _ = try await app.revoke(refresh) }
            #expect(revoked == ["sp_grant"])
            let invited = try await home.changedTables { _ = try await home.provider.invite() }
            #expect(invited == ["sp_invitation"])
            let removed = try await home.changedTables { try await home.provider.removeApp("Lamp") }
            #expect(removed == ["sp_consumer"])
            let looked = try await home.changedTables { _ = try await app.devices("x") }
            #expect(looked.isEmpty)
        }
    }
}
