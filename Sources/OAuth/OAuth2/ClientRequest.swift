// A client's request is a form in a POST body, every parameter once, the client authenticated in one way, or it is
// refused; what proves the client never lies among the parameters afterwards.

package import Sealing

/// A form that a client sent straight to the server, well-formed but not yet believed: a request for a token, its
/// revocation or introspection, a pushed authorisation request or a device's.
package struct ClientRequest: Sendable {
    /// How the client presents itself.
    package enum Client: Sendable {
        /// In the header; both readings are to be tried against the same client.
        case basic(BasicCredentials)
        /// In the body.
        case post(clientID: String, secret: Secret)
        /// With a signed statement (RFC 7523 §2.2).
        case assertion(ClientAssertion)
        /// Only an id: a public client, or no client at all.
        case none(clientID: String)

        /// Whether a refusal must be 401 with a challenge (RFC 6749 §5.2).
        package var usedHeader: Bool {
            if case .basic = self { true } else { false }
        }

        /// Whom it claims to be; two for a `Basic` header that can be read in two ways.
        package var claimedIDs: [String] {
            switch self {
            case .basic(let basic):
                basic.interpretations.map(\.clientID).reduce(into: []) { ids, id in
                    if !ids.contains(where: { $0.sameBytes(as: id) }) { ids.append(id) }
                }
            case .post(let clientID, _), .none(let clientID): [clientID]
            case .assertion(let assertion): [assertion.clientID]
            }
        }
    }

    /// How large may the body be, in bytes?
    package static let maximumSize = 32768

    /// Who claims to ask, still to be authenticated.
    package let client: Client
    /// In order, without those that have no value (RFC 6749 §3.1) and those that prove the client.
    package let parameters: [Parameter]

    /// Reads a request.
    ///
    /// - Parameters:
    ///   - method: The HTTP method.
    ///   - query: What follows `?` in the target, if anything does.
    ///   - contentType: The `Content-Type` header.
    ///   - authorization: The `Authorization` header.
    ///   - body: The whole body.
    /// - Returns: The request, with everything in it still to be looked up.
    /// - Throws: ``OAuth2Refusal`` with the code RFC 6749 §5.2 has for it.
    package static func parse(
        method: String, query: String? = nil, contentType: String?, authorization: String? = nil, body: [UInt8]
    ) throws(OAuth2Refusal) -> ClientRequest {
        guard method == "POST", (query ?? "").isEmpty, mediaType(contentType) == FormCoding.mediaType,
            body.count <= maximumSize
        else { throw .notAFormPost }
        guard let all = try? FormCoding.parse(body) else { throw .malformedRequest }
        // RFC 8707 §2 and RFC 8693 §2.1 let these two repeat.
        if let name = all.repeatedName(where: { $0 != "resource" && $0 != "audience" }) {
            throw .repeatedParameter(name)
        }
        let parameters = all.filter { !$0.value.isEmpty }
        let proofs: Set<String> = ["client_secret", "client_assertion", "client_assertion_type"]
        return ClientRequest(
            client: try client(parameters, authorization), parameters: parameters.filter { !proofs.contains($0.name) })
    }

    private static func client(
        _ parameters: [Parameter], _ authorization: String?
    ) throws(OAuth2Refusal) -> Client {
        let id = parameters.first("client_id")
        let secret = parameters.first("client_secret")
        let assertion = parameters.first("client_assertion")
        let assertionType = parameters.first("client_assertion_type")
        let ways = [authorization != nil, secret != nil, assertion != nil || assertionType != nil]
        guard ways.count(where: \.self) <= 1 else { throw .severalAuthentications }
        if let authorization {
            guard let basic = try BasicCredentials.parse(authorization) else { throw .invalidClient(usedHeader: true) }
            return try checked(.basic(basic), id)
        }
        switch (assertion, assertionType) {
        case (let assertion?, ClientAssertion.type): return try checked(.assertion(.init(parsing: assertion)), id)
        case (.some, .some): throw .invalidClient(usedHeader: false)
        case (.some, nil): throw .missingParameter("client_assertion_type")
        case (nil, .some): throw .missingParameter("client_assertion")
        case (nil, nil): break
        }
        guard let id, id.isPrintableASCII, id.utf8.count <= AuthorizationQuery.maximumClientIDSize else {
            throw .invalidClient(usedHeader: false)
        }
        return secret.map { .post(clientID: id, secret: Secret(text: $0)) } ?? .none(clientID: id)
    }

    /// A `client_id` beside the proof names the same client, or two clients ask at once.
    private static func checked(_ client: Client, _ id: String?) throws(OAuth2Refusal) -> Client {
        guard let id, !client.claimedIDs.contains(where: { $0.sameBytes(as: id) }) else { return client }
        throw .severalAuthentications
    }
}

extension ClientRequest: CustomStringConvertible, CustomReflectable {
    /// One line for a log, without any value: codes and tokens are among them.
    package var description: String { "client request with \(parameters.count) parameters" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
