// From the owner's browser and back: what is asked is what is answered, to whom it was asked for.

import OAuth
import Sealing
import Testing

@Suite struct AuthorizationTests {
    private static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    private static let good =
        "response_type=code&client_id=hub&redirect_uri=https%3A%2F%2Fa.example%2Fcb&state=s&code_challenge="
        + challenge + "&code_challenge_method=S256"

    @Test("what the client asks, the server reads")
    func roundTrip() throws {
        let request = AuthorizationRequest(
            clientID: "hub 1", redirectURI: "https://a.example/cb?x=1", scope: ["lock.unlock@front-door", "b"],
            state: "s/t+a te", codeChallenge: Self.challenge, resource: ["https://a.example/1", "https://a.example/2"],
            authorizationDetails: AuthorizationDetails(
                scopes: ["lock.unlock@front-door"], location: "https://a.example"),
            dpopThumbprint: Self.challenge, prompt: .consent, extra: [Parameter("access_type", "offline")])
        let url = try request.url(endpoint: "https://as.example/authorize?tenant=1")
        #expect(url.hasPrefix("https://as.example/authorize?tenant=1&response_type=code&client_id=hub+1&"))
        let read = try AuthorizationRequest.parse(query: String(url.drop { $0 != "?" }.dropFirst()))
        #expect(read.clientID == request.clientID)
        #expect(read.redirectURI == request.redirectURI)
        #expect(read.scope == request.scope)
        #expect(read.state == request.state)
        #expect(read.codeChallenge == request.codeChallenge)
        #expect(read.resource == request.resource)
        #expect(read.authorizationDetails == request.authorizationDetails)
        #expect(read.dpopThumbprint == Self.challenge)
        #expect(read.prompt == .consent)
        #expect(read.extra == [Parameter("tenant", "1"), Parameter("access_type", "offline")])
    }

    @Test(
        "the browser is sent to https or to this machine only",
        arguments: ["http://as.example/", "as.example", "https://u@as.example/"])
    func endpoint(_ endpoint: String) {
        let request = AuthorizationRequest(
            clientID: "hub", redirectURI: nil, scope: [], state: nil, codeChallenge: Self.challenge)
        #expect(throws: OAuthError.insecureEndpoint("authorization_endpoint")) { try request.url(endpoint: endpoint) }
    }

    @Test(
        "what must be right before any redirect is refused first",
        arguments: [
            ("response_type=code", OAuth2Refusal.missingParameter("client_id")),
            ("client_id=", .missingParameter("client_id")),
            ("client_id=a&client_id=a", .repeatedParameter("client_id")),
            ("client_id=a&redirect_uri=x&redirect_uri=x", .repeatedParameter("redirect_uri")),
            ("client_id=a&state=x&state=y", .repeatedParameter("state")),
            ("client_id=a&state=x%0D%0Ay", .malformedParameter("state")),
            ("client_id=a%00", .malformedParameter("client_id")),
            ("client_id=%ZZ", .malformedRequest),
            ("client_id=a&state=" + String(repeating: "x", count: 4097), .malformedParameter("state")),
            ("client_id=a&request_uri=urn:x&request_uri=urn:x", .repeatedParameter("request_uri")),
            ("client_id=a&request_uri=" + String(repeating: "x", count: 513), .invalidRequestURI),
            ("client_id=a&request_uri=urn:%C3%A9", .invalidRequestURI),
            ("request_uri=urn:x", .missingParameter("client_id")),
            ("client_id=a&x=" + String(repeating: "x", count: 16384), .malformedRequest),
        ])
    func beforeRedirect(_ query: String, _ refusal: OAuth2Refusal) {
        #expect(throws: refusal) { try AuthorizationQuery(parsing: query) }
    }

