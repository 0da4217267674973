// A provider refuses what is wrong in form with 400 and the right code, before any secret is looked at.

import OAuth
import Sealing
import Testing

/// The parameters every request here starts from.
private let wellFormed = [
    "oauth_consumer_key": "ck", "oauth_token": "tok", "oauth_signature_method": "HMAC-SHA1",
    "oauth_timestamp": "1700000000", "oauth_nonce": "n0nce", "oauth_signature": "c2ln",
]

@Suite struct OAuth1RefusalTests {
    private static func header(_ changes: [String: String?], appending more: String = "") -> String {
        var parameters = wellFormed
        for (name, value) in changes { parameters[name] = value }
        let fields = parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(PercentEncoding.encode($0.value))\"" }
        return "OAuth " + fields.joined(separator: ",") + more
    }

    private static func refusal(
        _ authorization: String?, url: String = "https://hub.local/x", body: String = "", contentType: String? = nil,
        endpoint: OAuth1Verification.Endpoint = .resource
    ) -> OAuth1Refusal? {
        let request = OAuth1Request(
            method: "POST", url: url, contentType: contentType, body: Array(body.utf8), authorization: authorization)
        do throws(OAuth1Refusal) {
            _ = try OAuth1Verification(request, endpoint: endpoint)
            return nil
        } catch {
            return error
        }
    }

    @Test("the request all others are made from is well-formed")
    func goodOne() {
        #expect(Self.refusal(Self.header([:])) == nil)
        #expect(Self.refusal("oauth" + Self.header([:]).dropFirst(5)) == nil)
    }

    @Test(
        "a timestamp that is no plain positive number is refused",
        arguments: [
            "0", "-1", "1e9", "+5", "05", " 5", "5.0", "0x10", "12345678901", "12345678901234567890", "١٢٣", "now",
        ])
    func timestamps(_ text: String) {
        #expect(Self.refusal(Self.header(["oauth_timestamp": text])) == .parameterRejected(["oauth_timestamp"]))
    }

    @Test("a missing parameter is refused by name", arguments: wellFormed.keys.sorted())
    func missing(_ name: String) {
        #expect(Self.refusal(Self.header([name: nil])) == .parameterAbsent([name]))
        #expect(Self.refusal(Self.header([name: ""])) == .parameterAbsent([name]))
    }

    @Test("a parameter sent twice is refused by name", arguments: wellFormed.keys.sorted())
    func duplicate(_ name: String) {
        let again = ", \(name)=\"\(wellFormed[name] ?? "")\""
        #expect(Self.refusal(Self.header([:], appending: again)) == .parameterRejected([name]))
    }

    @Test("parameters in two places are refused")
    func twoPlaces() {
        #expect(
            Self.refusal(Self.header([:]), url: "https://hub.local/x?oauth_token=tok")
                == .parameterRejected(["oauth_token"]))
        #expect(
            Self.refusal(Self.header([:]), body: "oauth_verifier=v", contentType: FormCoding.mediaType)
                == .parameterRejected(["oauth_verifier"]))
        #expect(
            Self.refusal(
                nil, url: "https://hub.local/x?oauth_nonce=1", body: "oauth_token=v", contentType: FormCoding.mediaType)
                == .parameterRejected(["oauth_nonce"]))
    }

    @Test("an unknown oauth_ parameter is refused")
    func unknown() {
        #expect(Self.refusal(Self.header(["oauth_x": "1"])) == .parameterRejected(["oauth_x"]))
    }

    @Test("a realm is no parameter, and one in the query is an ordinary one")
    func realm() {
        #expect(Self.refusal(Self.header([:], appending: ", realm=\"a, b\\\" c\"")) == nil)
        #expect(Self.refusal(Self.header([:], appending: ", realm=\"a\", Realm=\"b\""))?.status == 400)
        #expect(Self.refusal(Self.header([:]), url: "https://hub.local/x?realm=a") == nil)
    }

    @Test("another version is refused", arguments: ["2.0", "1.0a", "1", ""])
    func version(_ text: String) {
        #expect(Self.refusal(Self.header(["oauth_version": text])) == .versionRejected)
    }

    @Test("an unknown signature method is refused", arguments: ["HMAC-MD5", "hmac-sha1", "none", "RSA-SHA384"])
    func unknownMethod(_ name: String) {
        #expect(Self.refusal(Self.header(["oauth_signature_method": name])) == .signatureMethodRejected)
    }

    @Test("a known method that was not agreed is refused")
    func disallowedMethod() throws {
        let verification = try OAuth1Verification(SignedRequests.make(method: .hmacSHA1), endpoint: .resource)
        #expect(throws: OAuth1Refusal.signatureMethodRejected) { try verification.requireMethod([.rsaSHA256]) }
        #expect(throws: Never.self) { try verification.requireMethod([.hmacSHA1]) }
    }

    @Test("signing with the PEM of an RSA consumer as HMAC secret gets nowhere")
    func methodSwitch() throws {
        let publicText = TestKeys.rsa.publicKey.modulus
        let attacker = ConsumerCredentials(key: "hubconsumer1", secret: Secret(publicText))
        for consumer in [attacker, ConsumerCredentials(key: "hubconsumer1", secret: Secret([]))] {
            let request = try SignedRequests.make(method: .hmacSHA256, consumer: consumer)
            let verification = try OAuth1Verification(request, endpoint: .resource)
            #expect(!verification.verify(key: .rsa(TestKeys.rsa.publicKey), tokenSecret: SignedRequests.token.secret))
        }
    }

    @Test("PLAINTEXT without TLS is refused, with TLS it needs neither timestamp nor nonce")
    func plaintext() {
        let header = Self.header([
            "oauth_signature_method": "PLAINTEXT", "oauth_timestamp": nil, "oauth_nonce": nil,
        ])
        #expect(Self.refusal(header, url: "http://hub.local/x") == .signatureMethodRejected)
        #expect(Self.refusal(header) == nil)
    }

    @Test("the first leg needs a callback that is absolute or exactly oob")
    func callbacks() {
        func refusal(_ callback: String?) -> OAuth1Refusal? {
            Self.refusal(
                Self.header(["oauth_callback": callback, "oauth_token": nil]), endpoint: .temporaryCredentials)
        }
        #expect(refusal(nil) == .parameterAbsent(["oauth_callback"]))
        #expect(refusal("") == .parameterAbsent(["oauth_callback"]))
        for bad in ["OOB", "Oob", "/cb", "app.example/cb", "https://", "https://a b/"] {
            #expect(refusal(bad) == .parameterRejected(["oauth_callback"]), "\(bad)")
        }
        #expect(refusal("oob") == nil)
        #expect(refusal("https://app.example/cb?x=1") == nil)
    }

    @Test("a parameter of another leg is refused")
    func misplaced() {
        #expect(Self.refusal(Self.header(["oauth_verifier": "v"])) == .parameterRejected(["oauth_verifier"]))
        #expect(Self.refusal(Self.header([:]), endpoint: .tokenCredentials) == .parameterAbsent(["oauth_verifier"]))
        #expect(
            Self.refusal(Self.header(["oauth_callback": "oob"]), endpoint: .temporaryCredentials)
                == .parameterRejected(["oauth_token"]))
    }

    @Test(
        "a garbage header is 400",
        arguments: [
            "OAuth oauth_token", "OAuth oauth_token=tok", "OAuth oauth_token=\"tok", "OAuth oauth_token=\"%ZZ\"",
            "OAuth oauth_token=\"%FF\"", "OAuth oauth_token=\"a\" oauth_nonce=\"b\"", "OAuth =\"a\"",
            "OAuth oauth_token=\"a\u{0}\"", "OAuth oauth_token=\"\\", "OAuth oauth_\u{e9}=\"a\"",
            "OAuth x=\"" + String(repeating: "a", count: 8192) + "\"",
        ])
    func garbage(_ header: String) {
        #expect(Self.refusal(header)?.status == 400)
    }

    @Test("an endless value is refused")
    func longValue() {
        let long = String(repeating: "a", count: 600)
        #expect(Self.refusal(Self.header(["oauth_nonce": long])) == .parameterRejected(["oauth_nonce"]))
    }

    @Test("bad escapes in query and form are 400, not 500")
    func badEscapes() {
        #expect(Self.refusal(Self.header([:]), url: "https://hub.local/?a=%ZZ")?.status == 400)
        #expect(Self.refusal(Self.header([:]), body: "a=%FF", contentType: FormCoding.mediaType)?.status == 400)
    }

    @Test(
        "a request without any OAuth parameter is asked to authenticate",
        arguments: [nil, "Bearer abc", "OAuth ", "OAuth"])
    func unsigned(_ header: String?) {
        #expect(Self.refusal(header) == .unsigned)
        #expect(OAuth1Refusal.unsigned.status == 401)
    }

    @Test("a body hash for a form is refused")
    func bodyHashOfForm() {
        #expect(
            Self.refusal(Self.header(["oauth_body_hash": "x"]), body: "a=b", contentType: FormCoding.mediaType)
                == .parameterRejected(["oauth_body_hash"]))
    }

    @Test("a signature that is no base64 is wrong, not an error", arguments: ["%%%", "c2ln", "c2lnbg", "é", "="])
    func oddSignature(_ signature: String) throws {
        let request = OAuth1Request(
            method: "GET", url: "https://hub.local/x", authorization: Self.header(["oauth_signature": signature]))
        #expect(try !request.isAccepted())
    }

    @Test("a timestamp outside the window is refused both ways")
    func window() throws {
        let verification = try OAuth1Verification(SignedRequests.make(), endpoint: .resource)
        #expect(throws: Never.self) { try verification.checkTimestamp(now: 1_700_000_300, window: 300) }
        #expect(throws: Never.self) { try verification.checkTimestamp(now: 1_699_999_700, window: 300) }
        #expect(throws: OAuth1Refusal.timestampRefused(acceptable: 1_700_000_001...1_700_000_601)) {
            try verification.checkTimestamp(now: 1_700_000_301, window: 300)
        }
        #expect(throws: OAuth1Refusal.self) { try verification.checkTimestamp(now: 1_699_999_699, window: 300) }
    }

    @Test("a refusal is reported in the words of the extension, and our client reads them")
    func report() {
        let refusal = OAuth1Refusal.parameterAbsent(["oauth_nonce", "oauth_timestamp"])
        #expect(
            refusal.formBody
                == "oauth_problem=parameter_absent&oauth_parameters_absent=oauth_nonce%26oauth_timestamp")
        let skew = OAuth1Refusal.timestampRefused(acceptable: 100...700)
        let read = OAuthProblem.parse([], wwwAuthenticate: skew.challenge(realm: "home"))
        #expect(read?.isAboutTime == true)
        #expect(read?.acceptableTimestamps == 100...700)
        #expect(OAuthProblem.parse(Array(skew.formBody.utf8)) == read)
    }
}
