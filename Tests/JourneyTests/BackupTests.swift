// A backup that comes back is the home as it was, in quarantine until its owner says so; one that cannot come back changes
// nothing.

import Foundation
import StrictJSON
import Testing

@Suite(.serialized) struct BackupTests {
    @Test(
        "a backup is written where the command was given, once, and not inside the home", .timeLimit(.minutes(1)))
    func written() async throws {
        let home = try await TestHome.start()
        let written = try await home.done("backup", "\(home.folder)/b.kh")
        #expect(written["backup"]?["path"]?.string == "\(home.folder)/b.kh")
        let mode = try FileManager.default.attributesOfItem(atPath: "\(home.folder)/b.kh")[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let again = try await home.keyholder("backup", "\(home.folder)/b.kh")
        #expect(again.status == 1 && again.errors.contains("already is something"), "\(again.errors)")
        let inside = try await home.keyholder("backup", "\(home.homePath)/b.kh")
        #expect(inside.status == 2 && inside.errors.contains("inside the home"), "\(inside.errors)")
        // The CLI's folder counts, and not the daemon's.
        let relative = try await Program.run(
            "/bin/sh", ["-c", "cd \"$1\" && exec \"$0\" backup c.kh", Places.program("keyholder"), home.folder],
            environment: ["KEYHOLDER_HOME": home.homePath])
        #expect(relative.status == 0 && relative.output.contains("\(home.folder)/c.kh"), "\(relative.errors)")
        #expect(relative.errors.contains("vault.key"))
        #expect(FileManager.default.fileExists(atPath: "\(home.folder)/c.kh"))
        try await home.stop()
    }

    @Test(
        "a restored home has its grants, does nothing in quarantine, and goes on when that is lifted",
        .timeLimit(.minutes(1)))
    func restored() async throws {
        let home = try await TestHome.granted()
        try await home.done("backup", "\(home.folder)/b.kh")
        let running = try await home.keyholder("restore", "\(home.folder)/b.kh", "--replace")
        #expect(running.status == 10, "\(running.errors)")
        try await home.daemon.end()
        let kept = try await home.keyholder("restore", "\(home.folder)/b.kh")
        #expect(kept.status == 1 && kept.errors.contains("--replace"), "\(kept.errors)")
        let restored = try await home.done("restore", "\(home.folder)/b.kh", "--replace")
        #expect(restored["quarantine"]?.bool == true)
        #expect(restored["missing"]?.array?.isEmpty == true)
        let aside = try restored["replaced"]?.string.orThrow("nothing was kept") ?? ""
        #expect(FileManager.default.fileExists(atPath: aside))
        try await home.startDaemon(inQuarantine: true)
        #expect(try await home.done("quarantine", "show")["quarantine"]?.string?.contains("backup") == true)
        #expect(try await home.done("status")["broker"]?.string == "not connected")
        #expect(try await home.done("status")["quarantine"]?.string != nil)
        #expect(try await home.keyholder("status").output.contains("quarantine"))
        #expect(try await home.keyholder("grant", "request", "hallway").status != 0)
        #expect(try await home.done("quarantine", "lift")["quarantine"] == .null)
        _ = try await home.daemon.errors.line(with: "broker connected")
        #expect(try await home.done("quarantine", "show")["quarantine"] == .null)
        #expect(try await home.keyholder("quarantine", "lift").status == 8)
        #expect(try await home.done("token", "hallway")["access_token"]?.string?.isEmpty == false)
        let notices = try await home.done("notice", "list")["notices"]?.array ?? []
        #expect(notices.contains { $0["kind"]?.string == "quarantined" && $0["open"]?.bool == false })
        #expect(notices.last?["kind"]?.string == "well_again")
        let actions = try await home.audit().compactMap { $0["action"]?.string }
        #expect(actions.contains("vault.backup") && actions.contains("vault.restore"))
        #expect(try await home.done("audit", "verify")["intact"]?.bool == true)
        try await home.stop()
    }

    @Test("what is no whole backup, or another home's, is refused and nothing is changed", .timeLimit(.minutes(1)))
    func refused() async throws {
        let home = try await TestHome.start()
        try await home.done("backup", "\(home.folder)/b.kh")
        try await home.daemon.end()
        let before = try Set(FileManager.default.contentsOfDirectory(atPath: home.homePath))
        let vault = try Data(contentsOf: URL(filePath: "\(home.homePath)/vault.sqlite"))
        let backup = try Data(contentsOf: URL(filePath: "\(home.folder)/b.kh"))
        try Data("text".utf8).write(to: URL(filePath: "\(home.folder)/text"))
        try backup.prefix(20_000).write(to: URL(filePath: "\(home.folder)/cut"))
        try backup.write(to: URL(filePath: "\(home.folder)/open"))
        try Data("x".utf8).write(to: URL(filePath: "\(home.folder)/open-wal"))
        for (file, says) in [
            ("nowhere", "cannot read"), (".", "no regular file"), ("text", "damaged"), ("cut", "damaged"),
            ("open", "not a whole backup"),
        ] {
            let run = try await home.keyholder("restore", "\(home.folder)/\(file)", "--replace")
            #expect(run.status == 2, "\(file): \(run.status) \(run.errors)")
            #expect(run.errors.hasPrefix("error: ") && run.errors.contains(says), "\(file): \(run.errors)")
        }
        try FileManager.default.moveItem(atPath: "\(home.homePath)/vault.key", toPath: "\(home.folder)/key")
        try home.privateFile("home/vault.key", String(repeating: "k", count: 32))
        let foreign = try await home.keyholder("restore", "\(home.folder)/b.kh", "--replace")
        #expect(foreign.status == 3 && foreign.errors.contains("does not open"), "\(foreign.errors)")
        try FileManager.default.removeItem(atPath: "\(home.homePath)/vault.key")
        try FileManager.default.moveItem(atPath: "\(home.folder)/key", toPath: "\(home.homePath)/vault.key")
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: home.homePath)) == before)
        #expect(try Data(contentsOf: URL(filePath: "\(home.homePath)/vault.sqlite")) == vault)
        try await home.startDaemon()
        #expect(try await home.done("status")["quarantine"] == .null)
        try await home.stop()
    }

    @Test("on a new machine a restore says what else has to come back", .timeLimit(.minutes(1)))
    func newMachine() async throws {
        let home = try await TestHome.start()
        try await home.done("backup", "\(home.folder)/b.kh")
        let place = "\(home.folder)/new/home"
        func restore(_ file: String) async throws -> Finished {
            try await Program.run(
                Places.program("keyholder"), ["restore", "\(home.folder)/\(file)"],
                environment: ["KEYHOLDER_HOME": place])
        }
        #expect(try await restore("config").status == 2)
        #expect(!FileManager.default.fileExists(atPath: place))
        let run = try await restore("b.kh")
        #expect(run.status == 0, "\(run.errors)")
        for name in ["config.yaml", "vault.key", "broker"] {
            #expect(run.errors.contains("put back \(place)/\(name)"), "\(run.errors)")
            try FileManager.default.copyItem(atPath: "\(home.homePath)/\(name)", toPath: "\(place)/\(name)")
        }
        try await home.daemon.end()
        let daemon = try Program(Places.program("keyholderd"), [], environment: ["KEYHOLDER_HOME": place])
        _ = try await daemon.errors.line(with: " ready")
        let status = try await Program.run(
            Places.program("keyholder"), ["status", "--json"], environment: ["KEYHOLDER_HOME": place])
        #expect(status.json["name"]?.string == "Test home")
        #expect(status.json["quarantine"]?.string != nil)
        try await daemon.end()
        try await home.startDaemon()
        try await home.stop()
    }
}
