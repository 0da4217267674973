// Whatever is in a file, reading it ends soon, with a value or with faults that name the file.

import Delegation
import Foundation
import Settings
import Testing

@Suite(.timeLimit(.minutes(1))) struct HostileFileTests {
    static let readers: [@Sendable (String) throws -> Void] = [
        { _ = try Samples.readDevice($0) }, { _ = try Samples.readProvider($0) },
        { _ = try Samples.readConfiguration($0) },
    ]

    @Test(
        "a file that is no mapping is one fault",
        arguments: [
            ("", nil, "an empty file"), ("\n\n# nothing\n", nil, "an empty file"), ("---\n", 2, "\"\""),
            ("- a\n- b\n", 1, "a list"), ("just text", 1, "\"just text\""), ("~", 1, "\"~\""),
        ] as [(String, Int?, String)])
    func noMapping(_ yaml: String, _ line: Int?, _ found: String) throws {
        for read in Self.readers {
            let error = try #require(throws: SettingsError.self) { try read(yaml) }
            let fault = try #require(error.faults.first)
            #expect(error.faults.count == 1)
            #expect(fault.file == "test.yaml")
            #expect(fault.line == line)
            #expect(fault.keyPath.isEmpty)
            #expect(fault.found == found)
            #expect(fault.allowed.contains("a mapping"))
        }
    }

    @Test("anchors and aliases are refused before they can grow")
    func aliasBombs() throws {
        let grown = (1...40).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1), *a\($0 - 1)]\n" }.joined()
        let bomb = "a0: &a0 [x, x, x]\n" + grown
        for yaml in [bomb, bomb + "? *a40\n: 1\n", "{a: &x y, b: *x}", "a: &x y\n*x : z", "<<: &m {a: b}\nc: *m"] {
            for read in Self.readers {
                let error = try #require(throws: SettingsError.self) { try read(yaml) }
                #expect(error.faults.map(\.found) == ["an anchor and an alias"])
            }
        }
    }

    @Test("a text with an ampersand or an asterisk is a text")
    func ampersand() throws {
        let yaml = Samples.configuration.replacingOccurrences(of: "name: Home", with: "name: Anna & Bob *")
        #expect(try Samples.readConfiguration(yaml).name == "Anna & Bob *")
        let single = Samples.configuration.replacingOccurrences(of: "name: Home", with: "name: a *star* is born")
        #expect(try Samples.readConfiguration(single).name == "a *star* is born")
    }

    @Test(
        "a file nested a hundred thousand deep is refused",
        arguments: ["[", "{a: ", "- ", "? ", "[{", "a:\n- "])
    func deepNesting(_ opening: String) throws {
        let yaml = String(repeating: opening, count: 100_000 / opening.utf8.count)
        for read in Self.readers {
            let error = try #require(throws: SettingsError.self) { try read(yaml) }
            #expect(!error.faults.isEmpty)
        }
    }

    @Test(
        "a mutated file is read or refused with faults, and never ends the process", arguments: 0..<200 as Range<UInt64>
    )
    func mutated(_ seed: UInt64) throws {
        var mutator = Mutator(seed: seed)
        let samples = [Samples.device, seed % 2 == 0 ? Samples.oauth2 : Samples.oauth1, Samples.configuration]
        for (sample, read) in zip(samples, Self.readers) {
            let yaml = mutator.mutate(sample)
            do {
                try read(yaml)
            } catch let error as SettingsError {
                #expect(!error.faults.isEmpty)
                for fault in error.faults {
                    #expect(fault.file == "test.yaml")
                    #expect(!fault.found.isEmpty)
                    #expect(!fault.allowed.isEmpty)
                }
            }
        }
    }

    @Test("the mutations break some files and leave others whole")
    func mutationsMatter() throws {
        var outcomes: Set<Bool> = []
        for seed in 0..<200 as Range<UInt64> {
            var mutator = Mutator(seed: seed)
            let yaml = mutator.mutate(Samples.configuration)
            outcomes.insert((try? Samples.readConfiguration(yaml)) != nil)
        }
        #expect(outcomes == [true, false])
    }

    @Test("a file of a mebibyte is refused with its size and the size allowed")
    func tooLarge() throws {
        try Samples.inFolder { folder in
            let file = folder.appendingPathComponent("big.yaml")
            try Data(repeating: UInt8(ascii: "#"), count: 1 << 20).write(to: file)
            let refusal = try #require(throws: Refusal.self) { try SettingsFile.read(file.path) }
            #expect(refusal.kind == .usage)
            #expect(refusal.message.contains("big.yaml\" has 1048576 bytes, allowed are 262144"))
            try Data(repeating: UInt8(ascii: "#"), count: 1 << 18).write(to: file)
            #expect(try SettingsFile.read(file.path).utf8.count == 1 << 18)
        }
    }

    @Test(
        "a file that is not UTF-8 is refused",
        arguments: [[0x61, 0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xFF, 0xFE, 0x61, 0]])
    func notUTF8(_ bytes: [UInt8]) throws {
        try Samples.inFolder { folder in
            let file = folder.appendingPathComponent("latin.yaml")
            try Data(bytes).write(to: file)
            let refusal = try #require(throws: Refusal.self) { try SettingsFile.read(file.path) }
            #expect(refusal.kind == .usage)
            #expect(refusal.message.hasSuffix("latin.yaml\" is not UTF-8 text"))
        }
    }

    @Test("a file that is missing, or a folder, is not found")
    func missing() throws {
        try Samples.inFolder { folder in
            for path in [folder.path, folder.appendingPathComponent("none.yaml").path] {
                let refusal = try #require(throws: Refusal.self) { try SettingsFile.read(path) }
                #expect(refusal.kind == .notFound)
                #expect(refusal.message.hasPrefix("cannot read"))
            }
        }
    }
}

/// Breaks texts, the same way for the same seed (SplitMix64).
struct Mutator {
    private var state: UInt64
    private static let tokens: [[UInt8]] =
        [
            "[", "]", "{", "}", "&a ", "*a", ": ", ":", "? ", "- ", "!!int ", "!<x> ", "\t", "\0", "|\n", ">-\n",
            "%YAML 1.1\n",
            "---\n", "...\n", "\"", "'", "#", ",", "é", "\u{FEFF}", "\u{202E}", "\u{85}", "<<: ", "null", "~", "-1",
            "9223372036854775808", "\\", "\r", "\n", "  ", "{home}", "://", "@", "$",
        ].map { Array($0.utf8) }

    init(seed: UInt64) { state = seed }

    private mutating func next(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((word ^ (word >> 31)) % UInt64(max(bound, 1)))
    }

    /// The text with one to four changes; bytes that are no UTF-8 any more are replaced.
    mutating func mutate(_ text: String) -> String {
        var bytes = Array(text.utf8)
        for _ in 0...next(below: 4) {
            let place = next(below: bytes.count)
            let end = min(bytes.count, place + 1 + next(below: 12))
            switch next(below: 5) {
            case 0: bytes.removeSubrange(place..<end)
            case 1: bytes.insert(contentsOf: bytes[place..<end], at: next(below: bytes.count))
            case 2: bytes[place] = UInt8(next(below: 256))
            case 3: bytes.removeSubrange(place...)
            default: bytes.insert(contentsOf: Self.tokens[next(below: Self.tokens.count)], at: place)
            }
            if bytes.isEmpty { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
