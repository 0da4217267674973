// A backup takes the vault's place whole or not at all: it is proved in a folder of its own inside the home first, and
// what was there before is still there under another name. No start after it is without quarantine.

import ArgumentParser
import Delegation
import FoundationEssentials
import Glibc
import Sealing
import StrictJSON
import Vault

struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put a backup in the place of the vault in KEYHOLDER_HOME; no daemon may be serving it.",
        discussion: """
            The first start after it is in quarantine: nothing is refreshed until 'keyholder quarantine lift', because
            another hub may still use the same grants, and newer tokens than the backup's may be about.
            """)

    @Argument(help: "A file that 'keyholder backup' wrote.") var file: String
    @Flag(help: "Move a vault that is there aside first.") var replace = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let home = try HomeFolder(environment: ProcessInfo.processInfo.environment)
        try Self.checkBackup(file)
        let isNew = try Self.prepare(home)
        defer { if isNew, !Self.isThere(home.vault) { Self.discard(home) } }
        let lock = try HomeLock(home)
        guard replace || !Self.isThere(home.vault) else {
            throw Refusal(
                .conflict, "there already is a vault at \(quoted(home.vault))",
                hint: "with --replace it is moved aside; nothing was changed")
        }
        let stage = "\(home.path)/restore-\(Random.alphanumerics(6))"
        guard mkdir(stage, 0o700) == 0 else { throw Self.failed("create", stage) }
        defer { try? FileManager.default.removeItem(atPath: stage) }
        let name = try await proved(in: stage, home)
        let aside = try VaultPlace(home).put("\(stage)/proved.sqlite")
        report(home, name: name, aside: aside)
        // Held until here, so that no daemon starts in between.
        _ = consume lock
    }

    /// Makes `proved.sqlite` of the backup: of this version, undamaged, opened by the key that is here, in quarantine.
    ///
    /// - Returns: What the home is called.
    private func proved(in stage: String, _ home: HomeFolder) async throws -> String {
        let copy = "\(stage)/copy.sqlite"
        try FileCopy.make(of: file, at: copy)
        let vault: Vault
        do {
            vault = try await Vault.open(at: copy)
        } catch let error as VaultError {
            throw Refusal(.usage, "\(quoted(file)) cannot be restored: \(error)", hint: "nothing was changed")
        }
        if vault.protection.kind == .file, Self.isThere(home.vaultKey) {
            do {
                try await vault.unseal(with: try KeySource.readFile(at: home.vaultKey))
            } catch VaultError.wrongKey {
                throw Refusal(
                    .notAuthorised, "the key at \(quoted(home.vaultKey)) does not open \(quoted(file))",
                    hint: "put the key that was kept with the backup in its place; nothing was changed")
            }
            try await vault.write {
                try $0.audit(
                    AuditEntry(
                        actor: .agent, action: "vault.restore", subject: "vault", authority: "local",
                        outcome: "restored"),
                    at: Date())
            }
        }
        let name = try await vault.read { try $0.home().name }
        // Once more through the backup, which puts into quarantine also what was no more than a copied file.
        try await vault.backup(to: "\(stage)/proved.sqlite")
        try vault.close()
        return name
    }

    private func report(_ home: HomeFolder, name: String, aside: String?) {
        let missing = [home.configuration, home.vaultKey, home.broker].filter { !Self.isThere($0) }
        if json {
            Console.out(
                JSON.compact([
                    "home": .string(home.path), "name": .string(name), "replaced": aside.map(JSON.string),
                    "quarantine": true, "missing": .strings(missing),
                ]).prettyText)
            return
        }
        Console.out("restored the vault of \(quoted(name)) in \(home.path)")
        if let aside { Console.error("note: the vault that was there is now \(aside)") }
        for path in missing where path != home.vaultKey {
            Console.error("note: put back \(path) as well, which is not in a backup")
        }
        if missing.contains(home.vaultKey) {
            Console.error("note: put back \(home.vaultKey) as well, unless the vault opens with a passphrase")
        }
        Console.error("note: the first start is in quarantine, and nothing is refreshed in it")
        Console.error("hint: if no other hub uses this home, start keyholderd and run 'keyholder quarantine lift'")
    }
}

extension Restore {
    /// Whether anything is there, a link that leads nowhere included.
    static func isThere(_ path: String) -> Bool { faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 }

    static func failed(_ verb: String, _ path: String) -> Refusal {
        let hint = "nothing was changed"
        return Refusal(.failure, "cannot \(verb) \(quoted(path)): \(String(cString: strerror(errno)))", hint: hint)
    }

    private static func checkBackup(_ file: String) throws {
        guard access(file, R_OK) == 0 else {
            throw Refusal(.usage, "cannot read \(quoted(file)): \(String(cString: strerror(errno)))")
        }
        guard isRegular(file) else {
            throw Refusal(.usage, "\(quoted(file)) is no regular file", hint: "nothing was changed")
        }
        guard hasNoContent("\(file)-wal") else {
            throw Refusal(
                .usage, "\(quoted(file)) is not a whole backup: the end of it is in \(quoted("\(file)-wal"))",
                hint: "give a file that 'keyholder backup' wrote; nothing was changed")
        }
    }

    private static func hasNoContent(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        return lseek(descriptor, 0, SEEK_END) <= 0
    }

    /// What a path leads to is a file, and no folder, pipe or device.
    private static func isRegular(_ path: String) -> Bool {
        guard let found = realpath(path, nil) else { return false }
        defer { free(found) }
        let attributes = try? FileManager.default.attributesOfItem(atPath: String(cString: found))
        return attributes?[.type] as? FileAttributeType == .typeRegular
    }

    /// Makes the home's folder if there is none, and refuses one that others can write to.
    private static func prepare(_ home: HomeFolder) throws -> Bool {
        if let isPrivate = PrivateFile.isPrivateFolder(home.path) {
            guard isPrivate else {
                throw Refusal(
                    .failure, "the home \(quoted(home.path)) belongs to another user or is open to others",
                    hint: "chown it to the daemon's user and chmod it to 700")
            }
            return false
        }
        let parent = home.path.lastIndex(of: "/").map { String(home.path[..<$0]) } ?? ""
        try FileManager.default.createDirectory(
            atPath: parent.isEmpty ? "/" : parent, withIntermediateDirectories: true)
        guard mkdir(home.path, 0o700) == 0 else { throw failed("create", home.path) }
        return true
    }

    /// Takes back a folder that was made for a restore which failed.
    private static func discard(_ home: HomeFolder) {
        unlink(home.lock)
        rmdir(home.path)
    }
}
