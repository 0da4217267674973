// A client proves itself in one way, chosen by the provider's profile; the secret never stands in a URL.

package import Sealing

/// How a client authenticates at the token endpoint (RFC 6749 §2.3).
package struct ClientAuthentication: Sendable {
    /// Where id and secret go.
    package enum Method: Sendable {
        /// A public client: only `client_id`, in the body.
        case none
        /// `Authorization: Basic`, and for some vendors `client_id` in the body too.
        case basic(BasicCredentials.Encoding, idInBody: Bool)
        /// Both in the body.
        case post
        /// In the header and in the body, as one vendor wants it and the RFC forbids.
        case basicAndPost(BasicCredentials.Encoding)
    }

    /// The public identifier.
    package let clientID: String
    private let secret: Secret?
    private let method: Method

    /// A client without secret.
    package static func none(clientID: String) -> ClientAuthentication {
        ClientAuthentication(clientID: clientID, secret: nil, method: .none)
    }

    /// HTTP Basic.
    package static func basic(
        clientID: String, secret: Secret, encoding: BasicCredentials.Encoding = .rfc, idInBody: Bool = false
    ) -> ClientAuthentication {
        ClientAuthentication(clientID: clientID, secret: secret, method: .basic(encoding, idInBody: idInBody))
    }

    /// Id and secret in the body.
    package static func post(clientID: String, secret: Secret) -> ClientAuthentication {
        ClientAuthentication(clientID: clientID, secret: secret, method: .post)
    }

    /// Header and body at once.
    package static func basicAndPost(
        clientID: String, secret: Secret, encoding: BasicCredentials.Encoding
    ) -> ClientAuthentication {
        ClientAuthentication(clientID: clientID, secret: secret, method: .basicAndPost(encoding))
    }

    /// The `Authorization` header's value, if this method has one.
    package var authorization: Secret? {
        switch method {
        case .none, .post: nil
        case .basic(let encoding, _), .basicAndPost(let encoding):
            secret.map { BasicCredentials.encode(id: clientID, secret: $0, as: encoding) }
        }
    }

    /// What goes into the body.
    package var parameters: [Parameter] {
        let id = Parameter("client_id", clientID)
        switch method {
        case .none: return [id]
        case .basic(_, let idInBody): return idInBody ? [id] : []
        case .post, .basicAndPost:
            return [id] + [secret.map { Parameter("client_secret", $0.revealText()) }].compactMap(\.self)
        }
    }
}
