// A small service provider that is strict about everything it is sent, rotates refresh tokens, and can be told to
// misbehave in the ways that real ones do.

import FoundationEssentials
import OAuth
import Sealing

actor OpinionatedProvider {
    static let consumerKey = "consumerKEY0123456789"
    static let consumerSecret = "consumer:secret/0123 %+é"
    static let issuer = "https://issuer.example"

    struct Code {
        let challenge: String
        let redirectURI: String
        let scope: String
    }

    struct Family {
        var refreshToken: String
        var predecessor: String?
        var accessToken: String
        let scope: String
        var isRevoked = false
        /// The key that the tokens are bound to.
        var thumbprint: String?
    }

    private struct RequestToken {
        let secret: String
        let callback: String
        let scope: String
        var verifier: String?
    }

    var port = 0
    private var moods: [String: Mood] = [:]
    private var seen: [String: Int] = [:]
    private var waitingForRequests: [(path: String, count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    private var hanging: [CheckedContinuation<Void, Never>] = []
    var codes: [String: Code] = [:]
    var families: [Family] = []
    /// What was said to a device so far: its code, and whether the owner has approved.
    var deviceCodes: [String: (scope: String, isApproved: Bool)] = [:]
    /// What is peculiar about it.
    var habits = Habits()
    /// Every request, in order.
    private(set) var received: [Received] = []
    private var requestTokens: [String: RequestToken] = [:]
    var accessTokens: [String: (secret: String, scope: String)] = [:]
    var revoked: [String] = []
    private(set) var underWay = 0
    /// How many requests were being answered at the same time.
    private(set) var mostAtOnce = 0
    /// Everything secret this provider has ever issued.
    private(set) var secrets: [String] = []
    /// Whether the predecessor of a refresh token still works.
    var hasGrace = false
    var lifetime = 3600
    var confirmsCallback = true
    var clockSkew = 0
    /// Whether OAuth 1.0a problems are answered with a 401 and no word.
    var isTaciturn = false

    func set(_ path: String, _ mood: Mood) { moods[path] = mood }
    func change(_ habits: @Sendable (inout Habits) -> Void) { habits(&self.habits) }
    func setGrace(_ grace: Bool) { hasGrace = grace }
    func setLifetime(_ seconds: Int) { lifetime = seconds }
    func setConfirmsCallback(_ confirms: Bool) { confirmsCallback = confirms }
    func setClockSkew(_ seconds: Int) { clockSkew = seconds }
    func setTaciturn(_ taciturn: Bool) { isTaciturn = taciturn }
    func count(_ path: String) -> Int { seen[path] ?? 0 }

    /// Returns once the endpoint has been asked that often.
    func waitForRequests(_ path: String, count: Int) async {
        guard self.count(path) < count else { return }
        await withCheckedContinuation { waitingForRequests.append((path, count, $0)) }
    }

    /// Lets everybody go who hangs.
    func release() {
        for continuation in hanging { continuation.resume() }
        hanging = []
    }

    private func hang() async { await withCheckedContinuation { hanging.append($0) } }

    /// What the browser brings back when the owner says yes on the page of this URL.
    func approve(_ authorizeURL: String, issuer: String? = issuer) throws -> String {
        let query = try FormCoding.parse(String(authorizeURL.split(separator: "?")[1]))
        if let token = query.first("oauth_token") {
            let verifier = Random.digits(8)
            requestTokens[token]?.verifier = verifier
            return FormCoding.encode([Parameter("oauth_token", token), Parameter("oauth_verifier", verifier)])
        }
        let code = secret()
        codes[code] = Code(
            challenge: query.first("code_challenge") ?? "", redirectURI: query.first("redirect_uri") ?? "",
            scope: query.first("scope") ?? "")
        return FormCoding.encode(
            [Parameter("code", code), Parameter("state", query.first("state") ?? "")]
                + (issuer.map { [Parameter("iss", $0)] } ?? []))
    }

    /// Revokes everything the owner has granted, behind the consumer's back.
    func revokeAll() {
        for index in families.indices { families[index].isRevoked = true }
        accessTokens = [:]
    }

    /// Ends the access tokens but not the refresh tokens.
    func expireAccessTokens() { accessTokens = [:] }

    func secret() -> String {
        let text = Random.alphanumerics(24) + habits.ending
        secrets.append(text)
        return text
    }

    struct Received: Sendable {
        let path: String
        let method: String
        let authorization: String?
        let contentType: String?
        let body: [UInt8]
        let port: Int
        /// The values of every `DPoP` header.
        var proofs: [String] = []

        /// The form's first value of that name.
        func form(_ name: String) -> String? { (try? FormCoding.parse(body))?.first(name) }
    }

    struct Answer: Sendable {
        var status = 200
        var body = ""
        var headers: [String: String] = [:]
        var breaksOff = false
        /// Pieces of a body that does not end soon.
        var pieces: (@Sendable (Int) async throws -> [UInt8]?)?
    }

    func answer(_ request: Received) async -> Answer {
        seen[request.path, default: 0] += 1
        received.append(request)
        underWay += 1
        mostAtOnce = max(mostAtOnce, underWay)
        defer { underWay -= 1 }
        let served = waitingForRequests.filter { count($0.path) >= $0.count }
        waitingForRequests.removeAll { count($0.path) >= $0.count }
        for waiter in served { waiter.continuation.resume() }
        switch moods[request.path] ?? .obliging {
        case .obliging: return oblige(request)
        case .answering(let status, let body, let headers): return Answer(status: status, body: body, headers: headers)
        case .huge(let size): return Answer(body: String(repeating: "x", count: size))
        case .streaming(let pieces): return Answer(pieces: pieces)
        case .breakingOff: return Answer(body: "{\"access_token\":", breaksOff: true)
        case .rotatingAndBreakingOff:
            _ = oblige(request)
            return Answer(body: "{\"access_token\":", breaksOff: true)
        case .hanging:
            await hang()
            return Answer(status: 503)
        case .pausingAndBreakingOff:
            await hang()
            return Answer(body: "{\"access_token\":", breaksOff: true)
        case .pausing:
            await hang()
            return oblige(request)
        }
    }

    /// Two vendors live here: what begins with `/b` is the second one's.
    private func oblige(_ request: Received) -> Answer {
        switch request.path.hasPrefix("/b/") ? String(request.path.dropFirst(2)) : request.path {
        case "/token": token(request)
        case "/device": device(request)
        case "/api": resource(request)
        case "/revoke": revoke(request)
        case "/oauth1/request", "/oauth1/access", "/oauth1/api", "/oauth1/revoke": oauth1(request)
        default: Answer(status: 404)
        }
    }

    static func failure(_ code: String, status: Int = 400) -> Answer {
        Answer(status: status, body: "{\"error\":\"\(code)\"}")
    }

    private func credentials(_ token: String, _ secret: String, _ more: [Parameter]) -> Answer {
        let form = [Parameter("oauth_token", token), Parameter("oauth_token_secret", secret)]
        return Answer(
            body: FormCoding.encode(form + more + habits.extraCredentials), headers: ["Content-Type": "text/html"])
    }

    private func oauth1(_ request: Received) -> Answer {
        let now = Int(ManualClock.epoch.timeIntervalSince1970) + clockSkew
        func problem(_ code: String) -> Answer {
            if isTaciturn { return Answer(status: 401, headers: ["WWW-Authenticate": "OAuth realm=\"home\""]) }
            return Answer(
                status: 401, body: "oauth_problem=\(code)&oauth_acceptable_timestamps=\(now - 300)-\(now + 300)")
        }
        let endpoint: OAuth1Verification.Endpoint =
            switch request.path {
            case "/oauth1/request": .temporaryCredentials
            case "/oauth1/access": .tokenCredentials
            default: .resource
            }
        guard
            let verification = try? OAuth1Verification(
                OAuth1Request(
                    method: request.method, url: "http://127.0.0.1:\(request.port)\(request.path)",
                    contentType: request.contentType, body: request.body, authorization: request.authorization),
                endpoint: endpoint), verification.consumerKey == Self.consumerKey
        else { return problem("parameter_absent") }
        let name = verification.token ?? ""
        let known = requestTokens[name]?.secret ?? accessTokens[name]?.secret
        guard endpoint == .temporaryCredentials || known != nil else { return problem("token_rejected") }
        guard
            verification.verify(
                consumerSecret: Secret(text: Self.consumerSecret), tokenSecret: known.map { Secret(text: $0) })
        else { return problem("signature_invalid") }
        guard
            (try? verification.checkTimestamp(now: now)) != nil
        else { return problem("timestamp_refused") }
        switch request.path {
        case "/oauth1/request":
            let form = (try? FormCoding.parse(request.body)) ?? []
            let token = secret()
            requestTokens[token] = RequestToken(
                secret: secret(), callback: verification.callback ?? "", scope: form.first("scope") ?? "")
            return credentials(
                token, requestTokens[token]?.secret ?? "",
                confirmsCallback ? [Parameter("oauth_callback_confirmed", "true")] : [])
        case "/oauth1/access":
            guard let issued = requestTokens[name], let verifier = issued.verifier,
                verification.verifier?.matches(Secret(text: verifier)) == true
            else { return problem("verifier_invalid") }
            requestTokens[name] = nil
            let token = secret()
            accessTokens[token] = (secret(), issued.scope)
            return credentials(token, accessTokens[token]?.secret ?? "", [])
        case "/oauth1/revoke":
            accessTokens[name] = nil
            revoked.append(name)
            return Answer()
        default: return Answer(body: "{}")
        }
    }
}
