// What ships says how sure it is, and sends nothing to a host that it does not name.

import Delegation
import Foundation
import Settings
import Testing

@Suite struct ShippedProviderTests {
    static let vendors = [
        "bitly", "discovergy", "ecobee", "facebook", "garmin", "google-nest", "home-connect", "honeywell", "hue",
        "husqvarna", "netatmo", "nuki", "sensibo", "smartthings", "tado", "tesla", "withings", "x", "yale",
    ]

    private static func profiles() throws -> [ProviderProfile] {
        try ProfileFolder(folders: [try Samples.shippedFolder()], home: Samples.home).providerProfiles()
    }

    @Test("there is a profile for the home in both protocols and for every vendor")
    func complete() throws {
        #expect(Set(try Self.profiles().map(\.name.rawValue)) == Set(Self.vendors + ["home", "home-oauth1"]))
    }

    @Test("nobody has tried a vendor's profile, and each of them says what is unsure")
    func doubts() throws {
        for profile in try Self.profiles() {
            #expect(profile.verified == profile.isHome, "\(profile.name)")
            #expect(profile.doubts.isEmpty == profile.isHome, "\(profile.name)")
        }
    }

    @Test("every pinned host of a vendor is one that an address of the profile leads to")
    func hosts() throws {
        for profile in try Self.profiles() where !profile.isHome {
            let addresses =
                switch profile.endpoints {
                case .oauth1(let one): [one.requestToken, one.authorize, one.accessToken, one.revocation]
                case .oauth2(let two): two.addresses
                }
            let used = (addresses + [profile.validationEndpoint]).compactMap { $0.flatMap(URL.init(string:))?.host() }
            #expect(Set(used) == Set(profile.hosts), "\(profile.name)")
            #expect(addresses.allSatisfy { $0?.hasPrefix("https://") ?? true }, "\(profile.name)")
        }
    }

    @Test("every variable that a vendor's profile asks for is used in it")
    func variables() throws {
        let shipped = try Samples.shippedFolder()
        for profile in try Self.profiles() {
            let yaml = try String(contentsOfFile: "\(shipped)/providers/\(profile.name).yaml", encoding: .utf8)
            for variable in profile.variables { #expect(yaml.contains("{\(variable)}"), "\(profile.name)") }
        }
    }

    @Test("each file opens with where its facts come from")
    func opening() throws {
        let folder = "\(try Samples.shippedFolder())/providers"
        for name in Self.vendors {
            let lines = try String(contentsOfFile: "\(folder)/\(name).yaml", encoding: .utf8).split(separator: "\n")
            #expect(lines.first?.contains(" From ") == true, "\(name)")
            #expect(lines.dropFirst().first?.hasPrefix("# ") == true, "\(name)")
        }
    }
}