    @Test(
        "everything else is refused after that",
        arguments: [
            ("&response_type=code", OAuth2Refusal.repeatedParameter("response_type"), "invalid_request"),
            ("&scope=a&scope=b", .repeatedParameter("scope"), "invalid_request"),
            ("&scope=a%22", .invalidScope, "invalid_scope"),
            ("&scope=%C3%A9", .invalidScope, "invalid_scope"),
            ("&resource=/x", .malformedParameter("resource"), "invalid_target"),
            ("&resource=https%3A%2F%2Fa%2F%23f", .malformedParameter("resource"), "invalid_target"),
            ("&request=x", .malformedParameter("request"), "invalid_request"),
            ("&response_mode=fragment", .malformedParameter("response_mode"), "invalid_request"),
            ("&prompt=select_account", .malformedParameter("prompt"), "invalid_request"),
            ("&prompt=Consent", .malformedParameter("prompt"), "invalid_request"),
            ("&prompt=none+login", .malformedParameter("prompt"), "invalid_request"),
            ("&prompt=none&prompt=none", .repeatedParameter("prompt"), "invalid_request"),
            ("&dpop_jkt=short", .malformedParameter("dpop_jkt"), "invalid_request"),
            ("&dpop_jkt=" + challenge + "%3D", .malformedParameter("dpop_jkt"), "invalid_request"),
            ("&dpop_jkt=" + challenge + "&dpop_jkt=" + challenge, .repeatedParameter("dpop_jkt"), "invalid_request"),
            ("&authorization_details=%5B%5D", .invalidAuthorizationDetails, "invalid_authorization_details"),
            ("&authorization_details=x", .invalidAuthorizationDetails, "invalid_authorization_details"),
        ])
    func afterwards(_ more: String, _ refusal: OAuth2Refusal, _ code: String) throws {
        let query = try AuthorizationQuery(parsing: Self.good + more)
        #expect(query.clientID == "hub")
        #expect(query.state == "s")
        #expect(throws: refusal) { try query.request() }
        #expect(refusal.code == code)
    }

    @Test(
        "a request without code and S256 is refused",
        arguments: [
            ("response_type=code", "response_type=token", OAuth2Refusal.unsupportedResponseType),
            ("response_type=code", "response_type=code+id_token", .unsupportedResponseType),
            ("response_type=code", "response_type=", .missingParameter("response_type")),
            ("code_challenge_method=S256", "code_challenge_method=plain", .challengeMethod),
            ("&code_challenge_method=S256", "", .challengeMethod),
            ("code_challenge=" + challenge, "code_challenge=", .missingParameter("code_challenge")),
            ("code_challenge=" + challenge, "code_challenge=short", .malformedParameter("code_challenge")),
            (challenge, challenge.dropLast() + "N", .malformedParameter("code_challenge")),
        ])
    func withoutProof(_ old: String, _ new: String, _ refusal: OAuth2Refusal) throws {
        let query = Self.good.replacing(old, with: new)
        #expect(throws: refusal) { try AuthorizationRequest.parse(query: query) }
    }

    @Test("the state comes back once, from the right issuer")
    func response() throws {
        let code = AuthorizationResponse.code(Secret(text: "c/o+de"))
        let url = try code.redirectURL("https://a.example/cb?x=1", state: "s t", issuer: "https://as.example")
        #expect(url == "https://a.example/cb?x=1&code=c%2Fo%2Bde&state=s+t&iss=https%3A%2F%2Fas.example")
        let read = try AuthorizationResponse.parse(
            query: String(url.drop { $0 != "?" }.dropFirst()), expectedState: "s t",
            expectedIssuer: "https://as.example", issuerRequired: true)
        guard case .code(let secret) = read else {
            Issue.record("no code")
            return
        }
        #expect(secret.revealText() == "c/o+de")
        #expect(throws: OAuthError.malformedURL("https://a.example/")) {
            try code.redirectURL("https://a.example/#f", state: nil, issuer: "i")
        }
    }

    @Test(
        "a redirect that is not the answer to our request is refused",
        arguments: [
            ("code=c", OAuthError.stateMismatch), ("code=c&state=", .stateMismatch), ("code=c&state=S", .stateMismatch),
            ("code=c&state=s&state=s", .repeated("state")), ("code=c&code=d&state=s&iss=i", .repeated("code")),
            ("code=c&state=s", .issuerMismatch), ("code=c&state=s&iss=i/", .issuerMismatch),
            ("error=access_denied&state=s&iss=j", .issuerMismatch), ("error=x", .stateMismatch),
            ("state=s&iss=i", .missing("code")), ("code=&state=s&iss=i", .missing("code")),
            ("code=a%0Ab&state=s&iss=i", .malformed("code")),
        ])
    func badResponse(_ query: String, _ error: OAuthError) {
        #expect(throws: error) {
            try AuthorizationResponse.parse(
                query: query, expectedState: "s", expectedIssuer: "i", issuerRequired: true)
        }
    }

    @Test("an error without issuer is taken, and nothing in it can harm a terminal")
    func errorResponse() throws {
        let query =
            "error=weird%0A&error_description=%3Cb%3E%1B%5B31m" + String(repeating: "x", count: 300) + "&state=s"
        let read = try AuthorizationResponse.parse(
            query: query, expectedState: "s", expectedIssuer: "i", issuerRequired: true)
        guard case .error(let code, let description) = read else {
            Issue.record("no error")
            return
        }
        #expect(code == "weird")
        #expect(description?.hasPrefix("<b>[31mxxx") == true)
        #expect(description?.count == 200)
    }

    @Test("a repeated parameter that means nothing to us is let through")
    func repeatedScope() throws {
        _ = try AuthorizationResponse.parse(query: "scope=a&code=c&scope=a&state=s", expectedState: "s")
    }

    @Test("a refusal travels with its code")
    func refusal() throws {
        let url = try AuthorizationResponse.refused(.repeatedParameter("sc\"ope")).redirectURL(
            "https://a.example/cb", state: nil, issuer: "i")
        #expect(url.hasPrefix("https://a.example/cb?error=invalid_request&error_description=parameter+scope+more"))
    }
}

