// What is sent again is only what was definitely refused unread: a wrong client, a missing nonce, a stale challenge.
// After a silence nothing is sent twice.

import Delegation
import OAuth
import Sealing

/// What is to be said to an endpoint, whoever says it.
struct Question: Sendable {
    let url: String
    /// Writes the form, with what the client adds to prove itself.
    let form: @Sendable (ClientAuthentication) -> Secret
    /// The key of the grant, where tokens are bound to one.
    var key: JWTSigningKey?

    /// Parameters in order, behind them what proves the client.
    init(url: String, parameters: [Parameter]) {
        self.url = url
        form = { Secret(text: FormCoding.encode(parameters + $0.parameters)) }
    }

    init(url: String, key: JWTSigningKey?, form: @escaping @Sendable (ClientAuthentication) -> Secret) {
        self.url = url
        self.form = form
        self.key = key
    }
}

extension RemoteProvider {
    /// Asks an endpoint as a consumer, with each of its secrets until one is taken.
    ///
    /// - Returns: The reply to the first secret that the provider did not refuse, or else the first reply.
    /// - Throws: ``ProviderFailure`` when there is no whole reply.
    func ask(_ question: Question, _ consumer: Consumer) async throws(ProviderFailure) -> RawReply {
        let endpoints = try oauth2
        var course = Course(limit: limit)
        var first: RawReply?
        let secrets = endpoints.clientAuthentication == .none ? [] : consumer.formerSecrets
        for (index, secret) in ([consumer.secret] + secrets).enumerated() {
            do throws(ProviderFailure) {
                _ = try proof(endpoints, consumer, secret)
            } catch {
                // A former secret may be from before the provider was told another kind of proof.
                guard index > 0 else { throw error }
                continue
            }
            var reply = try await attempt(question, &course) { () throws(ProviderFailure) in
                try proof(endpoints, consumer, secret)
            }
            reply.usedSecret = index
            guard isRefusalOfClient(reply, endpoints) else { return reply }
            first = first ?? reply
        }
        guard let first else { throw .unusableKey("of any kind") }
        return first
    }

    /// What has been learned and tried in the course of one exchange.
    private struct Course {
        let limit: ContinuousClock.Instant
        /// What a digest answers, and how many times it has been answered.
        var challenge: (text: DigestChallenge, answers: UInt32)?
        var mayRetryNonce = true
    }

    /// `prove` is asked anew for every request, because an assertion is good for one.
    private func attempt(
        _ question: Question, _ course: inout Course, prove: () throws(ProviderFailure) -> ClientProof
    ) async throws(ProviderFailure) -> RawReply {
        var proof = try prove()
        if proof.digest != nil, course.challenge == nil {
            course.challenge = (try await challenge(question, course.limit), 0)
        }
        var reply = try await sendOnce(question, proof, &course)
        if proof.digest != nil, reply.status == 401, let fresh = Self.challenge(in: reply) {
            course.challenge = (fresh, 0)
            if fresh.isStale { reply = try await sendOnce(question, proof, &course) }
        }
        if question.key != nil, course.mayRetryNonce, asksForNonce(reply) {
            course.mayRetryNonce = false
            proof = try prove()
            reply = try await sendOnce(question, proof, &course)
        }
        return reply
    }

    private func sendOnce(
        _ question: Question, _ proof: ClientProof, _ course: inout Course
    ) async throws(ProviderFailure) -> RawReply {
        var outgoing = OutgoingRequest(method: "POST", url: question.url)
        let form = question.form(proof.authentication)
        switch try oauth2.parameterPlace {
        case .body: outgoing.form = form
        case .query:
            outgoing.url = URLQuery.add(form.revealText(), to: question.url)
            outgoing.form = Secret(text: "")
        }
        outgoing.tls = proof.tls
        outgoing.authorization = proof.authentication.authorization
        if let digest = proof.digest, let (challenge, answers) = course.challenge {
            course.challenge = (challenge, answers &+ 1)
            outgoing.authorization = try Self.answer(challenge, digest, outgoing, count: answers &+ 1)
        }
        if let key = question.key { outgoing.proof = try makeProof("POST", question.url, key: key, token: nil) }
        return try await send(outgoing, until: course.limit)
    }

    /// Whether the client was refused before anybody looked at what it sent.
    private func isRefusalOfClient(_ reply: RawReply, _ endpoints: OAuth2Endpoints) -> Bool {
        if endpoints.clientAuthentication == .digest, reply.status == 401, let challenge = Self.challenge(in: reply) {
            return !challenge.isStale
        }
        let verdict = RefreshVerdict.classify(
            .reply(
                status: reply.status, contentType: reply.contentType, retryAfter: nil, body: reply.body.revealBytes()),
            options: tokenReplyOptions, now: seconds)
        return if case .clientBroken = verdict { true } else { false }
    }
}

extension RemoteProvider {
    /// Gets a challenge by a request that holds nothing.
    ///
    /// A server that is sloppy about the order of its checks would use up a code or a refresh token that comes without
    /// an answer to its challenge, so none goes along; a nonce costs one round trip and is used once.
    private func challenge(
        _ question: Question, _ limit: ContinuousClock.Instant
    ) async throws(ProviderFailure) -> DigestChallenge {
        let host = try origins.check(question.url).host
        let reply: RawReply
        do throws(ProviderFailure) {
            reply = try await send(
                OutgoingRequest(method: "POST", url: question.url, form: Secret(text: "")), until: limit)
        } catch {
            switch error {
            case .interrupted(_, let reason): throw .notSent(host: host, reason: reason)
            case .tooLarge: throw .notSent(host: host, reason: "no challenge, but a page")
            default: throw error
            }
        }
        guard !(300..<400).contains(reply.status) else { throw .redirected(status: reply.status) }
        guard reply.status == 401, let challenge = Self.challenge(in: reply) else {
            throw .refused(status: reply.status, code: nil)
        }
        return challenge
    }

    private static func challenge(in reply: RawReply) -> DigestChallenge? {
        try? DigestChallenge.parse(reply.challenges.joined(separator: ", "))
    }

    /// Without `qop` it is the form of RFC 2069, whose one provider hashes the path whatever the query holds.
    private static func answer(
        _ challenge: DigestChallenge, _ digest: DigestCredentials, _ outgoing: OutgoingRequest, count: UInt32
    ) throws(ProviderFailure) -> Secret {
        do throws(OAuthError) {
            return try digest.authorization(
                for: challenge,
                request: DigestCredentials.Request(
                    method: outgoing.method, url: outgoing.url, coversQuery: challenge.usesQuality),
                count: count)
        } catch {
            throw .unusableKey("one that can be sent as a digest")
        }
    }
}
