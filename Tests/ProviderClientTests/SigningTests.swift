// OAuth 1.0a: one correction of the clock, remembered; bodies that are signed; pages with the vendor's parameters.

import Delegation
import OAuth
import ProviderClient
import Sealing
import Testing

@Suite(.timeLimit(.minutes(1))) struct SigningTests {
    private let token = TokenCredentials(token: "t", secret: Secret(text: "s"))

    private static func parameters(_ header: String?) throws -> [Parameter] {
        try AuthorizationHeader.parse(try #require(header)).parameters
    }

    @Test("a corrected clock is remembered, so that the next signature starts right")
    func clock() async throws {
        let theirs = Fixtures.seconds + 1_000_000
        try await talking({ request, _ in
            let stamp = Int(try Self.parameters(request.header("Authorization")).first("oauth_timestamp") ?? "") ?? 0
            guard abs(stamp - theirs) <= 300 else {
                return Answer(
                    status: 401,
                    body: Array(
                        """
                        oauth_problem=timestamp_refused&oauth_acceptable_timestamps=\(theirs - 10)-\(theirs + 10)
                        """.utf8))
            }
            return .json("{}")
        }) { server, base, client in
            let memory = ProviderMemory()
            for _ in 0..<2 {
                let remote = RemoteProvider(
                    Fixtures.oauth1(base), over: client, memory: memory, now: { Fixtures.epoch })
                #expect(try await remote.validate(Fixtures.tokens(), consumer: Fixtures.consumer()) == .honoured)
                let header = try remote.authorizationHeader(
                    "GET", "\(base)/api", form: [], consumer: Fixtures.consumer(), token: token)
                #expect(try Self.parameters(header).first("oauth_timestamp") == "\(theirs)")
            }
            #expect(await server.received.count == 3)
        }
    }

    @Test("a clock that stays wrong is corrected once, and not remembered")
    func uselessCorrection() async throws {
        try await talking({ _, _ in
            Answer(
                status: 401, body: Array("oauth_problem=timestamp_refused".utf8),
                headers: [(name: "Date", value: "Sun, 06 Nov 1994 08:49:37 GMT")])
        }) { server, base, client in
            let memory = ProviderMemory()
            let remote = RemoteProvider(Fixtures.oauth1(base), over: client, memory: memory, now: { Fixtures.epoch })
            _ = try await remote.validate(Fixtures.tokens(), consumer: Fixtures.consumer())
            #expect(await server.received.count == 2)
            let header = try remote.authorizationHeader(
                "GET", "\(base)/api", form: [], consumer: Fixtures.consumer(), token: token)
            #expect(
                try Self.parameters(header).first("oauth_timestamp")
                    == "\(Fixtures.seconds)")
        }
    }

    @Test("a body that is no form is signed by its hash where the profile says so", arguments: [true, false])
    func bodyHash(_ signs: Bool) async throws {
        try await talking({ _, _ in .tokens }) { _, base, client in
            let remote = RemoteProvider(Fixtures.oauth1(base) { $0.signsBodyHash = signs }, over: client)
            let body = Array("Hello World!".utf8)
            let header = try remote.authorizationHeader(
                "PUT", "\(base)/api", form: [], body: body, consumer: Fixtures.consumer(), token: token)
            #expect(
                try Self.parameters(header).first("oauth_body_hash")
                    == (signs ? "Lve95gjOVATpfV8EL5X4nxwjKHE=" : nil))
            let form = try remote.authorizationHeader(
                "POST", "\(base)/api", form: [Parameter("a", "b")], consumer: Fixtures.consumer(), token: token)
            #expect(try Self.parameters(form).first("oauth_body_hash") == nil)
            let verification = try OAuth1Verification(
                OAuth1Request(
                    method: "PUT", url: "\(base)/api", contentType: "text/plain", body: body, authorization: header),
                endpoint: .resource)
            #expect(
                verification.verify(consumerSecret: Secret(text: "secret"), tokenSecret: Secret(text: "s")))
        }
    }

    @Test("the page where the owner approves gets the vendor's parameters")
    func page() async throws {
        try await talking({ _, _ in .tokens }) { _, base, client in
            let profile = Fixtures.oauth1(base) {
                $0.extraAuthorizeParameters = ["perms": "write", "name": "Key holder"]
            }
            let url = try RemoteProvider(profile, over: client).authorizeURL(requestToken: "t&1")
            #expect(url == "\(base)/authorize?oauth_token=t%261&name=Key+holder&perms=write")
        }
    }

    @Test("a consumer that signs with RSA and has no key is told before anything is sent")
    func noKey() async throws {
        try await talking({ _, _ in .tokens }) { server, base, client in
            let remote = RemoteProvider(Fixtures.oauth1(base, method: "RSA-SHA256"), over: client)
            let found = try await failure {
                _ = try await remote.validate(Fixtures.tokens(), consumer: Fixtures.consumer())
            }
            #expect(found == .unusableKey("an RSA private key in PEM"))
            #expect(await server.received.isEmpty)
        }
    }
}
