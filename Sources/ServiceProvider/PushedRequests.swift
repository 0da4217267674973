// What is pushed is refused at once if it would be refused later, so a person is never sent to a page that cannot work.

import Delegation
import FoundationEssentials
import Hummingbird
import OAuth
import Sealing
import Vault

extension HomeProvider {
    /// `POST /oauth2/par` (RFC 9126).
    func pushRequest(_ incoming: Incoming) async throws -> Response {
        let request = try clientRequest(incoming)
        let lifetime = ServiceProviderConfiguration.pushedRequestLifetime
        let name = PushedAuthorization.prefix + Random.alphanumerics(30)
        let now = configuration.now()
        let proof = try proof(incoming)
        try await serve(request, at: "pushed request") { transaction, consumer -> Result<Void, OAuth2Refusal> in
            guard consumer.terms.grantTypes.contains(GrantType.authorizationCode.word) else {
                return .failure(.unauthorizedClient)
            }
            let query = try AuthorizationQuery(pushed: request.parameters, clientID: consumer.key)
            guard Self.redirectTarget(query.redirectURI, of: consumer) != nil else {
                return .failure(.malformedParameter("redirect_uri"))
            }
            let pushed = try query.request()
            _ = try asked(pushed, of: consumer, in: transaction)
            // Only what is understood is kept.
            var parameters = pushed.parameters().filter { parameter in
                !pushed.extra.contains { $0.name == parameter.name }
            }
            // RFC 9449 §10.1: a proof here binds the code as `dpop_jkt` would.
            if let thumbprint = try proof.map({ try use($0, in: transaction) }) {
                guard pushed.dpopThumbprint ?? thumbprint == thumbprint else { return .failure(.invalidDPoPProof) }
                if pushed.dpopThumbprint == nil { parameters.append(Parameter("dpop_jkt", thumbprint)) }
            }
            let kept = FormCoding.encode(parameters)
            guard kept.utf8.count <= AuthorizationQuery.maximumSize else { return .failure(.malformedRequest) }
            if try transaction.pushedRequests(of: consumer.id, at: now) >= ServiceProviderConfiguration.openRequestLimit
            {
                // In a public client's name anybody can push: the oldest makes room, so that nobody is locked out.
                guard consumer.terms.authentication == .none else { throw ProviderFault.tooOften(seconds: 60) }
                try transaction.dropOldestPushedRequest(of: consumer.id)
            }
            try transaction.insertPushedRequest(
                hash: Self.hash(name), consumer: consumer.id, parameters: kept,
                expiresAt: now.advanced(by: lifetime), now: now)
            return .success(())
        }
        let reply = PushedAuthorizationReply(requestURI: name, expiresIn: Int(lifetime.components.seconds))
        return Reply.json(reply.json, status: 201)
    }
}
