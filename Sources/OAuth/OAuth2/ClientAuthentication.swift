// A client proves itself in one way, chosen by the provider's profile; the secret never stands in a URL.

package import Sealing

/// How a client authenticates at the token endpoint (RFC 6749 §2.3).
package struct ClientAuthentication: Sendable {
    /// Where id and secret go.
    package enum Method: Sendable {
        /// Only `client_id`, in the body: a public client, or one that its TLS certificate proves (RFC 8705 §2).
        case none
        /// `Authorization: Basic`, and for some vendors `client_id` in the body too.
        case basic(BasicCredentials.Encoding, idInBody: Bool)
        /// Both in the body.
        case post
        /// In the header and in the body, as one vendor wants it and the RFC forbids.
        case basicAndPost(BasicCredentials.Encoding)
        /// A signed statement in the body, beside the id that some servers look the key up with.
        case assertion
    }

    /// The public identifier.
    package let clientID: String
    private let secret: Secret?
    private let method: Method

    /// A client without secret, and a client whose certificate speaks for it: a server finds the certificate it expects by
    /// the `client_id` in the body.
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

    /// A signed statement, made for one request (RFC 7523 §2.2).
    ///
    /// - Parameters:
    ///   - clientID: The client's identifier, the same as the statement's `sub`.
    ///   - assertion: What ``ClientAssertion/make(clientID:audience:key:now:lifetime:)`` made.
    /// - Returns: An authentication for that one request.
    package static func assertion(clientID: String, assertion: Secret) -> ClientAuthentication {
        ClientAuthentication(clientID: clientID, secret: assertion, method: .assertion)
    }

    /// The `Authorization` header's value, if this method has one.
    package var authorization: Secret? {
        switch method {
        case .none, .post, .assertion: nil
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
        case .assertion:
            return [id, Parameter("client_assertion_type", ClientAssertion.type)]
                + [secret.map { Parameter("client_assertion", $0.revealText()) }].compactMap(\.self)
        }
    }
}
