// A challenge works once, for ten seconds, on the device that made it, and its exchange cannot be forged or replayed.

import CommandProtocol
import Sealing
import StrictJSON
import Testing

@Suite struct ChallengeTests {
    private func unlock(_ home: Home, _ ctr: Int64, _ challenge: String?, delay: Int64 = 0) throws -> [UInt8] {
        try home.signed(
            home.claims(ctr: ctr, op: "lock.unlock", chn: challenge, due: home.uptime + delay + 5_000)
        ).bytes
    }

    @Test("a challenge opens once")
    func oneShot() throws {
        let home = try Home()
        var verifier = home.verifier()
        let challenge = verifier.issueChallenge(uptime: home.uptime)
        #expect(home.deliver(try unlock(home, 42, challenge), to: &verifier).code == "OK")
        #expect(home.deliver(try unlock(home, 43, challenge), to: &verifier).code == "E_CHAL")
    }

    @Test("a challenge lives ten seconds", arguments: [(10_000, "OK"), (10_001, "E_CHAL")] as [(Int64, String)])
    func expiry(_ delay: Int64, _ code: String) throws {
        let home = try Home()
        var verifier = home.verifier()
        let challenge = verifier.issueChallenge(uptime: home.uptime)
        let message = try home.signed(
            home.claims(op: "lock.unlock", chn: challenge, due: home.uptime + delay + 5_000)
        ).bytes
        let verdict = verifier.receive(
            topic: home.topic, retained: false, message: message, uptime: home.uptime + delay, wallClock: nil)
        #expect(verdict.code == code)
    }

    @Test("a challenge is spent even when the arguments are then refused")
    func spentByBadArguments() throws {
        let home = try Home()
        var verifier = home.verifier()
        let challenge = verifier.issueChallenge(uptime: home.uptime)
        let bad = try home.signed(home.claims(op: "lock.unlock", args: ["x": 1], chn: challenge)).bytes
        #expect(home.deliver(bad, to: &verifier).code == "E_ARGS")
        #expect(home.deliver(try unlock(home, 43, challenge), to: &verifier).code == "E_CHAL")
    }

    @Test("missing, foreign, made-up or misspelt challenges do not open")
    func wrongChallenges() throws {
        let home = try Home()
        var verifier = home.verifier()
        var other = try Home().verifier()
        let own = verifier.issueChallenge(uptime: home.uptime)
        let wrong = [nil, other.issueChallenge(uptime: home.uptime), Nonce.random(), "", own + "=", own + "A"]
        for (index, challenge) in wrong.enumerated() {
            let message = try unlock(home, 42 + Int64(index), challenge)
            #expect(home.deliver(message, to: &verifier).code == "E_CHAL")
        }
        #expect(home.deliver(try unlock(home, 60, own), to: &verifier).code == "OK")
    }

    @Test("only eight challenges are alive; the oldest goes first")
    func bounded() throws {
        let home = try Home()
        var verifier = home.verifier()
        let challenges = (0..<9).map { _ in verifier.issueChallenge(uptime: home.uptime) }
        #expect(home.deliver(try unlock(home, 42, challenges[0]), to: &verifier).code == "E_CHAL")
        #expect(home.deliver(try unlock(home, 43, challenges[1]), to: &verifier).code == "OK")
        #expect(home.deliver(try unlock(home, 44, challenges[8]), to: &verifier).code == "OK")
    }

    private func answer(
        _ home: Home, _ message: [UInt8], _ verifier: inout CommandVerifier, topic: String? = nil,
        retained: Bool = false
    ) throws -> Challenge {
        try verifier.answerChallengeRequest(
            topic: topic ?? Topic.challenge(home.site, home.device), retained: retained, message: message,
            uptime: home.uptime)
    }

    @Test("the exchange ends in a challenge that opens, and tells session and uptime")
    func exchange() throws {
        let home = try Home()
        var verifier = home.verifier()
        let request = ChallengeRequest(iss: home.hub, aud: home.device)
        let answer = try answer(home, try request.sign(key: home.agent), &verifier)
        let challenge = try Challenge.verify(
            try answer.sign(key: home.deviceKey), key: home.deviceKey.publicKey, device: home.device, hub: home.hub,
            nonce: request.non)
        #expect(challenge == answer)
        #expect(challenge.ses == home.session)
        #expect(challenge.up == home.uptime)
        #expect(challenge.ttl == 10_000)
        #expect(home.deliver(try unlock(home, 42, challenge.chn), to: &verifier).code == "OK")
    }

