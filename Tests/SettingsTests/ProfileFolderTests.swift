// The profiles that ship are read as they will be, and the home's own folder comes first.

import Delegation
import Foundation
import Settings
import Testing

@Suite struct ProfileFolderTests {
    @Test("every device profile that ships is read, and its provider is there")
    func shippedDevices() throws {
        let shipped = try Samples.shippedFolder()
        let folder = ProfileFolder(folders: [shipped], home: Samples.home)
        var count = 0
        for kind in ProfileReference.kinds {
            for entry in try FileManager.default.contentsOfDirectory(atPath: "\(shipped)/\(kind)") {
                let model = try #require(entry.hasSuffix(".yaml") ? entry.dropLast(5) : nil, "\(entry) is no profile")
                let reference = try #require(ProfileReference(rawValue: "\(kind)/\(model)"))
                let profile = try folder.deviceProfile(reference)
                #expect(profile.reference == reference)
                #expect(!profile.operations.isEmpty)
                #expect(try folder.providerProfile(profile.provider).name == profile.provider)
                count += 1
            }
        }
        #expect(count >= 4)
    }

    @Test("the folders that ship are the kinds there are, and the providers")
    func shippedFolders() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: try Samples.shippedFolder())
        #expect(Set(folders) == Set(ProfileReference.kinds + ["providers"]))
    }

    @Test("every provider profile that ships is read, and those of the home lead to the home")
    func shippedProviders() throws {
        let shipped = try Samples.shippedFolder()
        let profiles = try ProfileFolder(folders: [shipped], home: Samples.home).providerProfiles()
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(shipped)/providers")
        #expect(Set(profiles.map { "\($0.name).yaml" }) == Set(files))
        for profile in profiles where profile.isHome {
            #expect(profile.validationEndpoint?.hasPrefix("\(Samples.home)/") == true)
        }
        #expect(Set(profiles.filter(\.isHome).map(\.delegationProtocol)) == [.oauth1, .oauth2])
    }

    @Test("unlocking and disarming are of high risk in every profile that ships")
    func risk() throws {
        let folder = ProfileFolder(folders: [try Samples.shippedFolder()], home: Samples.home)
        let lock = try folder.deviceProfile(try #require(ProfileReference(rawValue: "locks/demo-lock")))
        #expect(try lock.operation("lock.unlock").risk == .high)
        let alarm = try folder.deviceProfile(try #require(ProfileReference(rawValue: "alarms/demo-alarm-panel")))
        #expect(try alarm.operation("alarm.disarm").risk == .high)
    }

    @Test("the first folder wins, and an edit takes effect without a restart")
    func precedence() throws {
        try Samples.inFolder { folder in
            let reference = try #require(ProfileReference(rawValue: "locks/test-lock"))
            let own = folder.appendingPathComponent("own")
            let installed = folder.appendingPathComponent("installed")
            for (place, title) in [(own, "Own"), (installed, "Installed")] {
                let locks = place.appendingPathComponent("locks")
                try FileManager.default.createDirectory(at: locks, withIntermediateDirectories: true)
                try Data(Samples.device.replacingOccurrences(of: "Test lock", with: title).utf8)
                    .write(to: locks.appendingPathComponent("test-lock.yaml"))
            }
            let profiles = ProfileFolder(folders: [own.path, installed.path], home: Samples.home)
            #expect(try profiles.deviceProfile(reference).title == "Own")
            let file = own.appendingPathComponent("locks/test-lock.yaml")
            try Data("title: broken".utf8).write(to: file)
            let refusal = try #require(throws: Refusal.self) { try profiles.deviceProfile(reference) }
            #expect(refusal.kind == .usage)
            #expect(refusal.message.contains("\(file.path):1: maker: found nothing, allowed is a text"))
            try FileManager.default.removeItem(at: file)
            #expect(try profiles.deviceProfile(reference).title == "Installed")
        }
    }

    @Test("a provider is added to the home's own folder, and removed from there only")
    func addAndRemove() throws {
        try Samples.inFolder { folder in
            let own = folder.appendingPathComponent("own").path
            let profiles = ProfileFolder(folders: [own, try Samples.shippedFolder()], home: Samples.home)
            let acme = try #require(ProviderName(rawValue: "acme"))
            let shipped = try profiles.providerProfiles().count
            #expect(throws: Refusal.self) { try profiles.addProviderProfile(acme, yaml: "provider: acme") }
            #expect(try profiles.providerProfiles().count == shipped)
            let added = try profiles.addProviderProfile(acme, yaml: Samples.oauth2)
            #expect(try profiles.providerProfile(acme) == added)
            #expect(try profiles.providerProfiles().count == shipped + 1)
            try profiles.removeProviderProfile(acme)
            #expect(try profiles.providerProfiles().count == shipped)
            for name in [acme, try #require(ProviderName(rawValue: "home"))] {
                let refusal = try #require(throws: Refusal.self) { try profiles.removeProviderProfile(name) }
                #expect(refusal.kind == .notFound)
            }
        }
    }

    @Test("a profile that is nowhere is not found, and the hint says where it was looked for")
    func notFound() throws {
        let profiles = ProfileFolder(folders: ["/nowhere/a", "/nowhere/b"], home: Samples.home)
        let refusal = try #require(throws: Refusal.self) {
            try profiles.providerProfile(try #require(ProviderName(rawValue: "acme")))
        }
        #expect(refusal.kind == .notFound)
        #expect(refusal.message == "no provider \"acme\"")
        #expect(refusal.hint == "looked for providers/acme.yaml in /nowhere/a and /nowhere/b")
        #expect(try profiles.providerProfiles().isEmpty)
    }
}
