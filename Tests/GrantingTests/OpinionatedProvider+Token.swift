// The second protocol of the provider: tokens for codes, for refresh tokens and for other tokens, with what is peculiar
// about this one as data.

import FoundationEssentials
import OAuth
import Sealing

/// What is peculiar about a provider.
struct Habits: Sendable {
    /// The secrets that it takes.
    var consumerSecrets = [OpinionatedProvider.consumerSecret]
    /// What it answers with in the place of an ordinary token reply; `{at}`, `{rt}` and `{scope}` are filled in.
    var reply: String?
    var replyHeaders: [String: String] = [:]
    var rotates = true
    /// What every token and secret ends in.
    var ending = ""
    /// What comes with OAuth 1.0a credentials.
    var extraCredentials: [Parameter] = []
    /// How long exchanged tokens live.
    var longLifetime = 60
    /// What it says to a device before it looks whether the owner has approved.
    var pollAnswers: [String] = []
    /// What it says to a device besides the codes.
    var deviceReply = "\"interval\":5,\"expires_in\":600"
    /// Whether it binds tokens to keys.
    var wantsProofs = false
    /// Seconds since 1970, for proofs.
    var now: @Sendable () -> Int = { 0 }
}

extension OpinionatedProvider {
    private func isAuthenticated(_ request: Received) -> Bool {
        guard let header = request.authorization, let credentials = try? BasicCredentials.parse(header) else {
            return false
        }
        return credentials.interpretations.contains { credentials in
            credentials.clientID == Self.consumerKey
                && habits.consumerSecrets.contains { credentials.secret.matches(Secret(text: $0)) }
        }
    }

    func token(_ request: Received) -> Answer {
        guard request.method == "POST", request.contentType == FormCoding.mediaType, isAuthenticated(request) else {
            return Self.failure("invalid_client", status: 401)
        }
        guard let form = try? FormCoding.parse(request.body) else { return Self.failure("invalid_request") }
        let key: String?
        switch proven(request) {
        case .right(let thumbprint): key = thumbprint
        case .wrong(let answer): return answer
        }
        switch form.first("grant_type") {
        case "authorization_code":
            guard let code = codes.removeValue(forKey: form.first("code") ?? ""),
                code.redirectURI == form.first("redirect_uri"),
                let verifier = form.first("code_verifier"),
                PKCE.matches(verifier: Secret(text: verifier), challenge: code.challenge)
            else { return Self.failure("invalid_grant") }
            return begin(scope: code.scope, key)
        case "urn:ietf:params:oauth:grant-type:device_code": return poll(form.first("device_code") ?? "", key)
        case "client_credentials":
            let token = secret()
            accessTokens[token] = ("", form.first("scope") ?? "")
            return Answer(body: "{\"access_token\":\"\(token)\",\"token_type\":\"Bearer\",\"expires_in\":\(lifetime)}")
        case "urn:ietf:params:oauth:grant-type:token-exchange", "fb_exchange_token":
            let subject = form.first("subject_token") ?? form.first("fb_exchange_token") ?? ""
            guard let scope = accessTokens[subject]?.scope else { return Self.failure("invalid_grant") }
            let token = secret()
            accessTokens[token] = ("", form.first("scope") ?? scope)
            return Answer(
                body: """
                    {"access_token":"\(token)","token_type":"bearer","expires_in":\(habits.longLifetime),\
                    "issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}
                    """)
        case "refresh_token":
            let token = form.first("refresh_token") ?? ""
            if let index = families.firstIndex(where: { $0.refreshToken == token }), !families[index].isRevoked {
                guard families[index].thumbprint == key else { return Self.failure("invalid_dpop_proof") }
                if habits.rotates {
                    families[index].predecessor = token
                    families[index].refreshToken = secret()
                }
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

    /// Knows a refresh token that a test has made up.
    func adopt(refreshToken: String, accessToken: String, scope: String) {
        families.append(Family(refreshToken: refreshToken, accessToken: accessToken, scope: scope))
        accessTokens[accessToken] = ("", scope)
    }

    private func begin(scope: String, _ key: String?) -> Answer {
        families.append(Family(refreshToken: secret(), accessToken: secret(), scope: scope, thumbprint: key))
        return issue(families.count - 1)
    }

    private func issue(_ index: Int) -> Answer {
        let family = families[index]
        accessTokens[family.accessToken] = ("", family.scope)
        let type = family.thumbprint == nil ? "bearer" : "DPoP"
        let standard = """
            {"access_token":"{at}","token_type":"\(type)","expires_in":\(lifetime),"refresh_token":"{rt}","scope":"{scope}"}
            """
        let body = (habits.reply ?? standard).replacing("{at}", with: family.accessToken)
            .replacing("{rt}", with: family.refreshToken).replacing("{scope}", with: family.scope)
        return Answer(body: body, headers: habits.replyHeaders)
    }

    func resource(_ request: Received) -> Answer {
        guard let header = request.authorization, let token = BearerToken.parse(header),
            accessTokens[token.revealText()] != nil
        else { return Answer(status: 401, headers: ["WWW-Authenticate": "Bearer"]) }
        return Answer(body: "{}")
    }

    func revoke(_ request: Received) -> Answer {
        guard isAuthenticated(request), let token = (try? FormCoding.parse(request.body))?.first("token") else {
            return Self.failure("invalid_client", status: 401)
        }
        revoked.append(token)
        for index in families.indices where families[index].refreshToken == token { families[index].isRevoked = true }
        return Answer()
    }

    private enum Proven {
        case right(String?)
        case wrong(Answer)
    }

    private func proven(_ request: Received) -> Proven {
        guard habits.wantsProofs else { return .right(nil) }
        do {
            let proof = try DPoPProof.verify(
                request.proofs, method: request.method, url: "http://127.0.0.1:\(request.port)\(request.path)",
                now: habits.now())
            return .right(proof.thumbprint)
        } catch { return .wrong(Self.failure("invalid_dpop_proof")) }
    }

    func device(_ request: Received) -> Answer {
        guard isAuthenticated(request) else { return Self.failure("invalid_client", status: 401) }
        let code = secret()
        deviceCodes[code] = (request.form("scope") ?? "", false)
        return Answer(
            body: """
                {"device_code":"\(code)","user_code":"WDJB-MJHT","verification_uri":"https://issuer.example/device",\
                \(habits.deviceReply)}
                """)
    }

    /// The owner types in every code that waits.
    func approveDevices() { for code in deviceCodes.keys { deviceCodes[code]?.isApproved = true } }

    private func poll(_ code: String, _ key: String?) -> Answer {
        if !habits.pollAnswers.isEmpty { return Self.failure(habits.pollAnswers.removeFirst()) }
        guard let known = deviceCodes[code] else { return Self.failure("invalid_grant") }
        guard known.isApproved else { return Self.failure("authorization_pending") }
        deviceCodes[code] = nil
        return begin(scope: known.scope, key)
    }
}
