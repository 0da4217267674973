// A name belongs to one device at a time, a key to one device for ever.

import Delegation
import Foundation
import Sealing
import Testing
import Vault

@Suite struct DeviceTests {
    static func use(_ body: (Vault) async throws -> Void) async throws {
        try await VaultFolder.use { folder in
            let vault = try await folder.create()
            try await body(vault)
            try vault.close()
        }
    }

    @Test("a device reads back as it was stored, by name and by id")
    func roundTrip() async throws {
        try await Self.use { vault in
            let door = try Device.sample("front-door")
            let attic = try Device.sample("attic", state: .enrolling)
            try await vault.write {
                try $0.insertDevice(door)
                try $0.insertDevice(attic)
            }
            #expect(try await vault.read { try $0.devices() } == [attic, door])
            #expect(try await vault.read { try $0.device(named: door.name) } == door)
            #expect(try await vault.read { try $0.device(id: attic.id) } == attic)
            #expect(try await vault.read { try $0.requiredDevice(named: attic.name) } == attic)
        }
    }

    @Test("a device that there is not is nothing, or a refusal that says how to see those there are")
    func missing() async throws {
        try await Self.use { vault in
            let name = try DeviceName(checking: "cellar")
            #expect(try await vault.read { try $0.device(named: name) } == nil)
            #expect(try await vault.read { try $0.device(id: "cellar") } == nil)
            let refusal = try #require(
                await #expect(throws: Refusal.self) { try await vault.read { try $0.requiredDevice(named: name) } })
            #expect(refusal.kind == .notFound)
            #expect(refusal.message == "no device \"cellar\"")
        }
    }

    @Test("two live devices never share a name, whatever their state", arguments: [Device.State.enrolling, .enrolled])
    func uniqueName(_ state: Device.State) async throws {
        try await Self.use { vault in
            let first = try Device.sample("front-door", state: state)
            try await vault.write { try $0.insertDevice(first) }
            for other in [Device.State.enrolling, .enrolled] {
                let second = try Device.sample("front-door", state: other)
                await #expect(throws: (any Error).self) { try await vault.write { try $0.insertDevice(second) } }
            }
            #expect(try await vault.read { try $0.devices() } == [first])
        }
    }

    @Test("the name of a removed device is free again, and the removed one cannot come back to it")
    func removedName() async throws {
        try await Self.use { vault in
            let first = try Device.sample("front-door")
            let second = try Device.sample("front-door")
            try await vault.write {
                try $0.insertDevice(first)
                try $0.setState(.removed, ofDevice: first.id, at: noon)
                try $0.insertDevice(second)
            }
            #expect(try await vault.read { try $0.device(named: first.name) } == second)
            #expect(try await vault.read { try $0.devices() } == [second])
            #expect(try await vault.read { try $0.device(id: first.id) }?.state == .removed)
            await #expect(throws: (any Error).self) {
                try await vault.write { try $0.setState(.enrolled, ofDevice: first.id, at: noon) }
            }
            // Any number of removed devices may have had the name.
            try await vault.write { try $0.setState(.removed, ofDevice: second.id, at: noon) }
            #expect(try await vault.read { try $0.devices() }.isEmpty)
        }
    }

    @Test("an identity key is never enrolled again, neither beside its device nor after that was removed")
    func identityKey() async throws {
        try await Self.use { vault in
            let first = try Device.sample("front-door")
            #expect(try await vault.read { try !$0.knowsIdentityKey(first.identityKey) })
            try await vault.write { try $0.insertDevice(first) }
            let again = try Device.sample("back-door", identityKey: first.identityKey)
            for _ in 0..<2 {
                #expect(try await vault.read { try $0.knowsIdentityKey(first.identityKey) })
                await #expect(throws: (any Error).self) { try await vault.write { try $0.insertDevice(again) } }
                try await vault.write { try $0.setState(.removed, ofDevice: first.id, at: noon) }
            }
        }
    }

    @Test("enrolling keeps the time of the enrolment, and removing does not change it")
    func states() async throws {
        try await Self.use { vault in
            let device = try Device.sample("front-door", state: .enrolling)
            try await vault.write { try $0.insertDevice(device) }
            try await vault.write { try $0.setState(.enrolled, ofDevice: device.id, at: noon.addingTimeInterval(60)) }
            #expect(try await vault.read { try $0.device(id: device.id) }?.enrolledAt == noon.addingTimeInterval(60))
            try await vault.write { try $0.setState(.removed, ofDevice: device.id, at: noon.addingTimeInterval(90)) }
            let removed = try #require(try await vault.read { try $0.device(id: device.id) })
            #expect(removed.state == .removed)
            #expect(removed.enrolledAt == noon.addingTimeInterval(60))
        }
    }

    @Test("only a device that is still enrolling can be forgotten, and then its key is free")
    func forget() async throws {
        try await Self.use { vault in
            let enrolled = try Device.sample("front-door")
            let enrolling = try Device.sample("hall", state: .enrolling)
            try await vault.write {
                try $0.insertDevice(enrolled)
                try $0.insertDevice(enrolling)
                try $0.deleteDevice(id: enrolled.id)
                try $0.deleteDevice(id: enrolling.id)
            }
            #expect(try await vault.read { try $0.devices() } == [enrolled])
            try await vault.write { try $0.setState(.removed, ofDevice: enrolled.id, at: noon) }
            try await vault.write { try $0.deleteDevice(id: enrolled.id) }
            #expect(try await vault.read { try $0.knowsIdentityKey(enrolled.identityKey) })
            #expect(try await vault.read { try !$0.knowsIdentityKey(enrolling.identityKey) })
        }
    }
}
