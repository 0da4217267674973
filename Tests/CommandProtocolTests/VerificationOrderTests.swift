// A message wrong in two ways gives the code of the earlier check: what an attacker learns, and what is burnt or
// answered, depends on the order.

import CommandProtocol
import Sealing
import StrictJSON
import Testing

/// One thing wrong with a command, in the order in which DAC/1 looks.
enum Fault: Int, CaseIterable, CustomTestStringConvertible {
    case topic, retained, size, format, header, keyID, signature, payload, audience, issuer, keySetOld, keySetNew
    case session, counter, expired, lifetime, expiredByClock, future, operation, scope, challenge, arguments

    var code: RejectionCode {
        switch self {
        case .topic: .topic
        case .retained: .retained
        case .size: .size
        case .format: .format
        case .header: .header
        case .keyID: .keyID
        case .signature: .signature
        case .payload: .payload
        case .audience: .audience
        case .issuer: .issuer
        case .keySetOld: .keySetOld
        case .keySetNew: .keySetNew
        case .session: .session
        case .counter: .counter
        case .expired, .expiredByClock: .expired
        case .lifetime: .lifetime
        case .future: .future
        case .operation: .operation
        case .scope: .scope
        case .challenge: .challenge
        case .arguments: .arguments
        }
    }

    var testDescription: String { "\(self)" }

    /// Pairs that one message cannot have at once.
    func excludes(_ other: Fault) -> Bool {
        (self == .keySetOld && other == .keySetNew) || (self == .expired && other == .lifetime)
    }

    static let pairs: [(Fault, Fault)] = allCases.flatMap { first in
        allCases.filter { $0.rawValue > first.rawValue && !first.excludes($0) }.map { (first, $0) }
    }
}

private struct Draft {
    let home: Home
    var changes: [(String, JSON?)] = []
    var topic: String
    var retained = false
    var key: Ed25519PrivateKey
    var algorithm = "Ed25519"
    var suffix = ""
    var spoilt = false

    init(_ home: Home) {
        self.home = home
        topic = home.topic
        key = home.agent
    }

    mutating func apply(_ fault: Fault) {
        let clock = Int64(home.clock)
        switch fault {
        case .topic: topic = Topic.acknowledgement(home.site, home.device)
        case .retained: retained = true
        case .size: suffix += String(repeating: "A", count: 2_048)
        case .format: suffix += "="
        case .header: algorithm = "EdDSA"
        case .keyID: key = home.mallory
        case .signature: spoilt = true
        case .payload: changes.append(("force", 1))
        case .audience: changes.append(("aud", "dev-aaaaaaaaaaaaaaaa"))
        case .issuer: changes.append(("iss", "hub-00000000"))
        case .keySetOld: changes.append(("kv", 6))
        case .keySetNew: changes.append(("kv", 8))
        case .session: changes.append(("ses", .string(Nonce.random())))
        case .counter: changes.append(("ctr", 41))
        case .expired: changes.append(("due", .integer(home.uptime - 1)))
        case .lifetime: changes.append(("due", .integer(home.uptime + 30_001)))
        case .expiredByClock: changes.append(("exp", .integer(clock - 6)))
        case .future: changes.append(("iat", .integer(clock + 6)))
        case .operation: changes.append(("op", "fw.erase"))
        case .scope: key = home.reader
        case .challenge: changes.append(("op", "lock.unlock"))
        case .arguments: changes.append(("args", ["x": 1]))
        }
    }

    func message() throws -> [UInt8] {
        let payload = home.claims().payload.changing(changes).bytes
        let header = #"{"alg":"\#(algorithm)","kid":"\#(key.publicKey.keyID)","typ":"dac-cmd+jwt"}"#
        var message = try compact(header: header, payload: payload, key: key)
        // Inside R: whatever stands there, it is not what the key made.
        if spoilt { message[message.count - 80] = message[message.count - 80] == 0x41 ? 0x42 : 0x41 }
        return message + Array(suffix.utf8)
    }
}

@Suite struct VerificationOrderTests {
    private func verdict(_ faults: [Fault], home: Home, verifier: inout CommandVerifier) throws -> Verdict {
        var draft = Draft(home)
        // The later fault first, so that where both touch one thing the earlier check still finds its own.
        for fault in faults.sorted(by: { $0.rawValue > $1.rawValue }) { draft.apply(fault) }
        return verifier.receive(
            topic: draft.topic, retained: draft.retained, message: try draft.message(), uptime: home.uptime,
            wallClock: home.clock)
    }

    @Test("without a fault the command is accepted")
    func noFault() throws {
        let home = try Home()
        var verifier = home.verifier()
        #expect(try verdict([], home: home, verifier: &verifier).code == "OK")
        #expect(verifier.rejections.isEmpty)
    }

    @Test(
        "each fault alone gives its code, is counted, and is answered only from the session check on",
        arguments: Fault.allCases)
    func oneFault(_ fault: Fault) throws {
        let home = try Home()
        var verifier = home.verifier()
        let verdict = try verdict([fault], home: home, verifier: &verifier)
        #expect(verdict.code == fault.code.rawValue)
        #expect(verifier.rejections == [fault.code: 1])
        #expect((verdict.command != nil) == (fault.rawValue >= Fault.session.rawValue))
    }

    @Test("the counter is burnt by what fails after the time checks and by nothing before", arguments: Fault.allCases)
    func burning(_ fault: Fault) throws {
        let home = try Home()
        var verifier = home.verifier()
        _ = try verdict([fault], home: home, verifier: &verifier)
        let key = fault == .scope ? home.reader : home.agent
        let expected: Int64 = fault.rawValue >= Fault.operation.rawValue ? 42 : 41
        #expect(verifier.counters[key.publicKey.keyID] == expected)
    }

    @Test("of two faults the earlier one is named", arguments: Fault.pairs)
    func twoFaults(_ first: Fault, _ second: Fault) throws {
        let home = try Home()
        var verifier = home.verifier()
        let verdict = try verdict([first, second], home: home, verifier: &verifier)
        #expect(verdict.code == first.code.rawValue)
        #expect(verifier.rejections == [first.code: 1])
    }
}
