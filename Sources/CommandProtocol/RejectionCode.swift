// The code is part of the contract: a verifier that rejects for the wrong reason is wrong.

/// Why a device did not obey, in the order in which it looks.
package enum RejectionCode: String, Error, Sendable, CaseIterable {
    case topic = "E_TOPIC"
    case retained = "E_RETAINED"
    case size = "E_SIZE"
    case format = "E_FORMAT"
    case header = "E_HEADER"
    case keyID = "E_KID"
    case signature = "E_SIG"
    case payload = "E_PAYLOAD"
    case audience = "E_AUD"
    case issuer = "E_ISS"
    /// The command was signed under a key set older than the device's.
    case keySetOld = "E_KV_OLD"
    /// The command was signed under a key set the device has not seen: it must fetch it.
    case keySetNew = "E_KV_NEW"
    /// The command is for another session; a fresh hello goes out before the rejection.
    case session = "E_SES"
    case counter = "E_CTR"
    case expired = "E_EXPIRED"
    /// `due` lies further ahead than this device allows.
    case lifetime = "E_TTL"
    case future = "E_FUTURE"
    case operation = "E_OP"
    case scope = "E_SCOPE"
    case challenge = "E_CHAL"
    case arguments = "E_ARGS"
}

/// A command whose signature, audience, issuer and key set were right: enough to answer it.
package struct ReceivedCommand: Sendable, Equatable {
    package let claims: CommandClaims
    /// SHA-256 of the exact message, 32 bytes.
    package let hash: [UInt8]
    /// The key that signed.
    package let keyID: String
    /// How many counters were skipped before this one: evidence that something was suppressed.
    package let gap: Int64
}

/// What a device does with a message on its command topic.
package enum Verdict: Sendable, Equatable {
    /// Act, then answer; the counter is already burnt.
    case accepted(ReceivedCommand)
    /// The same bytes again: send the cached acknowledgement, never act. `nil` while the first is still being acted on.
    case duplicate(hash: [UInt8], cachedAck: [UInt8]?)
    /// Do not act; `answer` is what a signed rejection answers, `nil` when the rejection is silent.
    case rejected(RejectionCode, answer: ReceivedCommand?)
}
