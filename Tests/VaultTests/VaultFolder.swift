// A vault in a folder of its own, and the `sqlite3` command to look at its file, and to change it, from outside.

import Delegation
import Foundation
import Glibc
import Sealing
import Testing
import Vault

struct VaultFolder: Sendable {
    let folder: URL
    var key = KeySource.file(Secret.random(count: 32))

    var path: String { folder.appendingPathComponent("vault.sqlite").path }

    /// Runs a test with a new folder, gone afterwards.
    static func use(_ body: (VaultFolder) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("vault-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(VaultFolder(folder: folder))
    }

    /// Makes the vault, unsealed.
    func create() async throws -> Vault { try await Vault.create(at: path, key: key, homeName: "Test home") }

    /// Opens the vault again and unseals it.
    func reopen() async throws -> Vault {
        let vault = try await Vault.open(at: path)
        try await vault.unseal(with: key)
        return vault
    }

    /// The vault's file as it is.
    func fileBytes() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    /// Every byte of every file in the folder.
    func allBytes() throws -> Data {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .reduce(into: Data()) { $0.append(try Data(contentsOf: $1)) }
    }

    /// What `sqlite3` prints for these statements; the vault should be closed.
    @discardableResult
    func sqlite(_ sql: String) async throws -> String {
        try await Self.run("sqlite3", "-batch", "-bail", path, sql)
    }

    /// Puts a file in the place of another one.
    static func rename(_ source: String, to target: String) throws {
        try #require(Glibc.rename(source, target) == 0)
    }

    /// What a command prints.
    @discardableResult
    static func run(_ command: String...) async throws -> String {
        let folder = FileManager.default.temporaryDirectory
        let log = folder.appendingPathComponent("output-\(UUID().uuidString)")
        try Data().write(to: log)
        defer { try? FileManager.default.removeItem(at: log) }
        let handle = try FileHandle(forWritingTo: log)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
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
        try #require(status == 0, "\(command[0]): \(output)")
        return output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// A moment with milliseconds, as the vault keeps them.
let noon = Date(timeIntervalSince1970: 1_790_000_000.25)

extension Device {
    /// A device with keys of its own.
    static func sample(
        _ name: String, state: State = .enrolled, identityKey: [UInt8] = Random.bytes(32)
    ) throws -> Device {
        Device(
            id: Random.alphanumerics(16), name: try DeviceName(checking: name),
            profile: try #require(ProfileReference(rawValue: "locks/demo-lock")), state: state,
            identityKey: identityKey,
            sealingKey: Random.bytes(32), createdAt: noon, enrolledAt: state == .enrolled ? noon : nil)
    }
}

extension StoredKey {
    /// A key whose secret is a text.
    static func sample(_ id: String, _ purpose: Purpose, _ secret: String) -> StoredKey {
        StoredKey(id: id, purpose: purpose, secret: Secret(text: secret), createdAt: noon, retiredAt: nil)
    }
}