    @Test("a forged, misdirected or replayed request gets no answer")
    func wrongRequests() throws {
        let home = try Home()
        var verifier = home.verifier()
        let request = ChallengeRequest(iss: home.hub, aud: home.device)
        let good = try request.sign(key: home.agent)
        let otherDevice = ChallengeRequest(iss: home.hub, aud: .random())
        let otherHub = ChallengeRequest(iss: .random(), aud: home.device)
        let command = try home.signed(home.claims()).bytes
        let unsigned = good.prefix { $0 != 0x2E } + Array(".e30.".utf8)
        #expect(throws: ProtocolFault.retained) { try answer(home, good, &verifier, retained: true) }
        #expect(throws: ProtocolFault.topic(home.topic)) { try answer(home, good, &verifier, topic: home.topic) }
        #expect(throws: ProtocolFault.unknownKey(home.mallory.publicKey.keyID)) {
            try answer(home, try request.sign(key: home.mallory), &verifier)
        }
        #expect(throws: ProtocolFault.unknownKey(home.deviceKey.publicKey.keyID)) {
            try answer(home, try request.sign(key: home.deviceKey), &verifier)
        }
        #expect(throws: ProtocolFault.audience(found: otherDevice.aud.rawValue, allowed: home.device.rawValue)) {
            try answer(home, try otherDevice.sign(key: home.agent), &verifier)
        }
        #expect(throws: ProtocolFault.issuer(found: otherHub.iss.rawValue, allowed: home.hub.rawValue)) {
            try answer(home, try otherHub.sign(key: home.agent), &verifier)
        }
        #expect(throws: ProtocolFault.header(.challenge)) { try answer(home, command, &verifier) }
        #expect(throws: ProtocolFault.signature) { try answer(home, Array(unsigned), &verifier) }
        #expect(throws: ProtocolFault.self) {
            let payload = request.payload.changing([("chn", "x")])
            return try answer(home, try Envelope.sign(payload, type: .challenge, key: home.agent), &verifier)
        }
        _ = try answer(home, good, &verifier)
        #expect(throws: ProtocolFault.nonce(request.non)) { try answer(home, good, &verifier) }
    }

    @Test("replayed requests cannot push a live challenge out")
    func replayedRequests() throws {
        let home = try Home()
        var verifier = home.verifier()
        let request = try ChallengeRequest(iss: home.hub, aud: home.device).sign(key: home.agent)
        let challenge = try answer(home, request, &verifier)
        for _ in 0..<20 { _ = try? answer(home, request, &verifier) }
        #expect(home.deliver(try unlock(home, 42, challenge.chn), to: &verifier).code == "OK")
    }

    @Test("the hub believes only the answer to its own open question")
    func wrongAnswers() throws {
        let home = try Home()
        var verifier = home.verifier()
        let request = ChallengeRequest(iss: home.hub, aud: home.device)
        let answer = try answer(home, try request.sign(key: home.agent), &verifier)
        let good = try answer.sign(key: home.deviceKey)
        func verify(_ message: [UInt8], nonce: String? = nil, device: DeviceID? = nil, hub: HubID? = nil) throws {
            _ = try Challenge.verify(
                message, key: home.deviceKey.publicKey, device: device ?? home.device, hub: hub ?? home.hub,
                nonce: nonce ?? request.non)
        }
        let stranger = DeviceID.random()
        let strangeHub = HubID.random()
        try verify(good)
        #expect(throws: ProtocolFault.nonce(request.non)) { try verify(good, nonce: Nonce.random()) }
        #expect(throws: ProtocolFault.issuer(found: home.device.rawValue, allowed: stranger.rawValue)) {
            try verify(good, device: stranger)
        }
        #expect(throws: ProtocolFault.audience(found: home.hub.rawValue, allowed: strangeHub.rawValue)) {
            try verify(good, hub: strangeHub)
        }
        #expect(throws: ProtocolFault.unknownKey(home.agent.publicKey.keyID)) {
            try verify(try answer.sign(key: home.agent))
        }
        #expect(throws: ProtocolFault.unknownKey(home.agent.publicKey.keyID)) {
            try verify(try request.sign(key: home.agent))
        }
        #expect(throws: ProtocolFault.member("ttl", allowed: "an integer of at least 1")) {
            let payload = answer.payload.changing([("ttl", 0)])
            try verify(try Envelope.sign(payload, type: .challenge, key: home.deviceKey))
        }
    }
}
