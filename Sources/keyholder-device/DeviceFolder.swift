// Everything a device is and remembers lies in one folder of mode 0700. The label's code is gone once the device has
// joined, so no second bundle can ever be opened.

import CommandProtocol
import Delegation
import FoundationEssentials
import Glibc
import Sealing
import Settings
import StrictJSON

/// The state of one device on disk.
struct DeviceFolder {
    let path: String

    private func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Who the device is.
    struct Identity {
        let id: DeviceID
        let key: Ed25519PrivateKey
        let sealing: X25519PrivateKey
        let profile: DeviceProfile
    }

    /// Makes a device: two keys, a one-time code, and its own copy of the profile.
    func create(profileText: String, reference: ProfileReference) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw DeviceFault("cannot create \(quoted(path)): \(String(cString: strerror(errno)))")
        }
        _ = try DeviceProfile(yaml: profileText, reference: reference, file: "profile")
        try PrivateFile.create(file("profile.yaml"), Secret(text: profileText))
        try PrivateFile.create(file("identity.key"), Ed25519PrivateKey().seed)
        try PrivateFile.create(file("sealing.key"), .random(count: 32))
        try PrivateFile.create(file("code"), .random(count: 16))
        // Written last: a folder without it was never finished.
        let about: JSON = ["dev": .string(DeviceID.random().rawValue), "profile": .string(reference.rawValue)]
        try PrivateFile.create(file("device.json"), Secret(text: about.text))
    }

    /// Whether ``create(profileText:reference:)`` has finished here.
    var exists: Bool { FileManager.default.fileExists(atPath: file("device.json")) }

    /// Reads who the device is.
    func identity() throws -> Identity {
        guard exists else {
            throw DeviceFault(
                "there is no device in \(quoted(path))",
                hint: "run 'keyholder-device init --dir DIR --profile PROFILE'",
                exitCode: 8)
        }
        let about = try JSON(parsing: try PrivateFile.read(file("device.json")).revealBytes())
        guard let id = about["dev"]?.string.flatMap(DeviceID.init(rawValue:)),
            let reference = about["profile"]?.string.flatMap(ProfileReference.init(rawValue:))
        else { throw DeviceFault("\(quoted(file("device.json"))) is damaged") }
        let text = try PrivateFile.read(file("profile.yaml"), maximumSize: 256 * 1024).revealText()
        return Identity(
            id: id, key: try Ed25519PrivateKey(seed: try PrivateFile.read(file("identity.key"))),
            sealing: try X25519PrivateKey(rawSecret: try PrivateFile.read(file("sealing.key"))),
            profile: try DeviceProfile(yaml: text, reference: reference, file: file("profile.yaml")))
    }

    /// The label, as long as the device has not joined.
    func label() throws -> Label {
        let identity = try identity()
        guard FileManager.default.fileExists(atPath: file("code")) else {
            throw DeviceFault(
                "the device in \(quoted(path)) has joined a home already",
                hint: "a new label needs a new device: remove the folder and run init again")
        }
        return try Label(
            device: identity.id, key: identity.key.publicKey, seal: identity.sealing.publicKey,
            code: try PrivateFile.read(file("code")), profile: identity.profile.reference.rawValue)
    }

    /// Checks a bundle with the code and keeps it.
    func accept(bundle: Secret, identity: Identity) throws {
        let opened = try JoinBundle.open(
            bundle.revealBytes(), code: try PrivateFile.read(file("code")), deviceKey: identity.key.publicKey,
            device: identity.id, now: Int64(Date().timeIntervalSince1970))
        try PrivateFile.replace(file("key-set.json"), Secret(opened.keys))
        // The bundle's own authentication ends with the code, so what it said is kept in plain form.
        let joined: JSON = [
            "site": .string(opened.site.rawValue), "hub": .string(opened.hub.rawValue),
            "host": .string(opened.broker.host), "port": .integer(Int64(opened.broker.port)),
            "username": .string(opened.broker.username), "password": .string(opened.broker.password.revealText()),
            "issued_at": .integer(opened.issuedAt), "bundle": .string(opened.id),
        ]
        try PrivateFile.replace(file("ca.pem"), Secret(text: opened.broker.ca))
        try PrivateFile.replace(file("joined.json"), Secret(text: joined.text))
    }

    /// What the device was told when it joined.
    struct Membership {
        let site: SiteID
        let hub: HubID
        let host: String
        let port: Int
        let username: String
        let password: Secret
        let issuedAt: Int64
        let caFile: String
    }

    /// Reads what the device was told when it joined; `nil` before.
    func membership() throws -> Membership? {
        guard FileManager.default.fileExists(atPath: file("joined.json")) else { return nil }
        let joined = try JSON(parsing: try PrivateFile.read(file("joined.json")).revealBytes())
        guard let site = joined["site"]?.string.flatMap(SiteID.init(rawValue:)),
            let hub = joined["hub"]?.string.flatMap(HubID.init(rawValue:)), let host = joined["host"]?.string,
            let port = joined["port"]?.integer.flatMap(Int.init(exactly:)), let username = joined["username"]?.string,
            let password = joined["password"]?.string, let issuedAt = joined["issued_at"]?.integer
        else { throw DeviceFault("\(quoted(file("joined.json"))) is damaged") }
        return Membership(
            site: site, hub: hub, host: host, port: port, username: username, password: Secret(text: password),
            issuedAt: issuedAt, caFile: file("ca.pem"))
    }

    /// Forgets the label's code: the device is in.
    func burnCode() throws {
        guard unlink(file("code")) == 0 || errno == ENOENT else {
            throw DeviceFault("cannot remove \(quoted(file("code"))): \(String(cString: strerror(errno)))")
        }
    }

    /// The key set in force.
    func keySet() throws -> SignedKeySet {
        try SignedKeySet.verify(try PrivateFile.read(file("key-set.json")).revealBytes(), after: nil)
    }

    /// Keeps a newer key set.
    func keep(_ keySet: SignedKeySet) throws { try PrivateFile.replace(file("key-set.json"), Secret(keySet.document)) }

    /// The state of the thing as it was last kept; `nil` on the first start.
    func thingState() throws -> JSON? {
        guard FileManager.default.fileExists(atPath: file("state.json")) else { return nil }
        return try JSON(parsing: try PrivateFile.read(file("state.json")).revealBytes())
    }

    /// Keeps the state of the thing.
    func keep(state: JSON) throws { try PrivateFile.replace(file("state.json"), Secret(state.bytes)) }
}