@Suite struct RedirectURITests {
    private static let registered = "https://app.example/cb"

    @Test("a redirect URI matches itself")
    func same() {
        #expect(RedirectURI.matches(registered: Self.registered, requested: Self.registered))
        #expect(RedirectURI.matches(registered: "com.example.app:/cb", requested: "com.example.app:/cb"))
    }

    @Test(
        "one byte more, less or other is another redirect URI",
        arguments: [
            "https://app.example/cb/", "https://app.example/CB", "https://APP.example/cb", "https://app.example:443/cb",
            "https://app.example/cb?x", "https://app.example/cb#", "https://app.example/./cb", "https://app.example/c",
            "https://app.example.evil.example/cb", "https://evil@app.example/cb", "http://app.example/cb",
            "https://app.example/cb/../evil", "https://a.app.example/cb", "", "https://app.example/%63b",
        ])
    func different(_ requested: String) {
        #expect(!RedirectURI.matches(registered: Self.registered, requested: requested))
    }

    @Test("the port is free on the loopback interface", arguments: ["127.0.0.1", "[::1]", "localhost"])
    func loopback(_ host: String) {
        let registered = "http://\(host)/cb"
        for port in ["", ":80", ":1", ":65535"] {
            #expect(RedirectURI.matches(registered: registered, requested: "http://\(host)\(port)/cb"))
            #expect(RedirectURI.matches(registered: "http://\(host)\(port)/cb", requested: "http://\(host):7/cb"))
        }
        for bad in [
            "http://\(host):8080/cb2", "https://\(host):8080/cb", "http://\(host):99999/cb", "http://\(host):8x/cb",
            "http://\(host):80@evil.example/cb", "http://\(host).evil.example/cb", "http://\(host):8080/cb#",
            "http://u@\(host):8080/cb", "http://127.0.0.2:8080/cb", "HTTP://\(host):8080/cb",
        ] {
            #expect(!RedirectURI.matches(registered: registered, requested: bad), "\(bad)")
        }
    }

    @Test("no other host has a free port")
    func otherHost() {
        #expect(!RedirectURI.matches(registered: Self.registered, requested: "https://app.example:8443/cb"))
        #expect(!RedirectURI.matches(registered: "http://192.0.2.1/", requested: "http://192.0.2.1:8080/"))
    }

    @Test("https, loopback and private schemes can be registered, nothing else")
    func registrable() {
        for good in ["https://a.example/cb?x=1", "http://127.0.0.1:0/cb", "http://[::1]/", "com.example.app:/cb"] {
            #expect(RedirectURI.isRegistrable(good), "\(good)")
        }
        for bad in [
            "http://a.example/", "https://a.example/#f", "https://u@a.example/", "https://*.a.example/", "javascript:1",
            "data:text/html,x", "/cb", "", "https://", "https://é.example/", "app:/cb", "https://a.example/\r\n",
        ] {
            #expect(!RedirectURI.isRegistrable(bad), "\(bad)")
        }
    }
}
