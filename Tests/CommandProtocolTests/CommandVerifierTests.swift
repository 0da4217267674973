// Replay, time, duplicates and counters of the device's verifier, at their boundaries.

import CommandProtocol
import Sealing
import StrictJSON
import Testing

@Suite struct CommandVerifierTests {
    @Test("the deadline itself is still in time, a millisecond later is not")
    func deadline() throws {
        let home = try Home()
        let message = try home.signed(home.claims()).bytes
        var inTime = home.verifier()
        #expect(home.deliver(message, to: &inTime, after: 8_000).code == "OK")
        var late = home.verifier()
        #expect(home.deliver(message, to: &late, after: 8_001).code == "E_EXPIRED")
    }

    @Test(
        "the deadline may lie as far ahead as the risk allows",
        arguments: [
            ("lock.lock", 30_000, "OK"), ("lock.lock", 30_001, "E_TTL"), ("lock.unlock", 10_000, "OK"),
            ("lock.unlock", 10_001, "E_TTL"), ("lock.lock", (1 << 53) - 1_000_001, "E_TTL"),
        ] as [(String, Int64, String)])
    func lifetime(_ op: String, _ ahead: Int64, _ code: String) throws {
        let home = try Home()
        var verifier = home.verifier()
        let challenge = verifier.issueChallenge(uptime: home.uptime)
        let command = try home.signed(home.claims(op: op, chn: challenge, due: home.uptime + ahead))
        #expect(home.deliver(command.bytes, to: &verifier).code == code)
    }

    @Test(
        "the wall clock counts only where the device trusts it, give or take the skew",
        arguments: [
            (0, "OK"), (13, "OK"), (14, "E_EXPIRED"), (-5, "OK"), (-6, "E_FUTURE"), (nil, "OK"),
        ] as [(Int?, String)])
    func wallClock(_ offset: Int?, _ code: String) throws {
        let home = try Home()
        var verifier = home.verifier()
        let message = try home.signed(home.claims()).bytes
        let verdict = verifier.receive(
            topic: home.topic, retained: false, message: message, uptime: home.uptime,
            wallClock: offset.map { home.clock + $0 })
        #expect(verdict.code == code)
    }

