// A small service provider that is strict about everything it is sent, rotates refresh tokens, and can be told to
// misbehave in the ways that real ones do.

import FoundationEssentials
import OAuth
import Sealing

actor OpinionatedProvider {
    static let consumerKey = "consumerKEY0123456789"
    static let consumerSecret = "consumer:secret/0123 %+é"
    static let issuer = "https://issuer.example"

    private struct Code {
        let challenge: String
        let redirectURI: String
        let scope: String
    }

    private struct Family {
        var refreshToken: String
        var predecessor: String?
        var accessToken: String
        let scope: String
        var isRevoked = false
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
    private var codes: [String: Code] = [:]
    private var families: [Family] = []
    private var requestTokens: [String: RequestToken] = [:]
    private(set) var accessTokens: [String: (secret: String, scope: String)] = [:]
    private(set) var revoked: [String] = []
    private var underWay = 0
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
            return "oauth_token=\(token)&oauth_verifier=\(verifier)"
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

    private func secret() -> String {
        let text = Random.alphanumerics(24)
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
    }

    struct Answer: Sendable {
        var status = 200
        var body = ""
        var headers: [String: String] = [:]
        var breaksOff = false
    }

    func answer(_ request: Received) async -> Answer {
        seen[request.path, default: 0] += 1
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

    private func oblige(_ request: Received) -> Answer {
        switch request.path {
        case "/token": token(request)
        case "/api": resource(request)
        case "/revoke": revoke(request)
        case "/oauth1/request", "/oauth1/access", "/oauth1/api", "/oauth1/revoke": oauth1(request)
        default: Answer(status: 404)
        }
    }

    private static func failure(_ code: String, status: Int = 400) -> Answer {
        Answer(status: status, body: "{\"error\":\"\(code)\"}")
    }

    private func isAuthenticated(_ request: Received) -> Bool {
        guard let header = request.authorization, let credentials = try? BasicCredentials.parse(header) else {
            return false
        }
        return credentials.interpretations.contains {
            $0.clientID == Self.consumerKey && $0.secret.matches(Secret(text: Self.consumerSecret))
        }
    }

    private func token(_ request: Received) -> Answer {
        guard request.method == "POST", request.contentType == FormCoding.mediaType, isAuthenticated(request) else {
            return Self.failure("invalid_client", status: 401)
        }
        guard let form = try? FormCoding.parse(request.body) else { return Self.failure("invalid_request") }
        switch form.first("grant_type") {
        case "authorization_code":
            guard let code = codes.removeValue(forKey: form.first("code") ?? ""),
                code.redirectURI == form.first("redirect_uri"),
                let verifier = form.first("code_verifier"),
                PKCE.matches(verifier: Secret(text: verifier), challenge: code.challenge)
            else { return Self.failure("invalid_grant") }
            families.append(Family(refreshToken: secret(), accessToken: secret(), scope: code.scope))
            return issue(families.count - 1)
        case "refresh_token":
            let token = form.first("refresh_token") ?? ""
            if let index = families.firstIndex(where: { $0.refreshToken == token }), !families[index].isRevoked {
                families[index].predecessor = token
                families[index].refreshToken = secret()
                families[index].accessToken = secret()
                return issue(index)
            }
            if let index = families.firstIndex(where: { $0.predecessor == token }), !families[index].isRevoked {
                if hasGrace { return issue(index) }
                families[index].isRevoked = true
                accessTokens[families[index].accessToken] = nil
            }
            return Self.failure("invalid_grant")
        default: return Self.failure("unsupported_grant_type")
        }
    }

    private func issue(_ index: Int) -> Answer {
        let family = families[index]
        accessTokens[family.accessToken] = ("", family.scope)
        return Answer(
            body: """
                {"access_token":"\(family.accessToken)","token_type":"bearer","expires_in":\(lifetime),\
                "refresh_token":"\(family.refreshToken)","scope":"\(family.scope)"}
                """)
    }

    private func resource(_ request: Received) -> Answer {
        guard let header = request.authorization, let token = BearerToken.parse(header),
            accessTokens[token.revealText()] != nil
        else { return Answer(status: 401, headers: ["WWW-Authenticate": "Bearer"]) }
        return Answer(body: "{}")
    }

    private func revoke(_ request: Received) -> Answer {
        guard isAuthenticated(request), let token = (try? FormCoding.parse(request.body))?.first("token") else {
            return Self.failure("invalid_client", status: 401)
        }
        revoked.append(token)
        for index in families.indices where families[index].refreshToken == token { families[index].isRevoked = true }
        return Answer()
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
            let confirmation = confirmsCallback ? "&oauth_callback_confirmed=true" : ""
            return Answer(
                body: "oauth_token=\(token)&oauth_token_secret=\(requestTokens[token]?.secret ?? "")\(confirmation)")
        case "/oauth1/access":
            guard let issued = requestTokens[name], let verifier = issued.verifier,
                verification.verifier?.matches(Secret(text: verifier)) == true
            else { return problem("verifier_invalid") }
            requestTokens[name] = nil
            let token = secret()
            accessTokens[token] = (secret(), issued.scope)
            return Answer(body: "oauth_token=\(token)&oauth_token_secret=\(accessTokens[token]?.secret ?? "")")
        case "/oauth1/revoke":
            accessTokens[name] = nil
            revoked.append(name)
            return Answer()
        default: return Answer(body: "{}")
        }
    }
}
