// Everything a device is and remembers lies in one folder of mode 0700. The label's code is gone once the device has acted
// on its home's word, so that no later bundle can ever be opened; until then it may be enrolled again.

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

    /// Makes a device: two keys, a one-time code, and its own copy of the profile. What an earlier, interrupted call left
    /// is replaced, since nobody was shown its label.
    func create(profileText: String, reference: ProfileReference) throws {
        _ = try DeviceProfile(yaml: profileText, reference: reference, file: "\(reference).yaml")
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw DeviceFault("cannot create \(quoted(path)): \(String(cString: strerror(errno)))")
        }
        try requirePrivate()
        try PrivateFile.replace(file("profile.yaml"), Secret(text: profileText))
        try PrivateFile.replace(file("identity.key"), Ed25519PrivateKey().seed)
        try PrivateFile.replace(file("sealing.key"), .random(count: 32))
        try PrivateFile.replace(file("code"), .random(count: 16))
        // Written last, and never twice: a folder without it was never finished.
        let about: JSON = ["dev": .string(DeviceID.random().rawValue), "profile": .string(reference.rawValue)]
        try PrivateFile.create(file("device.json"), Secret(text: about.text))
    }

    /// In a folder of somebody else, or one that others may write, the keys could be exchanged.
    private func requirePrivate() throws {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw DeviceFault("cannot read \(quoted(path)): \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw DeviceFault("\(quoted(path)) is not a folder") }
        guard status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
            throw DeviceFault(
                "folder \(quoted(path)) belongs to another user or is open to others",
                hint: "give a folder that is not there yet, or chmod 700 your own")
        }
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

    /// Whether the device still has its code, so that it can take a bundle.
    var mayJoin: Bool { FileManager.default.fileExists(atPath: file("code")) }

    /// The label, as long as the device has the code.
    func label() throws -> Label {
        let identity = try identity()
        guard mayJoin else {
            throw DeviceFault(
                "the device in \(quoted(path)) has joined a home already",
                hint: "a new label needs a new device: remove the folder and run init again")
        }
        return try Label(
            device: identity.id, key: identity.key.publicKey, seal: identity.sealing.publicKey,
            code: try PrivateFile.read(file("code")), profile: identity.profile.reference.rawValue)
    }

    /// Checks a bundle with the code and keeps it; the one that is kept already changes nothing.
    func accept(bundle: Secret, identity: Identity) throws {
        let opened = try JoinBundle.open(
            bundle.revealBytes(), code: try PrivateFile.read(file("code")), deviceKey: identity.key.publicKey,
            device: identity.id, now: Int64(Date().timeIntervalSince1970))
        // The key set may have moved on since this very bundle was taken, and never moves back.
        guard try membership()?.bundle != opened.id else { return }
        _ = try SignedKeySet.verify(opened.keys, after: nil)
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
        /// The id of the bundle it was told in.
        let bundle: String
        let caFile: String
    }

    /// Reads what the device was told when it joined; `nil` before.
    func membership() throws -> Membership? {
        guard FileManager.default.fileExists(atPath: file("joined.json")) else { return nil }
        let joined = try JSON(parsing: try PrivateFile.read(file("joined.json")).revealBytes())
        guard let site = joined["site"]?.string.flatMap(SiteID.init(rawValue:)),
            let hub = joined["hub"]?.string.flatMap(HubID.init(rawValue:)), let host = joined["host"]?.string,
            let port = joined["port"]?.integer.flatMap(Int.init(exactly:)), let username = joined["username"]?.string,
            let password = joined["password"]?.string, let issuedAt = joined["issued_at"]?.integer,
            let bundle = joined["bundle"]?.string
        else { throw DeviceFault("\(quoted(file("joined.json"))) is damaged") }
        return Membership(
            site: site, hub: hub, host: host, port: port, username: username, password: Secret(text: password),
            issuedAt: issuedAt, bundle: bundle, caFile: file("ca.pem"))
    }

    /// Forgets the label's code: the home has proved that it holds the keys of the bundle, so the device is in.
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
