// A client is known by the hash of its secret, compared in constant time, against a decoy when there is no such client.

import Delegation
import Hummingbird
import OAuth
import Sealing
import StrictJSON
import Vault

extension HomeProvider {
    private static let decoyHash = Random.bytes(32)

    /// The client that presents itself at an OAuth 2 endpoint.
    ///
    /// - Throws: ``OAuth2Refusal/invalidClient(usedHeader:)``; there are no public clients here.
    func authenticate(_ client: ReceivedTokenRequest.Client, in transaction: Transaction) throws -> RegisteredConsumer {
        let readings: [(id: String, secret: Secret)] =
            switch client {
            // Both readings of the header are tried, and both end at the same kind of comparison.
            case .basic(let basic): basic.interpretations.map { ($0.clientID, $0.secret) }
            case .post(let id, let secret): [(id, secret)]
            case .none: []
            }
        var found: RegisteredConsumer?
        for (id, secret) in readings {
            let consumer = try transaction.registeredConsumer(key: id)
                .flatMap { $0.delegationProtocol == .oauth2 ? $0 : nil }
            let expected = try consumer.map { try transaction.secretHash(of: $0) } ?? Self.decoyHash
            let isRight = ConstantTime.equal(secret.reveal { HashFunction.sha256.digest($0) }, expected)
            if isRight, let consumer { found = consumer }
        }
        guard let found else { throw OAuth2Refusal.invalidClient(usedHeader: client.usedHeader) }
        return found
    }

    /// Notes that a client did not prove to be who it says.
    ///
    /// - Returns: What it is told.
    func refused(
        _ client: ReceivedTokenRequest.Client, _ refusal: OAuth2Refusal, in transaction: Transaction
    ) throws -> ProviderFault {
        // Strangers to the home must not be able to fill the log.
        guard let consumer = try claimedConsumer(client, in: transaction) else { return .oauth2(refusal) }
        let seconds = try auditFailure(
            of: consumer, subject: "token endpoint", why: refusal.code, in: transaction)
        return seconds.map { .tooOften(seconds: $0) } ?? .oauth2(refusal)
    }

    /// Counts a failed authentication, and writes it into the audit log unless there were many lately; then the next row
    /// says how many were left out.
    ///
    /// - Returns: Seconds to wait, when there were too many.
    func auditFailure(
        of consumer: RegisteredConsumer, subject: String, why: String, in transaction: Transaction
    ) throws -> Int? {
        let now = configuration.now()
        let verdict = failures.count(consumer.id, at: now)
        if let unwritten = verdict.unwritten {
            var detail = [JSON.Member("why", .string(why))]
            if unwritten > 0 { detail.append(JSON.Member("suppressed", .integer(Int64(unwritten)))) }
            try transaction.audit(
                AuditEntry(
                    actor: .app(consumer.key), action: "provider.token", subject: subject, authority: "none",
                    outcome: "refused", detail: .object(detail)), at: now)
        }
        return verdict.retryAfter
    }

    /// Whom a client says it is, when there is such a one.
    private func claimedConsumer(
        _ client: ReceivedTokenRequest.Client, in transaction: Transaction
    ) throws -> RegisteredConsumer? {
        switch client {
        case .basic(let basic):
            try basic.interpretations.first.flatMap { try transaction.registeredConsumer(key: $0.clientID) }
        case .post(let id, _), .none(let id): try transaction.registeredConsumer(key: id)
        }
    }

    /// The client of a request that is a form but no token request.
    ///
    /// - Throws: ``OAuth2Refusal``.
    func client(_ incoming: Incoming, _ parameters: [Parameter]) throws -> ReceivedTokenRequest.Client {
        let id = parameters.first("client_id")
        let secret = parameters.first("client_secret")
        if let header = try incoming.authorization() {
            guard let basic = try BasicCredentials.parse(header) else {
                throw OAuth2Refusal.invalidClient(usedHeader: true)
            }
            guard secret == nil, id.map({ id in basic.interpretations.contains { $0.clientID == id } }) ?? true else {
                throw OAuth2Refusal.severalAuthentications
            }
            return .basic(basic)
        }
        guard let id, let secret else { throw OAuth2Refusal.invalidClient(usedHeader: false) }
        return .post(clientID: id, secret: Secret(text: secret))
    }
}
