// A copy or an old state of the vault is noticed; a power cut, an unplugged adapter or a vault at its place is not taken
// for one.

import Delegation
import Foundation
import Sealing
import Testing
import Vault

@Suite struct QuarantineTests {
    private static let older = "an older state of the vault was put back"
    private static let elsewhere = "this is a copy on another machine"
    private static let replaced = "the vault's file was replaced, and nothing proves that this is its newest state"

    private static let machine = Machine(id: "a", board: "b", interfaces: ["c", "d"])

    private func line(_ folder: VaultFolder, in vault: Vault) async throws {
        try await vault.write {
            try $0.audit(
                AuditEntry(actor: .agent, action: "test", subject: "x", authority: "local", outcome: "done"), at: noon)
        }
    }

    /// Opens, says why it is in quarantine, and closes.
    private func reason(_ folder: VaultFolder, on machine: Machine = Self.machine) async throws -> String? {
        let vault = try await Vault.open(at: folder.path, machine: machine)
        defer { try? vault.close() }
        return vault.quarantine
    }

    /// A home with some lines in its log, closed.
    private func home(_ body: (VaultFolder) async throws -> Void) async throws {
        try await VaultFolder.use { folder in
            let vault = try await Vault.create(
                at: folder.path, key: folder.key, homeName: "Test home", machine: Self.machine)
            #expect(vault.quarantine == nil)
            for _ in 1...3 { try await line(folder, in: vault) }
            try vault.close()
            try await body(folder)
        }
    }

    private func goOn(_ folder: VaultFolder) async throws {
        let vault = try await Vault.open(at: folder.path, machine: Self.machine)
        try await vault.unseal(with: folder.key)
        try await line(folder, in: vault)
        try vault.close()
    }

