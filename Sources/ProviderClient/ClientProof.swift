// A consumer proves itself in the one way its profile names; no secret is tried in another way than that.

import Delegation
import NIOSSL
import OAuth
import Sealing

/// How one request is authenticated with one of a consumer's secrets.
struct ClientProof {
    /// What goes into header and form.
    var authentication: ClientAuthentication
    /// What answers a Digest challenge.
    var digest: DigestCredentials?
    /// The certificate that the connection is made with.
    var tls: TLSConfiguration?
}

extension RemoteProvider {
    /// Prepares to prove a consumer with one of its secrets.
    ///
    /// - Throws: ``ProviderFailure/unusableKey(_:)`` when the secret is not of the kind that the profile needs.
    func proof(_ endpoints: OAuth2Endpoints, _ consumer: Consumer, _ secret: Secret) throws(ProviderFailure)
        -> ClientProof
    {
        let (id, repeats) = (consumer.key, endpoints.repeatsClientID)
        switch endpoints.clientAuthentication {
        case .basic:
            return ClientProof(
                authentication: .basic(clientID: id, secret: secret, encoding: .rfc, idInBody: repeats))
        case .basicRaw:
            return ClientProof(
                authentication: .basic(clientID: id, secret: secret, encoding: .raw, idInBody: repeats))
        case .basicAndPost:
            return ClientProof(authentication: .basicAndPost(clientID: id, secret: secret, encoding: .raw))
        case .post: return ClientProof(authentication: .post(clientID: id, secret: secret))
        case .none: return ClientProof(authentication: .none(clientID: id))
        case .digest:
            // Of Basic only what it has in the body is sent, which is the id or nothing; the header is the digest's.
            return ClientProof(
                authentication: .basic(clientID: id, secret: secret, idInBody: repeats),
                digest: DigestCredentials(clientID: id, secret: secret))
        case .privateKeyJWT:
            let audience = endpoints.assertionAudience == .issuer ? endpoints.issuer : endpoints.token
            guard let audience else { throw .notOffered("issuer") }
            let key = try PrivateKeyPEM.assertionKey(secret)
            guard
                let assertion = try? ClientAssertion.make(clientID: id, audience: audience, key: key, now: seconds)
            else { throw .unusableKey("a private key that can sign") }
            return ClientProof(authentication: .assertion(clientID: id, assertion: assertion))
        case .tls:
            return ClientProof(authentication: .none(clientID: id), tls: try certificate(secret))
        }
    }

    /// The connection of a consumer whose secret is a certificate with its key (RFC 8705 §2).
    func certificate(_ secret: Secret) throws(ProviderFailure) -> TLSConfiguration {
        var pem = secret.revealBytes()
        defer { for index in pem.indices { pem[index] = 0 } }
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(pem), !chain.isEmpty,
            let key = try? NIOSSLPrivateKey(bytes: pem, format: .pem)
        else { throw .unusableKey("a certificate and its private key in PEM") }
        var configuration = TLSConfiguration.toProviders(trustRoots: trustRoots)
        configuration.certificateChain = chain.map { .certificate($0) }
        configuration.privateKey = .privateKey(key)
        return configuration
    }
}
