// The device's own program: its folder outlives interruptions, and its code outlives nothing but them.

import Foundation
import Sealing
import StrictJSON
import Testing

@Suite(.serialized) struct DeviceProgramTests {
    private let profile = ["--profile", "locks/demo-lock"]

    private func makeDevice(_ folder: String) async throws -> Finished {
        try await Program.run(Places.program("keyholder-device"), ["init", "--dir", folder] + profile)
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/kh-\(Random.alphanumerics(8))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    @Test("a folder that init left half-made is finished by the next one", .timeLimit(.minutes(1)))
    func halfMade() async throws {
        try await withFolder { parent in
            let folder = "\(parent)/d"
            let first = try await makeDevice(folder)
            #expect(first.status == 0)
            // Written last: without it nothing was finished, at whichever file it stopped.
            for left in [["profile.yaml", "identity.key", "sealing.key", "code"], ["profile.yaml"]] {
                try FileManager.default.removeItem(atPath: "\(folder)/device.json")
                for name in ["identity.key", "sealing.key", "code"] where !left.contains(name) {
                    try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
                }
                let again = try await makeDevice(folder)
                #expect(again.status == 0, "\(again.errors)")
                #expect(again.output.hasPrefix("dac-label:v1?"))
                #expect(again.output != first.output)
                #expect(try await makeDevice(folder).output == again.output)
            }
        }
    }

    @Test("init makes no keys in a folder that is open to others", .timeLimit(.minutes(1)), arguments: [0o755, 0o720])
    func openFolder(mode: Int) async throws {
        try await withFolder { parent in
            let folder = "\(parent)/d"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder)
            let refused = try await makeDevice(folder)
            #expect(refused.status == 1)
            #expect(refused.errors.contains("belongs to another user or is open to others"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
            try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder)
            #expect(try await makeDevice(folder).status == 0)
        }
    }

    @Test("init makes no keys in a folder of another user", .timeLimit(.minutes(1)), .enabled(if: geteuid() == 0))
    func foreignFolder() async throws {
        try await withFolder { parent in
            let folder = "\(parent)/d"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
            #expect(chown(folder, 65_534, 65_534) == 0)
            #expect(try await makeDevice(folder).status == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        }
    }

    @Test(
        "a device that joined but was never spoken to keeps its code, and joins anew with a second bundle",
        .timeLimit(.minutes(1)))
    func enrolledAgain() async throws {
        let home = try await TestHome.start()
        let folder = "\(home.folder)/front-door"
        let label = try await makeDevice(folder).output.trimmed
        let bundle = "\(home.folder)/front-door.join"
        try await home.done("device", "enroll", "front-door", "--label", label, "--out", bundle)

        // With the daemon gone nobody proves anything: the device takes the bundle, connects, and keeps its code.
        let daemon = try home.daemon
        try await daemon.end()
        try home.startDevice("front-door")
        _ = try await home.device("front-door").output.line(with: "connected session=")
        try await home.device("front-door").end()
        #expect(exists("\(folder)/joined.json"))
        #expect(exists("\(folder)/code"))
        let joined = try String(contentsOfFile: "\(folder)/joined.json", encoding: .utf8)

        try await home.startDaemon()
        try FileManager.default.removeItem(atPath: bundle)
        try await home.done("device", "enroll", "front-door", "--label", label, "--out", bundle)
        try home.startDevice("front-door")
        let shown = try await home.done("device", "show", "front-door", "--wait", "30s")
        #expect(shown["device"]?["state"]?.string == "enrolled")
        #expect(try String(contentsOfFile: "\(folder)/joined.json", encoding: .utf8) != joined)
        #expect(!exists("\(folder)/code"))
        try await home.stop()
    }

    @Test(
        "until it has its proof a device starts again without its bundle; after it, no bundle is looked at any more",
        .timeLimit(.minutes(1)))
    func bundleGone() async throws {
        let home = try await TestHome.start()
        let folder = "\(home.folder)/front-door"
        let label = try await makeDevice(folder).output.trimmed
        let bundle = "\(home.folder)/front-door.join"
        try await home.done("device", "enroll", "front-door", "--label", label, "--out", bundle)
        try await home.daemon.end()
        try home.startDevice("front-door")
        _ = try await home.device("front-door").output.line(with: "connected session=")
        try await home.device("front-door").end()

        try home.privateFile("front-door.join", "not a bundle")
        try home.startDevice("front-door")
        _ = try await home.device("front-door").errors.line(with: "note: the bundle was not taken")
        _ = try await home.device("front-door").output.line(with: "connected session=")
        #expect(exists("\(folder)/code"))
        try await home.startDaemon()
        try await home.done("device", "show", "front-door", "--wait", "30s")
        #expect(!exists("\(folder)/code"))
        try await home.device("front-door").end()

        try home.startDevice("front-door")
        _ = try await home.device("front-door").output.line(with: "connected session=")
        #expect(try home.device("front-door").errors.lines.isEmpty)
        try await home.stop()
    }

    @Test(
        "a bundle whose key set no root key signed is refused, and nothing of it is kept", .timeLimit(.minutes(1)))
    func badKeySet() async throws {
        let home = try await TestHome.start()
        let folder = "\(home.folder)/front-door"
        let label = try await makeDevice(folder).output.trimmed
        let bundle = "\(home.folder)/front-door.join"
        try await home.done("device", "enroll", "front-door", "--label", label, "--out", bundle)
        let good = try PrivateFile.read(bundle).revealText()
        let code = try PrivateFile.read("\(folder)/code")
        for (isSpoilt, name) in [(true, "spoilt"), (false, "whole")] {
            try home.privateFile(name, try Self.sealed(good, withoutSignatures: isSpoilt, label: label, code: code))
            let device = try Program(
                Places.program("keyholder-device"), ["run", "--dir", folder, "--join", "\(home.folder)/\(name)"])
            if isSpoilt {
                #expect(try await device.finish().status == 2)
                #expect(!exists("\(folder)/key-set.json") && !exists("\(folder)/joined.json"))
            } else {
                _ = try await device.output.line(with: "connected session=")
                try await device.end()
            }
        }
        try await home.stop()
    }

    /// The bundle, sealed anew with the code as the hub would.
    private static func sealed(
        _ bundle: String, withoutSignatures: Bool, label: String, code: Secret
    ) throws -> String {
        let parts = bundle.trimmed.split(separator: ".").map(String.init)
        let payload = try JSON(parsing: try Base64.decode(parts[1], as: .url).orThrow("no payload"))
        let members = (payload.members ?? []).map { member -> JSON.Member in
            guard withoutSignatures, member.name == "keys", let text = member.value.string,
                let keys = try? JSON(parsing: text), let set = keys["payload"]
            else { return member }
            return .init("keys", .string((["payload": set, "signatures": []] as JSON).text))
        }
        let input = parts[0] + "." + Base64.encode(JSON.object(members).bytes, as: .url)
        let text = try label.firstRange(of: "&key=").map { label[$0.upperBound...].prefix { $0 != "&" } }
            .orThrow("no key in the label")
        let key = try HKDF.derive(
            from: code, salt: try Base64.decode(String(text), as: .url).orThrow("no key"), info: "dac-join/1")
        let mac = HMAC.code(Array(input.utf8), key: key, hash: .sha256)
        return input + "." + Base64.encode(mac, as: .url)
    }

    @Test("a bundle that is missing, open to others, empty or no bundle exits with 2 and changes nothing")
    func wrongBundles() async throws {
        try await withFolder { parent in
            let folder = "\(parent)/d"
            #expect(try await makeDevice(folder).status == 0)
            let before = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            for (name, mode, text) in [("empty", 0o600, ""), ("none", 0o600, "x"), ("open", 0o644, "x")] {
                try text.write(toFile: "\(parent)/\(name)", atomically: true, encoding: .utf8)
                chmod("\(parent)/\(name)", mode_t(mode))
            }
            for name in ["empty", "none", "open", "missing"] {
                let run = try await Program.run(
                    Places.program("keyholder-device"), ["run", "--dir", folder, "--join", "\(parent)/\(name)"])
                #expect(run.status == 2, "\(name): \(run.status) \(run.errors)")
                #expect(run.errors.hasPrefix("error: "))
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == before)
        }
    }

    @Test(
        "the programs that hold keys leave no core file or backtrace, and keep their names",
        .timeLimit(.minutes(1)))
    func hardened() async throws {
        let home = try await TestHome.start()
        try await home.enroll("front-door", "locks/demo-lock")
        for (program, name) in [(try home.daemon, "keyholderd"), (try home.device("front-door"), "keyholder-devic")] {
            func read(_ file: String) throws -> String {
                // The kernel tells no size for these, so they are read as data.
                String(decoding: try Data(contentsOf: URL(filePath: "/proc/\(program.pid)/\(file)")), as: UTF8.self)
            }
            #expect(try read("comm").trimmed == name)
            let core = try read("limits").split(separator: "\n").first { $0.hasPrefix("Max core file size") }
            #expect(core?.split(separator: " ").dropFirst(4).prefix(2).elementsEqual(["0", "0"]) == true)
        }
        let device = try home.device("front-door")
        try await device.end(SIGSEGV)
        #expect(!device.errors.lines.contains { $0.contains("Registers") || $0.contains("rashed") })
        try await home.stop()
    }
}
