// A token is changed for another as the client wrote it; a token without its type is worth nothing.

import OAuth
import Sealing
import StrictJSON
import Testing

@Suite struct TokenExchangeTests {
    private static func exchanged(_ exchange: TokenExchange) throws -> ReceivedTokenRequest {
        let message = TokenRequest(grant: .tokenExchange(exchange), resource: ["urn:x"]).message(
            authentication: .post(clientID: "hub", secret: Secret(text: "s")))
        return try ReceivedTokenRequest(
            ClientRequest.parse(
                method: "POST", contentType: TokenRequest.Message.contentType, body: message.body.revealBytes()))
    }

    @Test("what the client gives and asks for, the server reads")
    func roundTrip() throws {
        let received = try Self.exchanged(
            TokenExchange(
                subjectToken: Secret(text: "s+t"), subjectTokenType: TokenExchange.jwtType,
                actor: (Secret(text: "a&t"), TokenExchange.accessTokenType),
                requestedTokenType: TokenExchange.refreshTokenType, audience: ["front-door", "https://b.example"],
                scope: ["a", "b"]))
        guard case .tokenExchange(let exchange) = received.grant else {
            Issue.record("not an exchange")
            return
        }
        #expect(received.grant.type == .tokenExchange)
        #expect(exchange.subjectToken.revealText() == "s+t")
        #expect(exchange.subjectTokenType == "urn:ietf:params:oauth:token-type:jwt")
        #expect(exchange.actorToken?.revealText() == "a&t")
        #expect(exchange.actorTokenType == "urn:ietf:params:oauth:token-type:access_token")
        #expect(exchange.requestedTokenType == "urn:ietf:params:oauth:token-type:refresh_token")
        #expect(exchange.audience == ["front-door", "https://b.example"])
        #expect(exchange.scope == ["a", "b"])
        #expect(received.resource == ["urn:x"])
    }

    @Test("the rest may be left out")
    func shortest() throws {
        let received = try Self.exchanged(TokenExchange(subjectToken: Secret(text: "t")))
        guard case .tokenExchange(let exchange) = received.grant else {
            Issue.record("not an exchange")
            return
        }
        #expect(exchange.subjectTokenType == TokenExchange.accessTokenType)
        #expect(exchange.actorToken == nil && exchange.actorTokenType == nil && exchange.requestedTokenType == nil)
        #expect(exchange.audience.isEmpty && exchange.scope.isEmpty)
    }

    @Test(
        "an incomplete or malformed exchange is refused",
        arguments: [
            ("", OAuth2Refusal.missingParameter("subject_token")),
            ("&subject_token=&subject_token_type=urn:x", .missingParameter("subject_token")),
            ("&subject_token=t", .missingParameter("subject_token_type")),
            ("&subject_token=t&subject_token_type=x", .malformedParameter("subject_token_type")),
            ("&subject_token=t&subject_token_type=urn:a+b", .malformedParameter("subject_token_type")),
            ("&subject_token=t&subject_token_type=urn:x&subject_token=t", .repeatedParameter("subject_token")),
            ("&subject_token=t&subject_token_type=urn:x&actor_token=a", .missingParameter("actor_token_type")),
            (
                "&subject_token=t&subject_token_type=urn:x&actor_token_type=urn:x",
                .malformedParameter("actor_token_type")
            ),
            (
                "&subject_token=t&subject_token_type=urn:x&requested_token_type=x",
                .malformedParameter("requested_token_type")
            ),
            ("&subject_token=t&subject_token_type=urn:x&scope=%22", .invalidScope),
            ("&subject_token=t&subject_token_type=urn:x&resource=x", .malformedParameter("resource")),
            (
                "&subject_token=t&subject_token_type=urn:x" + String(repeating: "&audience=a", count: 17),
                .malformedParameter("audience")
            ),
        ])
    func refused(_ more: String, _ refusal: OAuth2Refusal) {
        let body = "client_id=c&grant_type=" + FormCoding.encode(GrantType.tokenExchange.rawValue) + more
        #expect(throws: refusal) {
            try ReceivedTokenRequest(
                ClientRequest.parse(method: "POST", contentType: FormCoding.mediaType, body: Array(body.utf8)))
        }
    }

    @Test("an endpoint takes the grants it was told to take")
    func allowed() throws {
        let body = "client_id=c&grant_type=client_credentials&authorization_details=%5B%5D"
        let request = try ClientRequest.parse(
            method: "POST", contentType: FormCoding.mediaType, body: Array(body.utf8))
        #expect(throws: OAuth2Refusal.unsupportedGrantType) {
            try ReceivedTokenRequest(request, allowed: [.authorizationCode, .tokenExchange])
        }
        #expect(throws: OAuth2Refusal.invalidAuthorizationDetails) { try ReceivedTokenRequest(request) }
    }

    @Test("a token request may ask in detail")
    func details() throws {
        let details = AuthorizationDetails(scopes: ["lock.unlock@front-door"], location: "https://hub.example")
        let message = TokenRequest(
            grant: .clientCredentials(), extra: [Parameter("authorization_details", details.json.text)]
        ).message(authentication: .none(clientID: "c"))
        let received = try ReceivedTokenRequest.parse(
            method: "POST", contentType: FormCoding.mediaType, body: message.body.revealBytes(),
            allowed: [.clientCredentials])
        #expect(received.authorizationDetails == details)
    }
}
