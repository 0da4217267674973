// A browser as far as the pages need one: cookies, forms, `Origin`, and no redirect followed unasked.

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import OAuth
import StrictJSON
import Testing

/// What came back.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: String

    func header(_ name: String) -> String? { headers[name].first }

    /// The parameters of the place the browser is sent to.
    var redirect: [Parameter] {
        guard let location = header("Location"), let mark = location.firstIndex(of: "?") else { return [] }
        return (try? FormCoding.parse(String(location[location.index(after: mark)...]))) ?? []
    }

    /// The body as a form.
    var form: [Parameter] { (try? FormCoding.parse(body)) ?? [] }

    /// The body as JSON.
    var json: JSON { (try? JSON(parsing: body)) ?? .null }

    /// The value of a hidden field or input of the page.
    func field(_ name: String) -> String? {
        guard let start = body.firstRange(of: "name=\"\(name)\" value=\"")?.upperBound else { return nil }
        return String(body[start...].prefix { $0 != "\"" })
            .split(separator: "&amp;", omittingEmptySubsequences: false).joined(separator: "&")
    }
}

/// Checks that a client's request was refused with a status and an error code, and gave nothing.
func expect(_ answer: Answer, _ status: Int, _ error: String, _ location: SourceLocation = #_sourceLocation) {
    #expect(answer.status == status, sourceLocation: location)
    #expect(answer.json["error"]?.string == error, sourceLocation: location)
    #expect(answer.header("Cache-Control") == "no-store", sourceLocation: location)
    for name in ["access_token", "refresh_token", "request_uri", "device_code", "active"] {
        #expect(answer.json[name] == nil, sourceLocation: location)
    }
}

/// Checks that a person was shown a page that refuses, and is sent nowhere.
func expectPage(_ answer: Answer, _ status: Int, _ text: String = "", _ location: SourceLocation = #_sourceLocation) {
    #expect(answer.status == status, sourceLocation: location)
    #expect(answer.header("Location") == nil, sourceLocation: location)
    #expect(answer.header("Content-Type")?.hasPrefix("text/html") == true, sourceLocation: location)
    #expect(text.isEmpty || answer.body.contains(text), sourceLocation: location)
}

/// Checks that a refusal was sent to the app, with `state` and `iss`, and no code.
func expectRedirect(
    _ answer: Answer, _ home: TestHome, _ error: String, _ location: SourceLocation = #_sourceLocation
) {
    #expect(answer.status == 303, sourceLocation: location)
    let target = answer.header("Location")?.hasPrefix(OAuth2App.redirectURI + "?") == true
    #expect(target, sourceLocation: location)
    #expect(answer.redirect.all("error") == [error], sourceLocation: location)
    #expect(answer.redirect.all("state") == ["s-1"], sourceLocation: location)
    #expect(answer.redirect.all("iss") == [home.issuer], sourceLocation: location)
    #expect(answer.redirect.first("code") == nil, sourceLocation: location)
}

extension TestHome {
    /// Sends one request; under the name that the home has for that path, unless the test gives a `Host` of its own.
    func send(
        _ method: String, _ path: String, headers: [(String, String)] = [], form: [Parameter]? = nil,
        body: String? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: path.hasPrefix("http") ? path : base + path)
        request.method = .RAW(value: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if !path.hasPrefix("http"), origin(of: path) != base, request.headers["Host"].isEmpty {
            request.headers.add(name: "Host", value: String(origin(of: path).drop { $0 != ":" }.dropFirst(3)))
        }
        if let form {
            request.headers.add(name: "Content-Type", value: FormCoding.mediaType)
            request.body = .bytes(ByteBuffer(string: FormCoding.encode(form)))
        } else if let body {
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await client.execute(request, timeout: .seconds(30))
        let collected = try await response.body.collect(upTo: 1 << 20)
        return Answer(
            status: Int(response.status.code), headers: response.headers, body: String(buffer: collected))
    }
}

extension TestHome {
    /// The origin that a path is asked under.
    func origin(of path: String) -> String {
        path.hasPrefix("/api/") || path.hasPrefix("/.well-known/oauth-protected-resource") ? resource : issuer
    }
}

/// One browser with its cookie.
struct Browser: Sendable {
    let home: TestHome
    /// Who uses it.
    let person: String
    private(set) var cookie: String?

    init(_ home: TestHome, of person: String = "anna") {
        self.home = home
        self.person = person
    }

    func get(_ path: String) async throws -> Answer { try await home.send("GET", path, headers: cookieHeader) }

    /// Sends a form as the page of this home would.
    mutating func post(_ path: String, _ fields: [(String, String)], origin: String? = nil) async throws -> Answer {
        let answer = try await home.send(
            "POST", path, headers: cookieHeader + [("Origin", origin ?? home.issuer)],
            form: fields.map { Parameter($0.0, $0.1) })
        if let set = answer.header("Set-Cookie") { cookie = String(set.prefix { $0 != ";" }) }
        return answer
    }

    /// Types name and password into the sign-in page that is shown.
    mutating func signIn(_ page: Answer, password: String = TestHome.password) async throws -> Answer {
        let next = try #require(page.field("next"))
        return try await post("/sign-in", [("name", person), ("password", password), ("next", next)])
    }

    /// Opens a page, signs in when asked to, and returns the page behind that.
    mutating func open(_ path: String) async throws -> Answer {
        let page = try await get(path)
        guard page.body.contains("name=\"password\"") else { return page }
        let answer = try await signIn(page)
        #expect(answer.status == 303)
        return try await get(try #require(answer.header("Location")))
    }

    /// Presses the first "Take back" of the home's page.
    mutating func takeBack(_ page: Answer) async throws -> Answer {
        try await post(
            "/revoke",
            [("form_token", try #require(page.field("form_token"))), ("grant", try #require(page.field("grant")))])
    }

    /// Presses a button of the consent page, with the box that says "always" ticked or not.
    mutating func decide(
        _ decision: String, on page: Answer, at path: String, always: Bool = false
    ) async throws -> Answer {
        try await post(
            path,
            [("form_token", try #require(page.field("form_token"))), ("decision", decision)]
                + (always ? [("always", "yes")] : []))
    }

    private var cookieHeader: [(String, String)] { cookie.map { [("Cookie", $0)] } ?? [] }
}
