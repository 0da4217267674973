// A proof is good for one request: its nonce is of the last minutes, and its id is used up in the transaction of what
// the request does.

import FoundationEssentials
import Hummingbird
import Logging
import OAuth
import Sealing
import Vault

extension HomeProvider {
    /// How far may the clock of a client be off, in seconds? Its nonce says more than its clock.
    private static let proofWindow = 300

    /// The proof of possession that a request carries, verified and with a good nonce, but not used up yet: who is sent
    /// back for a nonce has lost nothing.
    ///
    /// - Parameters:
    ///   - incoming: The request.
    ///   - origin: The scheme and host it was sent to; the provider's, if it is not given.
    ///   - accessToken: The token it presents, at a protected resource.
    /// - Returns: `nil` when the request has no proof.
    /// - Throws: ``ProviderFault/oauth2(_:)`` with ``OAuth2Refusal/invalidDPoPProof`` or ``OAuth2Refusal/useDPoPNonce``.
    func proof(_ incoming: Incoming, origin: String? = nil, accessToken: Secret? = nil) throws -> DPoPProof? {
        let proofs = incoming.proofs
        guard !proofs.isEmpty else { return nil }
        let now = configuration.now().unixSeconds
        let proof: DPoPProof
        do {
            proof = try DPoPProof.verify(
                proofs, method: incoming.method, url: (origin ?? configuration.baseURL) + incoming.path,
                accessToken: accessToken, now: now, window: Self.proofWindow)
        } catch {
            logger.notice("proof of possession refused", metadata: ["oauth.error": "\(error)"])
            throw ProviderFault.oauth2(.invalidDPoPProof)
        }
        guard let nonce = proof.nonce, nonces.isGood(nonce, now: now) else {
            throw ProviderFault.oauth2(.useDPoPNonce)
        }
        return proof
    }

    /// Uses a proof up.
    ///
    /// - Returns: The thumbprint of its key.
    /// - Throws: ``OAuth2Refusal/invalidDPoPProof`` when it was used before.
    func use(_ proof: DPoPProof, in transaction: Transaction) throws -> String {
        let isNew = try transaction.useProof(
            proof.proofID, of: proof.thumbprint,
            expiresAt: Date(timeIntervalSince1970: Double(proof.expiresAt)), now: configuration.now())
        guard isNew else { throw OAuth2Refusal.invalidDPoPProof }
        return proof.thumbprint
    }

    /// The thumbprint that tokens of a request are bound to.
    ///
    /// - Throws: ``OAuth2Refusal/invalidDPoPProof`` also when the consumer has to prove possession and does not.
    func requiredThumbprint(
        _ proof: DPoPProof?, of consumer: RegisteredConsumer, in transaction: Transaction
    ) throws -> String? {
        guard proof != nil || !consumer.terms.requiresDPoP else { throw OAuth2Refusal.invalidDPoPProof }
        return try proof.map { try use($0, in: transaction) }
    }
}
