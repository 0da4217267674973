// Hello and state come back as they were signed, and are believed from nobody but the device.

import CommandProtocol
import Sealing
import StrictJSON
import Testing

@Suite struct DeviceMessageTests {
    private let home: Home
    init() throws { home = try Home() }

    private func hello() throws -> Hello {
        var verifier = home.verifier()
        _ = home.deliver([], to: &verifier)
        _ = home.deliver([], to: &verifier)
        _ = home.deliver(try home.signed(home.claims()).bytes, to: &verifier)
        return verifier.hello(uptime: home.uptime, seq: 3, firmware: "1.0")
    }

    private func verify(_ message: [UInt8], device: DeviceID? = nil, hub: HubID? = nil) throws -> Hello {
        try Hello.verify(
            message, key: home.deviceKey.publicKey, device: device ?? home.device, hub: hub ?? home.hub)
    }

    @Test("a hello tells session, counters, abilities and what was rejected in silence")
    func helloRoundTrip() throws {
        let hello = try hello()
        let read = try verify(try hello.sign(key: home.deviceKey))
        #expect(read == hello)
        #expect(read.ses == home.session)
        #expect(read.kv == 7)
        #expect(read.last == [home.agent.publicKey.keyID: 42, home.reader.publicKey.keyID: 41])
        #expect(read.caps == ["climate.set", "lock.lock", "lock.unlock", "state.get"])
        #expect(read.rej == ["E_SIZE": 2])
    }

    @Test("a hello without rejections has exactly the members of the specification")
    func helloMembers() throws {
        let payload = home.verifier().hello(uptime: 1, seq: 1, firmware: "1").payload
        let names = payload.members?.map(\.name)
        #expect(names == ["v", "iss", "aud", "ses", "up", "kv", "last", "caps", "fw", "seq"])
        _ = try verify(try Envelope.sign(payload, type: .hello, key: home.deviceKey))
    }

