// What a profile leaves open is filled in for one home, and nothing but a plain word ever is.

import Delegation
import Foundation
import Settings
import Testing

@Suite struct ProviderValuesTests {
    private static let yaml = Samples.oauth2
        .replacingOccurrences(of: "verified: false\n", with: "verified: false\nvariables: [project_id]\n")
        .replacingOccurrences(of: "acme.example/authorize", with: "acme.example/{project_id}/authorize")

    private static func inHome(_ body: (ProfileFolder, ProviderName) throws -> Void) throws {
        try Samples.inFolder { folder in
            let profiles = ProfileFolder(folders: [folder.appendingPathComponent("own").path], home: Samples.home)
            let acme = try #require(ProviderName(rawValue: "acme"))
            _ = try profiles.addProviderProfile(acme, yaml: yaml)
            try body(profiles, acme)
        }
    }

    private static func authorization(_ profile: ProviderProfile) -> String? {
        if case .oauth2(let endpoints) = profile.endpoints { endpoints.authorization } else { nil }
    }

    @Test("a variable without a value is named, and one with a value is filled in, for other readers too")
    func filled() throws {
        try Self.inHome { profiles, acme in
            #expect(try profiles.providerProfile(acme).unsetVariables == ["project_id"])
            let filled = try profiles.setProviderValues(acme, ["project_id": "my-project_1.0"])
            #expect(filled.unsetVariables.isEmpty)
            #expect(Self.authorization(filled) == "https://api.acme.example/my-project_1.0/authorize")
            #expect(try profiles.providerProfile(acme) == filled)
            let other = try profiles.setProviderValues(acme, ["project_id": "another"])
            #expect(try profiles.providerProfile(acme) == other)
            #expect(try profiles.providerYAML(acme).contains("{project_id}"))
        }
    }

    @Test(
        "a value that could change the address it stands in is refused, and so is a name that the profile does not have",
        arguments: [
            ("project_id", ""), ("project_id", "a/b"), ("project_id", "a?b"), ("project_id", "a b"),
            ("project_id", "{project_id}"), ("project_id", "a\"\nhosts: [evil.example]"), ("project_id", "ä"),
            ("project_id", String(repeating: "x", count: 201)), ("other", "x"),
        ])
    func refused(_ name: String, _ value: String) throws {
        try Self.inHome { profiles, acme in
            let refusal = try #require(throws: Refusal.self) { try profiles.setProviderValues(acme, [name: value]) }
            #expect(refusal.kind == .usage)
            #expect(try profiles.providerProfile(acme).unsetVariables == ["project_id"])
        }
    }

    @Test("a file of values that somebody has spoilt is an error that names it")
    func spoilt() throws {
        try Samples.inFolder { folder in
            let own = folder.appendingPathComponent("own")
            let profiles = ProfileFolder(folders: [own.path], home: Samples.home)
            let acme = try #require(ProviderName(rawValue: "acme"))
            _ = try profiles.addProviderProfile(acme, yaml: Self.yaml)
            try Data("project_id: a/b\n".utf8).write(to: own.appendingPathComponent("providers/acme.values"))
            let refusal = try #require(throws: Refusal.self) { try profiles.providerProfile(acme) }
            #expect(refusal.message.contains("acme.values:1: project_id: found \"a/b\""))
        }
    }
}
