// A pushed request is the whole request: what stands beside its name in the browser's address is not looked at.

import OAuth
import StrictJSON
import Testing

@Suite struct PushedAuthorizationTests {
    private static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    private static let request = AuthorizationRequest(
        clientID: "hub", redirectURI: "https://a.example/cb", scope: ["a@b"], state: "s t", codeChallenge: challenge,
        resource: ["https://a.example/1", "https://a.example/2"], dpopThumbprint: challenge, prompt: .login,
        extra: [Parameter("x", "y")])

    @Test("beside a request_uri only the client counts")
    func byName() throws {
        let name = PushedAuthorization.prefix + "abc"
        let query = try AuthorizationQuery(
            parsing: "client_id=hub&request_uri=" + FormCoding.encode(name)
                + "&redirect_uri=https%3A%2F%2Fevil.example&state=x%0Ay&scope=a&scope=b")
        #expect(query.requestURI == "urn:ietf:params:oauth:request_uri:abc")
        #expect(query.clientID == "hub")
        #expect(query.redirectURI == nil)
        #expect(query.state == nil)
        #expect(throws: OAuth2Refusal.self) { try query.request() }
        #expect(throws: OAuth2Refusal.malformedParameter("request_uri")) {
            let whole = FormCoding.encode(Self.request.parameters()) + "&request_uri=urn:x"
            return try AuthorizationQuery(parsing: whole).request()
        }
    }

    @Test("what was pushed is read as if the browser had brought it")
    func pushed() throws {
        let body = FormCoding.encode(Self.request.parameters()) + "&client_secret=s&empty="
        let form = try ClientRequest.parse(
            method: "POST", contentType: FormCoding.mediaType, body: Array(body.utf8))
        let query = try AuthorizationQuery(pushed: form.parameters, clientID: "hub")
        #expect(query.requestURI == nil)
        #expect(query.redirectURI == Self.request.redirectURI)
        #expect(query.state == "s t")
        let read = try query.request()
        #expect(read.parameters() == Self.request.parameters())
        let kept = try AuthorizationQuery(pushed: read.parameters(), clientID: "hub").request()
        #expect(kept.parameters() == Self.request.parameters())
    }

    @Test("the authenticated client counts when the request names none")
    func withoutClientID() throws {
        let parameters = Self.request.parameters().filter { $0.name != "client_id" }
        #expect(try AuthorizationQuery(pushed: parameters, clientID: "hub").request().clientID == "hub")
    }

    @Test(
        "a request that names another request or another client is not taken",
        arguments: [
            (Parameter("request_uri", "urn:x"), OAuth2Refusal.malformedParameter("request_uri"), "invalid_request"),
            (Parameter("client_id", "Hub"), .malformedParameter("client_id"), "invalid_request"),
            (Parameter("state", "x\ny"), .malformedParameter("state"), "invalid_request"),
        ])
    func refused(_ parameter: Parameter, _ refusal: OAuth2Refusal, _ code: String) {
        let others = Self.request.parameters().filter { $0.name != parameter.name }
        #expect(throws: refusal) { try AuthorizationQuery(pushed: others + [parameter], clientID: "hub") }
        #expect(refusal.code == code)
    }

    @Test("a repeated parameter is refused when it is pushed too")
    func repeated() {
        for name in ["client_id", "redirect_uri", "state"] {
            #expect(throws: OAuth2Refusal.repeatedParameter(name)) {
                let again = Self.request.parameters().filter { $0.name == name }
                return try AuthorizationQuery(pushed: Self.request.parameters() + again, clientID: "hub")
            }
        }
    }

    @Test("what our server answers, our client reads")
    func reply() throws {
        let reply = PushedAuthorizationReply(requestURI: PushedAuthorization.prefix + "abc", expiresIn: 60)
        #expect(reply.json.text == #"{"request_uri":"urn:ietf:params:oauth:request_uri:abc","expires_in":60}"#)
        for (status, type) in [(201, "application/json"), (200, "application/json; charset=utf-8")] {
            let read = try PushedAuthorizationReply.parse(status: status, contentType: type, body: reply.json.bytes)
            #expect(read == reply)
        }
    }

    @Test(
        "a reply without a name that can be used is refused",
        arguments: [
            (400, "application/json", #"{"error":"invalid_request"}"#, OAuthError.unsuccessful),
            (302, "application/json", #"{"request_uri":"urn:x","expires_in":60}"#, .unsuccessful),
            (201, "text/html", #"{"request_uri":"urn:x","expires_in":60}"#, .malformed("content-type")),
            (201, nil, #"{"request_uri":"urn:x","expires_in":60}"#, .malformed("content-type")),
            (201, "application/json", "<html>", .malformedEncoding("JSON")),
            (201, "application/json", #"{"expires_in":60}"#, .missing("request_uri")),
            (201, "application/json", #"{"request_uri":7,"expires_in":60}"#, .malformed("request_uri")),
            (201, "application/json", #"{"request_uri":"","expires_in":60}"#, .malformed("request_uri")),
            (201, "application/json", #"{"request_uri":"urn:a b","expires_in":60}"#, .malformed("request_uri")),
            (201, "application/json", #"{"request_uri":"urn:x"}"#, .missing("expires_in")),
            (201, "application/json", #"{"request_uri":"urn:x","expires_in":"soon"}"#, .malformed("expires_in")),
        ] as [(Int, String?, String, OAuthError)])
    func badReply(_ status: Int, _ type: String?, _ body: String, _ error: OAuthError) {
        #expect(throws: error) {
            try PushedAuthorizationReply.parse(status: status, contentType: type, body: Array(body.utf8))
        }
    }
}
