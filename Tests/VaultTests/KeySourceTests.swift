// A key file that others could read, or that is not one, is refused.

import Foundation
import Glibc
import Sealing
import Testing
import Vault

@Suite struct KeySourceTests {
    @Test("a new key file has 32 random bytes, belongs to its owner only, and reads back")
    func make() async throws {
        try await VaultFolder.use { folder in
            let paths = ["a.key", "b.key"].map { folder.folder.appendingPathComponent($0).path }
            for path in paths {
                guard case .file(let made) = try KeySource.makeFile(at: path),
                    case .file(let read) = try KeySource.readFile(at: path)
                else {
                    Issue.record("not a file's key")
                    return
                }
                #expect(made.count == 32)
                #expect(made.matches(read))
                #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            }
            #expect(FileManager.default.contents(atPath: paths[0]) != FileManager.default.contents(atPath: paths[1]))
            let before = FileManager.default.contents(atPath: paths[0])
            #expect(throws: PrivateFileError.exists(paths[0])) { try KeySource.makeFile(at: paths[0]) }
            #expect(FileManager.default.contents(atPath: paths[0]) == before)
        }
    }

    @Test("a key file that others may touch is refused", arguments: [0o644, 0o640, 0o604, 0o620, 0o601, 0o660, 0o777])
    func open(_ mode: Int) async throws {
        try await VaultFolder.use { folder in
            let path = folder.folder.appendingPathComponent("vault.key").path
            _ = try KeySource.makeFile(at: path)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            #expect(throws: PrivateFileError.open(path)) { try KeySource.readFile(at: path) }
            try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: path)
            #expect(throws: Never.self) { try KeySource.readFile(at: path) }
        }
    }

    @Test("a key file that is reached through a link is refused")
    func link() async throws {
        try await VaultFolder.use { folder in
            let path = folder.folder.appendingPathComponent("vault.key").path
            let link = folder.folder.appendingPathComponent("link.key").path
            _ = try KeySource.makeFile(at: path)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
            #expect(throws: PrivateFileError.system(link, verb: "read", errno: ELOOP)) {
                try KeySource.readFile(at: link)
            }
            let dangling = folder.folder.appendingPathComponent("dangling.key").path
            try FileManager.default.createSymbolicLink(atPath: dangling, withDestinationPath: path + "2")
            #expect(throws: PrivateFileError.exists(dangling)) { try KeySource.makeFile(at: dangling) }
            #expect(!FileManager.default.fileExists(atPath: path + "2"))
        }
    }

    @Test("a key file of another size is no key", arguments: [0, 1, 31, 33, 64, 1024])
    func size(_ count: Int) async throws {
        try await VaultFolder.use { folder in
            let path = folder.folder.appendingPathComponent("vault.key").path
            try PrivateFile.create(path, Secret.random(count: count))
            #expect(throws: VaultError.wrongKey) { try KeySource.readFile(at: path) }
        }
    }

    @Test("a key file that is missing, huge or a folder is refused")
    func notAKey() async throws {
        try await VaultFolder.use { folder in
            let path = folder.folder.appendingPathComponent("vault.key").path
            #expect(throws: PrivateFileError.missing(path)) { try KeySource.readFile(at: path) }
            try PrivateFile.create(path, Secret.random(count: 1025))
            #expect(throws: PrivateFileError.tooLarge(path, allowed: 1024)) { try KeySource.readFile(at: path) }
            #expect(throws: PrivateFileError.self) { try KeySource.readFile(at: folder.folder.path) }
        }
    }
}