    @Test("a duplicate is never acted on and gets the acknowledgement of the first, even after the deadline")
    func duplicate() throws {
        let home = try Home()
        var verifier = home.verifier()
        let command = try home.signed(home.claims())
        #expect(home.deliver(command.bytes, to: &verifier).code == "OK")
        #expect(home.deliver(command.bytes, to: &verifier) == .duplicate(hash: command.hash, cachedAck: nil))
        verifier.recordAcknowledgement([1, 2, 3], for: command.hash)
        #expect(
            home.deliver(command.bytes, to: &verifier, after: 60_000)
                == .duplicate(hash: command.hash, cachedAck: [1, 2, 3]))
        verifier.recordAcknowledgement([4], for: command.hash)
        #expect(home.deliver(command.bytes, to: &verifier) == .duplicate(hash: command.hash, cachedAck: [4]))
    }

    @Test("a command rejected after its counter was burnt is a duplicate when it comes again")
    func rejectedDuplicate() throws {
        let home = try Home()
        var verifier = home.verifier()
        let command = try home.signed(home.claims(op: "climate.set"))
        #expect(home.deliver(command.bytes, to: &verifier).code == "E_ARGS")
        verifier.recordAcknowledgement([9], for: command.hash)
        #expect(home.deliver(command.bytes, to: &verifier) == .duplicate(hash: command.hash, cachedAck: [9]))
    }

    @Test("an acknowledgement of a forgotten command is not given to another one")
    func acknowledgementOfOther() throws {
        let home = try Home()
        var verifier = home.verifier()
        let first = try home.signed(home.claims())
        let second = try home.signed(home.claims(ctr: 43))
        _ = home.deliver(first.bytes, to: &verifier)
        _ = home.deliver(second.bytes, to: &verifier)
        verifier.recordAcknowledgement([1], for: first.hash)
        #expect(home.deliver(second.bytes, to: &verifier) == .duplicate(hash: second.hash, cachedAck: nil))
        #expect(home.deliver(first.bytes, to: &verifier).code == "E_CTR")
    }

    @Test("skipped counters are reported, also on a rejection")
    func gap() throws {
        let home = try Home()
        var verifier = home.verifier()
        #expect(home.deliver(try home.signed(home.claims()).bytes, to: &verifier).command?.gap == 0)
        #expect(home.deliver(try home.signed(home.claims(ctr: 46)).bytes, to: &verifier).command?.gap == 3)
        let rejected = home.deliver(try home.signed(home.claims(ctr: 49, op: "x.y")).bytes, to: &verifier)
        #expect(rejected.code == "E_OP")
        #expect(rejected.command?.gap == 2)
        #expect(home.deliver(try home.signed(home.claims(ctr: 49)).bytes, to: &verifier).command?.gap == 0)
    }

    @Test("one key cannot burn the counters of another")
    func countersPerKey() throws {
        let home = try Home()
        var verifier = home.verifier()
        let high = try CommandSigner.sign(home.claims(ctr: (1 << 53) - 1, op: "state.get"), key: home.reader)
        #expect(home.deliver(high.bytes, to: &verifier).code == "OK")
        #expect(home.deliver(try home.signed(home.claims()).bytes, to: &verifier).code == "OK")
    }

    @Test("a key that leaves the key set and comes back cannot replay")
    func keyComesBack() throws {
        let home = try Home()
        var verifier = home.verifier()
        let root = Ed25519PrivateKey()
        let command = try home.signed(home.claims())
        #expect(home.deliver(command.bytes, to: &verifier).code == "OK")
        for (version, signers) in [(8, []), (9, [home.agent])] as [(Int64, [Ed25519PrivateKey])] {
            let keySet = KeySet(
                version: version, root: .init(keys: [root.publicKey], threshold: 1),
                signers: signers.map { .init(key: $0.publicKey, ops: ["lock.lock"]) })
            verifier.adopt(try SignedKeySet.sign(keySet, keys: [root]))
        }
        #expect(verifier.trusted.version == 9)
        let claims = CommandClaims(
            iss: home.hub, aud: home.device, ses: home.session, ctr: 42, iat: Int64(home.clock),
            exp: Int64(home.clock) + 8, due: home.uptime + 8_000, kv: 9, op: "lock.lock")
        #expect(home.deliver(try home.signed(claims).bytes, to: &verifier).code == "E_CTR")
        #expect(home.deliver(command.bytes, to: &verifier).code == "E_KV_OLD")
    }

    @Test(
        "a payload outside the strict form is refused",
        arguments: [
            ("ctr", "0"), ("ctr", "-1"), ("ctr", "42.0"), ("ctr", "4.2e1"), ("ctr", "9007199254740992"),
            ("ctr", "\"42\""), ("ctr", "null"), ("ctr", "true"), ("v", "2"), ("v", "\"1\""), ("aud", "[\"dev\"]"),
            ("jti", "\"short\""), ("jti", "7"), ("ses", "\"\""), ("iat", "-1"), ("args", "[]"), ("args", "{\"a\":1.5}"),
            ("args", "{\"a\":-1}"), ("args", "{\"a\":1,\"\\u0061\":2}"), ("op", "1"), ("chn", "1"), ("sub", "{}"),
            ("due", "1e3"), ("kv", "7.0"), ("op", "\"\\ud800\""),
        ])
    func strictPayload(_ name: String, _ value: String) throws {
        let home = try Home()
        var verifier = home.verifier()
        let marker: JSON = "MARKER"
        let text = home.claims().payload.changing([(name, marker)]).text
        let payload = text.split(separator: "\"MARKER\"", omittingEmptySubsequences: false).joined(separator: value)
        let header = String(
            decoding: MessageType.command.protectedHeader(keyID: home.agent.publicKey.keyID), as: UTF8.self)
        let message = try compact(header: header, payload: Array(payload.utf8), key: home.agent)
        #expect(home.deliver(message, to: &verifier).code == "E_PAYLOAD")
    }

    @Test("bytes around the payload are refused", arguments: ["", "[]", "{}", "null", "{\"v\":1}", "\u{FEFF}{}"])
    func notAnObject(_ payload: String) throws {
        let home = try Home()
        var verifier = home.verifier()
        let header = String(
            decoding: MessageType.command.protectedHeader(keyID: home.agent.publicKey.keyID), as: UTF8.self)
        for bytes in [Array(payload.utf8), home.claims().payload.bytes + [0x7D], [0xFF]] {
            let message = try compact(header: header, payload: bytes, key: home.agent)
            #expect(home.deliver(message, to: &verifier).code == "E_PAYLOAD")
        }
    }

    @Test("arbitrary bytes never pass and never trap")
    func noise() throws {
        let home = try Home()
        var verifier = home.verifier()
        let message = try home.signed(home.claims()).bytes
        for length in 0..<message.count {
            #expect(home.deliver(Array(message.prefix(length)), to: &verifier).command == nil)
            var changed = message
            changed[length] ^= 1 << UInt8(length % 8)
            #expect(home.deliver(changed, to: &verifier).command == nil)
            #expect(home.deliver(Random.bytes(length), to: &verifier).command == nil)
        }
        #expect(home.deliver(message, to: &verifier).code == "OK")
    }

    @Test(
        "arguments are held to their bounds",
        arguments: [
            (["t_mC": 5_000], nil), (["t_mC": 35_000, "mode": "off", "boost": true], nil),
            (["t_mC": 4_999], "argument t_mC must be an integer from 5000 to 35000"),
            (["t_mC": 35_001], "argument t_mC must be an integer from 5000 to 35000"),
            (["t_mC": "21000"], "argument t_mC must be an integer from 5000 to 35000"),
            ([:], "argument t_mC is missing"),
            (["t_mC": 5_000, "mode": "HEAT"], "argument mode must be one of heat, off"),
            (["t_mC": 5_000, "boost": 1], "argument boost must be true or false"),
            (["t_mC": 5_000, "x": 1], "argument \"x\" is not known"), ([], "arguments must be an object"),
            (["t_m\u{43}": 5_000, "t_mc": 5_000], "argument \"t_mc\" is not known"),
        ] as [(JSON, String?)])
    func arguments(_ args: JSON, _ fault: String?) {
        #expect(Home.climate.fault(in: args) == fault)
    }

    @Test("the signer does not make a command that no device can read")
    func signerChecks() throws {
        let home = try Home()
        #expect(throws: ProtocolFault.member("ctr", allowed: "an integer of at least 1")) {
            try home.signed(home.claims(ctr: 0))
        }
        #expect(throws: ProtocolFault.self) { try home.signed(home.claims(args: ["a": .decimal(1.5)])) }
        #expect(throws: ProtocolFault.self) {
            try home.signed(home.claims(op: String(repeating: "x", count: 1_500)))
        }
    }
}
