// What our client sends, our server reads; what no client should send, it refuses with the RFC's code.

import OAuth
import Sealing
import Testing

@Suite struct TokenRequestTests {
    private static let code = TokenRequest.Grant.authorizationCode(
        Secret(text: "c+d"), redirectURI: "https://a.example/cb", verifier: PKCE().verifier)

    private static func refusal(
        _ body: String, method: String = "POST", query: String? = nil, contentType: String? = FormCoding.mediaType,
        authorization: String? = nil, allowed: Set<GrantType> = [.authorizationCode, .refreshToken]
    ) -> OAuth2Refusal? {
        do throws(OAuth2Refusal) {
            _ = try ReceivedTokenRequest.parse(
                method: method, query: query, contentType: contentType, authorization: authorization,
                body: Array(body.utf8), allowed: allowed)
            return nil
        } catch {
            return error
        }
    }

    private static func exchanged(_ authentication: ClientAuthentication) throws -> ReceivedTokenRequest {
        let message = TokenRequest(grant: code, resource: ["urn:x", "urn:y"]).message(authentication: authentication)
        return try ReceivedTokenRequest.parse(
            method: "POST", contentType: TokenRequest.Message.contentType,
            authorization: message.authorization?.revealText(), body: message.body.revealBytes())
    }

    @Test("a code is exchanged with either reading of Basic", arguments: ["s3cret", "s:%+ &é", "a%2Bb"])
    func basic(_ text: String) throws {
        let secret = Secret(text: text)
        for encoding in [BasicCredentials.Encoding.rfc, .raw] {
            let received = try Self.exchanged(
                .basic(clientID: "hub", secret: secret, encoding: encoding, idInBody: true))
            guard case .basic(let basic) = received.client else {
                Issue.record("not Basic")
                return
            }
            #expect(basic.interpretations.contains { $0.clientID == "hub" && $0.secret.matches(secret) })
            #expect(received.client.usedHeader)
            guard case .authorizationCode(let code, "https://a.example/cb", .some) = received.grant else {
                Issue.record("not the code")
                return
            }
            #expect(code.revealText() == "c+d")
            #expect(received.resource == ["urn:x", "urn:y"])
        }
    }

    @Test("a secret may stand in the body, or there is none")
    func body() throws {
        guard
            case .post("hub", let secret) = try Self.exchanged(.post(clientID: "hub", secret: Secret(text: "s"))).client
        else {
            Issue.record("not in the body")
            return
        }
        #expect(secret.revealText() == "s")
        guard case .none("hub") = try Self.exchanged(.none(clientID: "hub")).client else {
            Issue.record("not public")
            return
        }
    }

