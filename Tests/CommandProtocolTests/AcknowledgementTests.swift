// The hub's verifier against acknowledgements that are wrong in one way each, and the state it keeps.

import CommandProtocol
import Sealing
import StrictJSON
import Testing

@Suite struct AcknowledgementTests {
    private let home: Home
    private let command: SignedCommand
    private let received: ReceivedCommand
    private let topic: String

    init() throws {
        home = try Home()
        command = try home.signed(home.claims())
        var device = home.verifier()
        received = try #require(home.deliver(command.bytes, to: &device).command)
        topic = Topic.acknowledgement(home.site, home.device)
    }

    private func verifier() -> AcknowledgementVerifier {
        var verifier = AcknowledgementVerifier(
            device: home.device, hub: home.hub, site: home.site, key: home.deviceKey.publicKey)
        verifier.adopt(session: home.session)
        verifier.expect(command)
        return verifier
    }

    private func claims(_ seq: Int64, _ status: AcknowledgementStatus, result: [JSON.Member] = [])
        -> AcknowledgementClaims
    {
        AcknowledgementClaims(
            answering: received, by: home.device, session: home.session, seq: seq, status: status, result: result,
            uptime: home.uptime)
    }

    private func code(
        _ message: [UInt8], _ verifier: inout AcknowledgementVerifier, topic: String? = nil, retained: Bool = false
    ) -> String {
        switch verifier.receive(topic: topic ?? self.topic, retained: retained, message: message) {
        case .acknowledged(let claims): "OK:\(claims.st.rawValue)"
        case .ignored(let code): code.rawValue
        }
    }

    @Test("accepted may be followed by one final status, and a final one by nothing")
    func finalStatus() throws {
        var verifier = verifier()
        #expect(code(try claims(1, .accepted).sign(key: home.deviceKey), &verifier) == "OK:accepted")
        #expect(verifier.pending[command.hash]?.final == nil)
        #expect(code(try claims(2, .executed).sign(key: home.deviceKey), &verifier) == "OK:executed")
        #expect(verifier.pending[command.hash]?.final == .executed)
        for (offset, status) in AcknowledgementStatus.allCases.enumerated() {
            #expect(code(try claims(3 + Int64(offset), status).sign(key: home.deviceKey), &verifier) == "A_FINAL")
        }
        #expect(verifier.pending[command.hash]?.final == .executed)
        #expect(verifier.ignored == [.final: 4])
    }

    @Test("a sequence number counts once, and from the start in a new session")
    func sequence() throws {
        var verifier = verifier()
        let first = try claims(5, .accepted).sign(key: home.deviceKey)
        #expect(code(first, &verifier) == "OK:accepted")
        #expect(code(first, &verifier) == "A_SEQ")
        #expect(code(try claims(4, .executed).sign(key: home.deviceKey), &verifier) == "A_SEQ")
        verifier.adopt(session: home.session)
        #expect(code(first, &verifier) == "A_SEQ")
        verifier.adopt(session: Nonce.random())
        #expect(verifier.sequence == 0)
        #expect(code(try claims(6, .executed).sign(key: home.deviceKey), &verifier) == "A_SES")
    }

    @Test("before any session is known nothing is believed")
    func noSession() throws {
        var verifier = AcknowledgementVerifier(
            device: home.device, hub: home.hub, site: home.site, key: home.deviceKey.publicKey)
        verifier.expect(command)
        #expect(code(try claims(1, .executed).sign(key: home.deviceKey), &verifier) == "A_SES")
    }

    @Test(
        "a genuine signature over wrong claims is not believed",
        arguments: [
            ("v", 2, "A_PAYLOAD"), ("st", "done", "A_PAYLOAD"), ("st", nil, "A_PAYLOAD"), ("res", "x", "A_PAYLOAD"),
            ("cmd", "AAAA", "A_PAYLOAD"), ("extra", 1, "A_PAYLOAD"), ("seq", .decimal(1.5), "A_PAYLOAD"),
            ("res", ["t_mC": -1], "A_PAYLOAD"), ("aud", "hub-00000000", "A_AUD"), ("iss", "dev-aaaa", "A_ISS"),
            ("ctr", 43, "A_BIND"), ("jti", "AAAAAAAAAAAAAAAAAAAAAA", "A_BIND"),
            ("cmd", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "A_UNKNOWN_CMD"), ("seq", 0, "A_SEQ"),
            ("ses", "AAAAAAAAAAAAAAAAAAAAAA", "A_SES"),
        ] as [(String, JSON?, String)])
    func wrongClaims(_ name: String, _ value: JSON?, _ expected: String) throws {
        var verifier = verifier()
        let payload = claims(1, .executed).payload.changing([(name, value)])
        let message = try Envelope.sign(payload, type: .acknowledgement, key: home.deviceKey)
        #expect(code(message, &verifier) == expected)
        #expect(verifier.pending[command.hash]?.final == nil)
        #expect(verifier.sequence == 0)
        #expect(verifier.ignored.count == 1)
    }

    @Test("a wrong delivery or a wrong key is not believed")
    func wrongDelivery() throws {
        var verifier = verifier()
        let good = try claims(1, .executed).sign(key: home.deviceKey)
        var spoilt = good
        // Another character of the same alphabet, or the text would be refused before its signature is looked at.
        spoilt[spoilt.count - 80] =
            spoilt[spoilt.count - 80] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        #expect(code(good, &verifier, topic: home.topic) == "A_TOPIC")
        #expect(code(good, &verifier, retained: true) == "A_RETAINED")
        #expect(code([], &verifier) == "A_SIZE")
        #expect(code(good + [UInt8](repeating: 0x41, count: 2_048), &verifier) == "A_SIZE")
        #expect(code(Array("ack".utf8), &verifier) == "A_FORMAT")
        #expect(code(command.bytes, &verifier) == "A_HEADER")
        #expect(code(try claims(1, .executed).sign(key: home.agent), &verifier) == "A_HEADER")
        #expect(code(spoilt, &verifier) == "A_SIG")
        verifier.isRevoked = true
        #expect(code(good, &verifier) == "A_REVOKED")
        verifier.isRevoked = false
        verifier.forget(command.hash)
        #expect(code(good, &verifier) == "A_UNKNOWN_CMD")
        verifier.expect(command)
        #expect(code(good, &verifier) == "OK:executed")
    }

    @Test("gap and rejection code are in the result, and a device cannot pass its own for them")
    func result() throws {
        var device = home.verifier()
        let late = try #require(home.deliver(try home.signed(home.claims(ctr: 45)).bytes, to: &device).command)
        let claims = AcknowledgementClaims(
            answering: late, by: home.device, session: home.session, seq: 1, status: .rejected,
            result: [.init("gap", 0), .init("code", "OK"), .init("lock", "locked")], code: .arguments,
            uptime: home.uptime)
        #expect(claims.gap == 3)
        #expect(claims.code == "E_ARGS")
        #expect(claims.res["lock"]?.string == "locked")
        #expect(self.claims(1, .executed).gap == nil)
        #expect(self.claims(1, .executed).code == nil)
    }

    @Test("a result that no hub would read is not signed")
    func unreadableResult() throws {
        #expect(throws: ProtocolFault.self) {
            try claims(1, .executed, result: [.init("t_mC", -1)]).sign(key: home.deviceKey)
        }
        #expect(throws: ProtocolFault.self) {
            let text = String(repeating: "x", count: 2_000)
            return try claims(1, .executed, result: [.init("log", .string(text))]).sign(key: home.deviceKey)
        }
    }
}
