// A name is a name in one spelling only, and what is quoted cannot act on a terminal.

import Delegation
import Testing

@Suite struct NamesTests {
    static let refused = [
        "", "-a", "A", "a_b", "a.b", "a b", "a/b", "..", "é", "a\u{301}", "a\n", "a\0", "\u{212A}", "ａ", "１",
        "a\u{200B}",
    ]

    @Test("a device name is 1 to 32 of a-z, 0-9 and '-', not starting with '-'")
    func deviceName() {
        for text in ["a", "0", "front-door", "a-", "a--b", String(repeating: "x", count: 32)] {
            #expect(DeviceName(rawValue: text)?.rawValue == text)
        }
        for text in Self.refused + [String(repeating: "x", count: 33)] {
            #expect(DeviceName(rawValue: text) == nil, "\(text) was taken")
        }
    }

    @Test("a provider name is the same in up to 64 characters")
    func providerName() {
        for text in ["home", "home-oauth1", String(repeating: "x", count: 64)] {
            #expect(ProviderName(rawValue: text)?.rawValue == text)
        }
        for text in Self.refused + [String(repeating: "x", count: 65)] {
            #expect(ProviderName(rawValue: text) == nil, "\(text) was taken")
        }
    }

    @Test("a name that is not allowed is a refusal that quotes it and says what is")
    func refusals() throws {
        let device = try #require(throws: Refusal.self) { try DeviceName(checking: "Front\u{1B}[2J door") }
        #expect(device.kind == .usage)
        #expect(device.message == "device name \"Front\u{FFFD}[2J door\" is not allowed")
        #expect(device.hint?.contains("1 to 32 characters") == true)
        let provider = try #require(throws: Refusal.self) { try ProviderName(checking: "") }
        #expect(provider.message == "provider name \"\" is not allowed")
        #expect(provider.hint?.contains("1 to 64 characters") == true)
        #expect(try DeviceName(checking: "hall").rawValue == "hall")
    }

    @Test("a profile reference is a known kind and a model")
    func profileReference() throws {
        let reference = try #require(ProfileReference(rawValue: "locks/demo-lock"))
        #expect(reference.kind == "locks")
        #expect(reference.model == "demo-lock")
        #expect(reference.description == "locks/demo-lock")
        for text in [
            "", "locks", "locks/", "/demo-lock", "doors/demo-lock", "locks/demo-lock/x", "locks//x", "locks/../x",
            "../locks/x", "Locks/x", "locks/X", "providers/home", "locks/\u{301}x",
            "locks/" + String(repeating: "x", count: 65),
        ] {
            #expect(ProfileReference(rawValue: text) == nil, "\(text) was taken")
        }
    }

    @Test(
        "what a terminal would act on is replaced in quotes",
        arguments: [
            "\u{0}", "\u{7}", "\u{8}", "\t", "\n", "\r", "\u{1B}", "\u{7F}", "\u{85}", "\u{9B}", "\u{AD}", "\u{200B}",
            "\u{200E}",
            "\u{200F}", "\u{2028}", "\u{2029}", "\u{202A}", "\u{202E}", "\u{2066}", "\u{2069}", "\u{FEFF}", "\u{E000}",
            "\u{E0041}", "\u{10FFFD}",
        ])
    func replaced(_ text: String) {
        #expect(quoted("a\(text)b") == "\"a\u{FFFD}b\"")
    }

    @Test("a line break of two characters is replaced by two")
    func lineBreak() { #expect(quoted("a\r\nb") == "\"a\u{FFFD}\u{FFFD}b\"") }

    @Test(
        "what people write stays in quotes as it is", arguments: ["", "front-door", "Haustür", "鍵", "a \"b\" \\c", "🗝"])
    func kept(_ text: String) { #expect(quoted(text) == "\"\(text)\"") }

    @Test("a text of more than 80 characters is cut in quotes, one of 80 is not")
    func shortened() {
        #expect(quoted(String(repeating: "x", count: 80)) == "\"\(String(repeating: "x", count: 80))\"")
        #expect(quoted(String(repeating: "x", count: 81)) == "\"\(String(repeating: "x", count: 80))…\"")
        // One character of a million accents is not one character here.
        #expect(quoted("e" + String(repeating: "\u{301}", count: 1_000_000)).unicodeScalars.count == 83)
    }
}