    @Test("the profile's parameters go along and win")
    func extra() {
        let message = TokenRequest(
            grant: .refreshToken(Secret(text: "r"), scope: ["a", "b"]),
            extra: [Parameter("action", "requesttoken"), Parameter("grant_type", "ecobeePin")]
        ).message(authentication: .none(clientID: "hub"), scopeSeparator: ",")
        #expect(
            message.body.revealText()
                == "refresh_token=r&scope=a%2Cb&client_id=hub&action=requesttoken&grant_type=ecobeePin")
    }

    @Test("a code from a PIN page is asked for in the vendor's own words, and so is a refresh")
    func otherNames() {
        let pin = TokenRequest(
            grant: .deviceCode(Secret(text: "c0de")), extra: [Parameter("grant_type", "ecobeePin")],
            parameterNames: ["device_code": "code"]
        ).message(authentication: .none(clientID: "app"))
        #expect(pin.body.revealText() == "code=c0de&client_id=app&grant_type=ecobeePin")
        let refresh = TokenRequest(
            grant: .refreshToken(Secret(text: "r")), parameterNames: ["refresh_token": "code", "client_id": "clientid"]
        ).message(authentication: .none(clientID: "app"))
        #expect(refresh.body.revealText() == "grant_type=refresh_token&code=r&clientid=app")
        let both = TokenRequest(
            grant: .deviceCode(Secret(text: "c")), extra: [Parameter("code", "d")],
            parameterNames: ["device_code": "code"]
        ).message(authentication: .none(clientID: "app"))
        #expect(
            both.body.revealText()
                == "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=app&code=d")
    }

    @Test("only a form in a POST body is read")
    func form() {
        let body = "grant_type=refresh_token&refresh_token=r&client_id=c"
        #expect(Self.refusal(body) == nil)
        #expect(Self.refusal(body, method: "GET") == .notAFormPost)
        #expect(Self.refusal(body, query: "client_secret=s") == .notAFormPost)
        #expect(Self.refusal(body, contentType: "application/json") == .notAFormPost)
        #expect(Self.refusal(body, contentType: nil) == .notAFormPost)
        #expect(Self.refusal(body + String(repeating: "&a", count: 20000)) == .notAFormPost)
        #expect(Self.refusal(body + "&a=%ZZ") == .malformedRequest)
        #expect(Self.refusal(body + "&scope=a&scope=a") == .repeatedParameter("scope"))
    }

    @Test("two ways to authenticate are one too many")
    func twoWays() {
        let body = "grant_type=refresh_token&refresh_token=r"
        let basic = BasicCredentials.encode(id: "c", secret: Secret(text: "s"), as: .rfc).revealText()
        #expect(Self.refusal(body, authorization: basic) == nil)
        #expect(Self.refusal(body + "&client_id=c", authorization: basic) == nil)
        #expect(Self.refusal(body + "&client_id=d", authorization: basic) == .severalAuthentications)
        #expect(Self.refusal(body + "&client_id=c&client_secret=s", authorization: basic) == .severalAuthentications)
        #expect(
            Self.refusal(body + "&client_id=c&client_secret=s&client_assertion=x") == .severalAuthentications)
    }

    @Test(
        "a header that is no Basic is 401",
        arguments: ["Bearer x", "Basic", "Basic !!", "Basic YQ==", "Basic YTpi=", "Basic /zo=", ""])
    func badHeader(_ header: String) {
        let refusal = Self.refusal("grant_type=refresh_token&refresh_token=r", authorization: header)
        #expect(refusal == .invalidClient(usedHeader: true))
        #expect(refusal?.status == 401)
    }

    @Test(
        "an incomplete or unknown grant is refused",
        arguments: [
            ("", OAuth2Refusal.missingParameter("grant_type")),
            ("&grant_type=", .missingParameter("grant_type")),
            ("&grant_type=password&username=a&password=b", .unsupportedGrantType),
            ("&grant_type=client_credentials", .unsupportedGrantType),
            ("&grant_type=authorization_code", .missingParameter("code")),
            ("&grant_type=authorization_code&code=", .missingParameter("code")),
            ("&grant_type=authorization_code&code=c&code_verifier=short", .malformedParameter("code_verifier")),
            ("&grant_type=refresh_token", .missingParameter("refresh_token")),
            ("&grant_type=refresh_token&refresh_token=r&scope=%00", .invalidScope),
            ("&grant_type=refresh_token&refresh_token=r&resource=x", .malformedParameter("resource")),
        ])
    func badGrant(_ body: String, _ refusal: OAuth2Refusal) {
        #expect(Self.refusal("client_id=c" + body) == refusal)
    }

    @Test("a request from nobody is an invalid client")
    func nobody() {
        #expect(Self.refusal("grant_type=refresh_token&refresh_token=r") == .invalidClient(usedHeader: false))
    }

    @Test("a bearer token is read in any case of the scheme, one only")
    func bearer() {
        #expect(BearerToken.parse("bearer abc")?.revealText() == "abc")
        #expect(
            BearerToken.parse(BearerToken.authorization(Secret(text: "a.b-c")).revealText())?.revealText() == "a.b-c")
        for bad in ["Basic abc", "Bearer", "Bearer ", "Bearer a b", "Bearer a\u{7}", "Bearerabc"] {
            #expect(BearerToken.parse(bad) == nil, "\(bad)")
        }
    }
}
