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

    /// The thumbprint of the key whose possession a request proves.
    ///
    /// - Parameters:
    ///   - incoming: The request.
    ///   - origin: The scheme and host it was sent to.
    ///   - accessToken: The token it presents, at a protected resource.
    ///   - transaction: Where the proof is used up.
    /// - Returns: `nil` when the request has no proof.
    /// - Throws: ``OAuth2Refusal/invalidDPoPProof`` and ``OAuth2Refusal/useDPoPNonce``.
    func provenThumbprint(
        _ incoming: Incoming, origin: String, accessToken: Secret? = nil, in transaction: Transaction
    ) throws -> String? {
        let proofs = incoming.proofs
        guard !proofs.isEmpty else { return nil }
        let now = configuration.now()
        let proof: DPoPProof
        do {
            proof = try DPoPProof.verify(
                proofs, method: incoming.method, url: origin + incoming.path, accessToken: accessToken,
                now: now.unixSeconds, window: Self.proofWindow)
        } catch {
            logger.notice("proof of possession refused", metadata: ["why": "\(error)"])
            throw OAuth2Refusal.invalidDPoPProof
        }
        guard let nonce = proof.nonce, nonces.isGood(nonce, now: now.unixSeconds) else {
            throw OAuth2Refusal.useDPoPNonce
        }
        let isNew = try transaction.useProof(
            proof.proofID, of: proof.thumbprint,
            expiresAt: Date(timeIntervalSince1970: Double(proof.expiresAt)), now: now)
        guard isNew else { throw OAuth2Refusal.invalidDPoPProof }
        return proof.thumbprint
    }

    /// The thumbprint that tokens of this request are bound to.
    ///
    /// - Throws: ``OAuth2Refusal/invalidDPoPProof`` also when the consumer has to prove possession and does not.
    func requiredThumbprint(
        _ incoming: Incoming, of consumer: RegisteredConsumer, in transaction: Transaction
    ) throws -> String? {
        let thumbprint = try provenThumbprint(incoming, origin: configuration.baseURL, in: transaction)
        guard thumbprint != nil || !consumer.terms.requiresDPoP else { throw OAuth2Refusal.invalidDPoPProof }
        return thumbprint
    }
}
