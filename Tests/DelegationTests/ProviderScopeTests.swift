// A scope covers exactly the operation and the device it was granted for.

import Delegation
import Testing

@Suite struct ProviderScopeTests {
    static func profile(format: String?, scopes: [String] = []) throws -> ProviderProfile {
        ProviderProfile(
            name: try #require(ProviderName(rawValue: "acme")), title: "Acme", isHome: false,
            endpoints: .oauth1(
                OAuth1Endpoints(
                    requestToken: "https://acme.example/r", authorize: "https://acme.example/a",
                    accessToken: "https://acme.example/t", signatureMethod: "HMAC-SHA1", realm: nil,
                    scopeParameter: nil,
                    revocation: nil)),
            hosts: ["acme.example"], scopeFormat: format, scopes: scopes, scopeSeparator: " ", validationEndpoint: nil,
            verified: true)
    }

    @Test("scopes are written in the provider's format, after those that are always asked for")
    func asked() throws {
        let door = try DeviceName(checking: "front-door")
        let home = try Self.profile(format: "{operation}@{device}", scopes: ["offline"])
        #expect(
            home.scopes(for: ["lock.lock", "lock.unlock"], of: door)
                == ["offline", "lock.lock@front-door", "lock.unlock@front-door"])
        #expect(
            try Self.profile(format: "{device}/{operation}/{device}").scopes(for: ["a.b"], of: door) == [
                "front-door/a.b/front-door"
            ])
        #expect(try Self.profile(format: "x:{operation}").scopes(for: ["a.b"], of: door) == ["x:a.b"])
        #expect(try Self.profile(format: "{operation}@{device}").scopes(for: [], of: door).isEmpty)
    }

    @Test("a provider without a format is asked for its fixed scopes and covers everything")
    func fixed() throws {
        let door = try DeviceName(checking: "front-door")
        let fixed = try Self.profile(format: nil, scopes: ["smart_home"])
        #expect(fixed.scopes(for: ["lock.lock"], of: door) == ["smart_home"])
        #expect(fixed.covers([], operation: "lock.unlock", device: door))
    }

    @Test(
        "what was granted covers no other operation and no other device",
        arguments: [
            (["lock.unlock@front-door"], true), (["a.b@c", "lock.unlock@front-door"], true), ([], false),
            (["lock.lock@front-door"], false), (["lock.unlock@front-door2"], false), (["lock.unlock@front"], false),
            (["lock.unlock"], false), (["LOCK.UNLOCK@front-door"], false), (["lock.unlock@front-door "], false),
            (["*"], false), (["lock.*@front-door"], false), (["lock.unlock@{device}"], false),
        ])
    func covers(_ granted: [String], _ expected: Bool) throws {
        let profile = try Self.profile(format: "{operation}@{device}")
        let door = try DeviceName(checking: "front-door")
        #expect(profile.covers(granted, operation: "lock.unlock", device: door) == expected)
    }

    @Test("what is asked for is what covers")
    func askedCovers() throws {
        let profile = try Self.profile(format: "{operation}@{device}", scopes: ["offline"])
        let door = try DeviceName(checking: "front-door")
        let granted = profile.scopes(for: ["lock.lock"], of: door)
        #expect(profile.covers(granted, operation: "lock.lock", device: door))
        #expect(!profile.covers(granted, operation: "lock.unlock", device: door))
        #expect(!profile.covers(granted, operation: "lock.lock", device: try DeviceName(checking: "back-door")))
    }

    @Test("the protocol is that of the endpoints")
    func delegationProtocol() throws { #expect(try Self.profile(format: nil).delegationProtocol == .oauth1) }
}
