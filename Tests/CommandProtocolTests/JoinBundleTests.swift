// A bundle opens with the code and key of its own device, unchanged and in time, and with nothing else.

import CommandProtocol
import Sealing
import StrictJSON
import Testing

@Suite struct JoinBundleTests {
    private let home: Home
    private let code = Secret.random(count: 16)
    private let now: Int64 = 1_785_000_000

    init() throws { home = try Home() }

    private func bundle(
        host: String = "hub.local", port: Int = 8883, ca: String = "-----BEGIN CERTIFICATE-----\n",
        expiresAt: Int64 = 1_785_000_600, keys: [UInt8] = Array("{\"payload\":\"\"}".utf8)
    ) -> JoinBundle {
        JoinBundle(
            site: home.site, hub: home.hub, device: home.device,
            broker: .init(
                host: host, port: port, ca: ca, username: home.device.rawValue, password: Secret(text: "canary-hunter2")
            ),
            keys: keys, operations: ["lock.lock", "dac.ping"], issuedAt: now, expiresAt: expiresAt)
    }

    private func sealed(_ bundle: JoinBundle? = nil) throws -> [UInt8] {
        try (bundle ?? self.bundle()).seal(code: code, deviceKey: home.deviceKey.publicKey).revealBytes()
    }

    private func open(_ message: [UInt8], code: Secret? = nil, now: Int64?? = nil) throws -> JoinBundle {
        try JoinBundle.open(
            message, code: code ?? self.code, deviceKey: home.deviceKey.publicKey, device: home.device,
            now: now ?? self.now)
    }

    @Test("a bundle opens as it was sealed")
    func roundTrip() throws {
        let bundle = bundle()
        let read = try open(try sealed(bundle))
        #expect(read.site == home.site)
        #expect(read.hub == home.hub)
        #expect(read.device == home.device)
        #expect(read.broker.host == "hub.local")
        #expect(read.broker.port == 8883)
        #expect(read.broker.ca == bundle.broker.ca)
        #expect(read.broker.username == home.device.rawValue)
        #expect(read.broker.password.matches(Secret(text: "canary-hunter2")))
        #expect(read.keys == bundle.keys)
        #expect(read.operations == ["lock.lock", "dac.ping"])
        #expect(read.issuedAt == now)
        #expect(read.expiresAt == now + 600)
        #expect(read.id == bundle.id)
    }

    @Test("the header is the constant of the specification and the code is derived as it says")
    func construction() throws {
        let parts = String(decoding: try sealed(), as: UTF8.self).split(separator: ".").map(String.init)
        let header = try #require(Base64.decode(parts[0], as: .url))
        #expect(String(decoding: header, as: UTF8.self) == #"{"alg":"HS256","typ":"dac-join+jwt"}"#)
        let key = try HKDF.derive(from: code, salt: home.deviceKey.publicKey.rawBytes, info: "dac-join/1")
        let mac = HMAC.code(Array("\(parts[0]).\(parts[1])".utf8), key: key, hash: .sha256)
        #expect(Base64.encode(mac, as: .url) == parts[2])
    }

    @Test("another code, another key and any change are refused")
    func notAuthentic() throws {
        let message = try sealed()
        #expect(throws: ProtocolFault.signature) { try open(message, code: .random(count: 16)) }
        #expect(throws: ProtocolFault.signature) {
            try JoinBundle.open(
                message, code: code, deviceKey: home.agent.publicKey, device: home.device, now: now)
        }
        let dots = message.indices.filter { message[$0] == 0x2E }
        for index in [dots[0] + 5, dots[1] - 5, dots[1] + 5] {
            var changed = message
            changed[index] = changed[index] == 0x41 ? 0x42 : 0x41
            #expect(throws: ProtocolFault.signature) { try open(changed) }
        }
        #expect(throws: ProtocolFault.signature) { try open(Array(message[...dots[1]])) }
        #expect(throws: ProtocolFault.header(.join)) {
            try open(try Envelope.sign(["v": 1], type: .command, key: home.agent))
        }
        #expect(throws: ProtocolFault.format("compact serialisation")) { try open(Array("x".utf8)) }
        #expect(throws: ProtocolFault.size(0, allowed: 32_768)) { try open([]) }
        #expect(throws: ProtocolFault.size(40_000, allowed: 32_768)) {
            try open([UInt8](repeating: 0x41, count: 40_000))
        }
    }

    @Test("a bundle of another device is refused under its own code too")
    func otherDevice() throws {
        let stranger = DeviceID.random()
        #expect(throws: ProtocolFault.audience(found: home.device.rawValue, allowed: stranger.rawValue)) {
            try JoinBundle.open(
                try sealed(), code: code, deviceKey: home.deviceKey.publicKey, device: stranger, now: now)
        }
    }

    @Test("a bundle ends; without a clock the device cannot tell")
    func expiry() throws {
        let message = try sealed()
        _ = try open(message, now: now + 600)
        #expect(throws: ProtocolFault.expired(at: now + 600, now: now + 601)) { try open(message, now: now + 601) }
        _ = try open(message, now: .some(nil))
    }

    @Test("what no device would take is not sealed")
    func unreadable() {
        for bundle in [
            bundle(host: ""), bundle(host: String(repeating: "h", count: 256)), bundle(port: 0), bundle(port: 65_536),
            bundle(port: -1), bundle(expiresAt: 1_785_000_000),
            bundle(ca: String(repeating: "x", count: 32_768)),
        ] {
            #expect(throws: ProtocolFault.self) { try sealed(bundle) }
        }
    }

    @Test("a key set of the largest size fits, whatever needs escaping in it")
    func largestKeySet() throws {
        let keys = Array(String(repeating: "\"kid\":1234567890", count: 1_024).utf8)
        #expect(keys.count == MessageType.keys.maximumSize)
        #expect(try open(try sealed(bundle(keys: keys))).keys == keys)
    }

    @Test(
        "an authentic payload of another form is refused",
        arguments: [("v", 2), ("dev", 1), ("more", 1), ("jti", "x")] as [(String, JSON)])
    func wrongForm(_ name: String, _ value: JSON) throws {
        let parts = String(decoding: try sealed(), as: UTF8.self).split(separator: ".").map(String.init)
        let payload = try JSON(parsing: try #require(Base64.decode(parts[1], as: .url))).changing([(name, value)])
        let input = "\(parts[0]).\(Base64.encode(payload.bytes, as: .url))"
        let key = try HKDF.derive(from: code, salt: home.deviceKey.publicKey.rawBytes, info: "dac-join/1")
        let mac = HMAC.code(Array(input.utf8), key: key, hash: .sha256)
        #expect(throws: ProtocolFault.self) {
            try open(Array("\(input).\(Base64.encode(mac, as: .url))".utf8))
        }
    }

    @Test("printing a bundle does not show the password")
    func redaction() throws {
        let bundle = try open(try sealed())
        var dumped = ""
        dump(bundle, to: &dumped)
        #expect(!dumped.contains("hunter2"))
        #expect(!"\(bundle)".contains("hunter2"))
    }
}
