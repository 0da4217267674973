// A challenge works once, for ten seconds of uptime, and only a few are alive at a time.

import Sealing

/// The challenges a device has given out and not yet seen again.
struct ChallengeBook: Sendable {
    /// How long a challenge lives, milliseconds.
    static let lifetime: Int64 = 10_000
    /// How many challenges are alive, and request nonces remembered, at most; the oldest goes first.
    static let capacity = 8

    private var alive: [(challenge: String, deadline: Int64)] = []
    private var answered: [String] = []

    /// Makes a new challenge.
    mutating func issue(uptime: Int64) -> String {
        let challenge = Nonce.random()
        add(challenge, uptime: uptime)
        return challenge
    }

    mutating func add(_ challenge: String, uptime: Int64) {
        alive.removeAll { uptime > $0.deadline }
        if alive.count == Self.capacity { alive.removeFirst() }
        alive.append((challenge, uptime &+ Self.lifetime))
    }

    /// Takes a challenge back; whether it was alive. It is not afterwards.
    mutating func consume(_ challenge: String?, uptime: Int64) -> Bool {
        alive.removeAll { uptime > $0.deadline }
        // The form is checked first because Swift equates spellings that differ in bytes.
        guard let challenge, Nonce.isValid(challenge),
            let index = alive.firstIndex(where: { ConstantTime.equal($0.challenge, challenge) })
        else { return false }
        alive.remove(at: index)
        return true
    }

    /// Notes a request's nonce; `false` when it was answered before, so that a replay cannot push live challenges out.
    mutating func open(requestNonce: String) -> Bool {
        guard !answered.contains(requestNonce) else { return false }
        if answered.count == Self.capacity * 4 { answered.removeFirst() }
        answered.append(requestNonce)
        return true
    }
}
