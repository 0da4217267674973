// A client is known by the hash of its secret, compared in constant time, against a decoy when there is no such client.

import Delegation
import Hummingbird
import OAuth
import Sealing
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