    /// `cp`: into the same file when there is one.
    private func copy(_ source: String, over target: String) throws {
        let content = try Data(contentsOf: URL(fileURLWithPath: source))
        if FileManager.default.fileExists(atPath: target) {
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: target))
            try handle.truncate(atOffset: 0)
            try handle.write(contentsOf: content)
            try handle.close()
        } else {
            try content.write(to: URL(fileURLWithPath: target))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: target)
        }
    }

    @Test("a vault at its place on its machine is used as ever")
    func undisturbed() async throws {
        try await home { folder in
            for _ in 1...2 {
                #expect(try await reason(folder) == nil)
                try await goOn(folder)
            }
        }
    }

    @Test(
        "a vault that is older than its anchor is quarantined, into whatever file it was put", arguments: [true, false])
    func older(_ isNewFile: Bool) async throws {
        try await home { folder in
            let backup = folder.path + ".backup"
            try copy(folder.path, over: backup)
            try await goOn(folder)
            if isNewFile { try FileManager.default.removeItem(atPath: folder.path) }
            try copy(backup, over: folder.path)
            #expect(try await reason(folder) == Self.older)
            // It is kept, whatever becomes of the anchor.
            try FileManager.default.removeItem(atPath: folder.anchor)
            #expect(try await reason(folder) == Self.older)
        }
    }

    @Test("a file that was replaced by its newest state is trusted as long as the anchor is in its place")
    func newest() async throws {
        try await home { folder in
            try copy(folder.path, over: folder.path + ".copy")
            try VaultFolder.rename(folder.path + ".copy", to: folder.path)
            #expect(try await reason(folder) == nil)
            #expect(try await reason(folder) == nil)
        }
    }

    @Test(
        "a home that was copied on its machine, with its anchor or without, is quarantined", arguments: [true, false])
    func moved(_ hasAnchor: Bool) async throws {
        try await home { folder in
            try await VaultFolder.use { other in
                let other = VaultFolder(folder: other.folder, key: folder.key)
                try copy(folder.path, over: other.path)
                if hasAnchor { try copy(folder.anchor, over: other.anchor) }
                #expect(try await reason(other) == Self.replaced)
                #expect(try await reason(folder) == nil)
            }
        }
    }

    @Test("both files written over with what they once held is an older state")
    func writtenOver() async throws {
        try await home { folder in
            for path in [folder.path, folder.anchor] { try copy(path, over: path + ".backup") }
            try await goOn(folder)
            for path in [folder.path, folder.anchor] { try copy(path + ".backup", over: path) }
            // As `cp -p` does; an anchor's own time is that of its making.
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -86400)], ofItemAtPath: folder.anchor)
            #expect(try await reason(folder) == Self.older)
        }
    }

    @Test(
        "an anchor that a power cut took, tore or left behind means nothing",
        arguments: ["gone", "empty", "half", "noise", "zeros", "last", "other"])
    func powerCut(_ kind: String) async throws {
        try await home { folder in
            let whole = try Data(contentsOf: URL(fileURLWithPath: folder.anchor))
            try await goOn(folder)
            let left: Data =
                switch kind {
                case "half": whole.prefix(whole.count / 2)
                case "noise": Data(Random.bytes(100))
                case "zeros": Data(count: whole.count)
                case "last", "other": whole
                default: Data()
                }
            // Another file's old blocks may be what a new file holds after a power cut.
            try FileManager.default.removeItem(atPath: folder.anchor)
            if kind != "gone" {
                try left.write(to: URL(fileURLWithPath: folder.anchor))
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder.anchor)
            }
            if kind == "other" { try Data().write(to: URL(fileURLWithPath: folder.anchor + ".new")) }
            #expect(try await reason(folder) == nil)
            // The next start stands on a whole one again.
            try FileManager.default.copyItem(atPath: folder.path, toPath: folder.path + ".copy")
            try VaultFolder.rename(folder.path + ".copy", to: folder.path)
            #expect(try await reason(folder) == nil)
        }
    }

    @Test("an anchor of another home means nothing, and a new one takes its place")
    func foreignAnchor() async throws {
        try await home { folder in
            try await home { other in
                for _ in 1...3 { try await goOn(other) }
                try FileManager.default.removeItem(atPath: folder.anchor)
                try FileManager.default.copyItem(atPath: other.anchor, toPath: folder.anchor)
                #expect(try await reason(folder) == nil)
                try FileManager.default.moveItem(atPath: folder.path, toPath: folder.path + ".old")
                try copy(folder.path + ".old", over: folder.path)
                #expect(try await reason(folder) == nil)
            }
        }
    }

    @Test("a vault that was not in use yet when backups were noticed is adopted where it is")
    func adopted() async throws {
        try await home { folder in
            try await folder.sqlite("DELETE FROM instance")
            try FileManager.default.removeItem(atPath: folder.anchor)
            #expect(try await reason(folder, on: Machine(id: "z", board: "y", interfaces: [])) == nil)
            #expect(try await reason(folder) == Self.elsewhere)
        }
    }

    @Test("of two machines that differ in this, which is another one", arguments: MachineCase.all)
    func machines(_ example: MachineCase) async throws {
        try await VaultFolder.use { folder in
            let vault = try await Vault.create(
                at: folder.path, key: folder.key, homeName: "Test home", machine: example.before)
            try await line(folder, in: vault)
            try vault.close()
            #expect(try await reason(folder, on: example.after) == (example.isOther ? Self.elsewhere : nil))
            #expect(try await reason(folder, on: example.before) == (example.isOther ? Self.elsewhere : nil))
        }
    }

    struct MachineCase: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let before: Machine
        let after: Machine
        let isOther: Bool

        init(_ name: String, _ before: Machine, _ after: Machine, isOther: Bool) {
            (testDescription, self.before, self.after, self.isOther) = (name, before, after, isOther)
        }

        static func machine(_ id: String?, _ board: String?, _ interfaces: String...) -> Machine {
            Machine(id: id, board: board, interfaces: interfaces)
        }

        static let all = [
            MachineCase("nothing", machine("i", "b", "x"), machine("i", "b", "x"), isOther: false),
            MachineCase("a new system", machine("i", "b", "x"), machine("j", "b", "x"), isOther: false),
            MachineCase("a new interface", machine("i", "b", "x"), machine("i", "b", "y"), isOther: false),
            MachineCase("no interface yet", machine("i", nil, "x"), machine("i", nil), isOther: false),
            MachineCase("one of two interfaces", machine("i", nil, "x", "y"), machine("j", nil, "y"), isOther: false),
            MachineCase("no right to the serial", machine("i", "b", "x"), machine("i", nil, "x"), isOther: false),
            MachineCase("a container's new id", machine("i", nil), machine("j", nil), isOther: false),
            MachineCase("no marks at all", machine(nil, nil), machine(nil, nil), isOther: false),
            MachineCase("the board", machine("i", "b", "x"), machine("i", "c", "x"), isOther: true),
            MachineCase("every interface", machine("i", nil, "x"), machine("i", nil, "y"), isOther: true),
        ]
    }

    @Test("a copy in a container with another id and no other mark is another machine")
    func copiedContainer() async throws {
        try await VaultFolder.use { folder in
            let vault = try await Vault.create(
                at: folder.path, key: folder.key, homeName: "Test home",
                machine: Machine(id: "i", board: nil, interfaces: []))
            try await line(folder, in: vault)
            try vault.close()
            try FileManager.default.copyItem(atPath: folder.path, toPath: folder.path + ".copy")
            try VaultFolder.rename(folder.path + ".copy", to: folder.path)
            #expect(try await reason(folder, on: Machine(id: "j", board: nil, interfaces: [])) == Self.elsewhere)
        }
    }

    @Test("an interface that is away for a while is not forgotten")
    func remembered() async throws {
        try await VaultFolder.use { folder in
            func machine(_ interfaces: String...) -> Machine { Machine(id: "i", board: nil, interfaces: interfaces) }
            try await Vault.create(at: folder.path, key: folder.key, homeName: "Test", machine: machine("x", "y"))
                .close()
            for seen in [machine("y", "z"), machine("z"), machine(), machine("x")] {
                #expect(try await reason(folder, on: seen) == nil)
            }
        }
    }

    @Test("the machine that runs this is the same twice, and its marks lie in the vault as digests only")
    func this() async throws {
        #expect(Machine.this == Machine.this)
        try await VaultFolder.use { folder in
            try await folder.create().close()
            let marks = try await folder.sqlite("SELECT machine FROM instance")
            if let id = try? String(contentsOfFile: "/etc/machine-id", encoding: .utf8) {
                #expect(!marks.contains(id.trimmingCharacters(in: .whitespacesAndNewlines)))
                #expect(marks.contains("id:"))
            }
            #expect(try await reason(folder, on: .this) == nil)
        }
    }
}

extension VaultFolder {
    var anchor: String { folder.appendingPathComponent("vault.anchor").path }
}