    @Test("a forged or misdirected hello is refused")
    func forgedHello() throws {
        let hello = try hello()
        let good = try hello.sign(key: home.deviceKey)
        var spoilt = good
        // Another character of the same alphabet, or the text would be refused before its signature is looked at.
        spoilt[spoilt.count - 80] =
            spoilt[spoilt.count - 80] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        let stranger = DeviceID.random()
        let strangeHub = HubID.random()
        #expect(throws: ProtocolFault.signature) { try verify(spoilt) }
        #expect(throws: ProtocolFault.unknownKey(home.agent.publicKey.keyID)) {
            try verify(try hello.sign(key: home.agent))
        }
        #expect(throws: ProtocolFault.issuer(found: home.device.rawValue, allowed: stranger.rawValue)) {
            try verify(good, device: stranger)
        }
        #expect(throws: ProtocolFault.audience(found: home.hub.rawValue, allowed: strangeHub.rawValue)) {
            try verify(good, hub: strangeHub)
        }
        #expect(throws: ProtocolFault.header(.hello)) {
            try verify(try Envelope.sign(hello.payload, type: .state, key: home.deviceKey))
        }
        #expect(throws: ProtocolFault.size(0, allowed: 2_048)) { try verify([]) }
    }

    @Test(
        "a hello with a wrong member is refused",
        arguments: [
            ("v", 2), ("last", ["a": "1"]), ("last", []), ("caps", ["a", 1]), ("ses", "x"), ("up", -1), ("fw", nil),
            ("more", 1), ("rej", 1),
        ] as [(String, JSON?)])
    func wrongHello(_ name: String, _ value: JSON?) throws {
        let payload = try hello().payload.changing([(name, value)])
        #expect(throws: ProtocolFault.self) {
            try verify(try Envelope.sign(payload, type: .hello, key: home.deviceKey))
        }
    }

    @Test("a state comes back as signed, from the device only")
    func state() throws {
        let state = DeviceState(
            iss: home.device, ses: home.session, seq: 4, up: home.uptime, state: ["lock": "locked", "t_mC": 21_000])
        let message = try state.sign(key: home.deviceKey)
        let key = home.deviceKey.publicKey
        #expect(try DeviceState.verify(message, key: key, device: home.device) == state)
        let stranger = DeviceID.random()
        #expect(throws: ProtocolFault.issuer(found: home.device.rawValue, allowed: stranger.rawValue)) {
            try DeviceState.verify(message, key: key, device: stranger)
        }
        #expect(throws: ProtocolFault.unknownKey(home.agent.publicKey.keyID)) {
            try DeviceState.verify(try state.sign(key: home.agent), key: key, device: home.device)
        }
        #expect(throws: ProtocolFault.member("state", allowed: "an object")) {
            let payload = state.payload.changing([("state", "locked")])
            let message = try Envelope.sign(payload, type: .state, key: home.deviceKey)
            return try DeviceState.verify(message, key: key, device: home.device)
        }
    }

    @Test("an older state of the same session does not replace a newer one")
    func stateOrder() {
        func state(_ ses: String, _ seq: Int64) -> DeviceState {
            DeviceState(iss: home.device, ses: ses, seq: seq, up: 1, state: [:])
        }
        #expect(state("a", 2).mayReplace(state("a", 1)))
        #expect(!state("a", 1).mayReplace(state("a", 1)))
        #expect(!state("a", 1).mayReplace(state("a", 2)))
        #expect(state("b", 1).mayReplace(state("a", 2)))
    }

    @Test("no message type passes as another", arguments: MessageType.allCases)
    func types(_ type: MessageType) throws {
        for other in MessageType.allCases where other != .join && other != type && type != .join {
            let message = try Envelope.sign(["v": 1], type: type, key: home.agent)
            #expect(throws: ProtocolFault.header(other)) { try Envelope(parsing: message, type: other) }
        }
    }

    @Test("topics are read back as they were built, and nothing else is a topic")
    func topics() throws {
        let names = [
            Topic.command(home.site, home.device), Topic.acknowledgement(home.site, home.device),
            Topic.hello(home.site, home.device), Topic.challenge(home.site, home.device),
            Topic.state(home.site, home.device), Topic.token(home.site, home.device),
            Topic.online(home.site, home.device), Topic.keys(home.site),
        ]
        for (name, kind) in zip(names, Topic.Kind.allCases) {
            let topic = try #require(Topic(parsing: name))
            #expect(topic.kind == kind)
            #expect(topic.site == home.site)
            #expect(topic.device == (kind == .keys ? nil : home.device))
        }
        let wrong = [
            "", "/", "dac/v1/s1/keys/", "dac/v1/s1/d/keys", "dac/v1/s1/cmd", "dac/v2/s1/d/cmd", "dac/v1/S1/d/cmd",
            "dac/v1/s1/+/cmd", "dac/v1/s1/#", "dac/v1//d/cmd", "dac/v1/s1/d/cmd/x", "dac/v1/s1/d/CMD",
            "/dac/v1/s1/d/cmd",
            "dac/v1/s1/\(String(repeating: "d", count: 65))/cmd", "dac/ha/d/set", "dac/v1/s1/d\u{0}/cmd",
        ]
        for name in wrong { #expect(Topic(parsing: name) == nil, "\(name)") }
    }

    @Test("names are lower case, digits and hyphens, at most 64")
    func identifiers() {
        for text in ["a", "dev-3b1e77c0a94d", String(repeating: "z", count: 64)] {
            #expect(DeviceID(rawValue: text)?.rawValue == text)
            #expect(SiteID(rawValue: text) != nil)
            #expect(HubID(rawValue: text) != nil)
        }
        for text in ["", "A", "a b", "a/b", "+", "#", "ä", "a\n", String(repeating: "z", count: 65)] {
            #expect(DeviceID(rawValue: text) == nil)
            #expect(SiteID(rawValue: text) == nil)
            #expect(HubID(rawValue: text) == nil)
        }
        #expect(DeviceID.random().rawValue.count == 20)
        #expect(HubID.random().rawValue.count == 12)
        #expect(DeviceID(rawValue: DeviceID.random().rawValue) != nil)
        #expect(DeviceID.random() != DeviceID.random())
    }
}
