// A form is carried out only when this very browser session was shown it, moments ago, by this very site, and once.

import Delegation
import FoundationEssentials
import Hummingbird
import Sealing
import StrictJSON
import Vault

extension HomeProvider {
    /// On https the prefix makes browsers refuse a cookie that was planted by a sibling name or over http. Plain http,
    /// which is for the loopback interface only, cannot set a `Secure` cookie, and the prefix demands one.
    var cookieName: String { configuration.isSecure ? "__Host-keyholder" : "keyholder" }

    /// The session of the browser, if it is signed in.
    func session(_ incoming: Incoming) async throws -> BrowserSession? {
        guard let cookie = incoming.cookie(cookieName) else { return nil }
        let hash = Self.hash(cookie)
        let now = configuration.now()
        guard let session = try await vault.read({ try $0.session(hash: hash) }),
            now < session.signedInAt.advanced(by: ServiceProviderConfiguration.sessionLimit),
            now < session.seenAt.advanced(by: ServiceProviderConfiguration.sessionIdleLimit)
        else { return nil }
        if now.timeIntervalSince(session.seenAt) >= 60 {
            try await vault.write { try $0.touchSession(hash: hash, at: now) }
        }
        return session
    }

    static func hash(_ text: String) -> [UInt8] { HashFunction.sha256.digest(Array(text.utf8)) }

    /// `Lax`, not `Strict`: an app sends the browser here from its own site, and the person must not look signed out
    /// then. It keeps the cookie off every POST from elsewhere; a GET gives nothing away but what a standing approval
    /// already gave.
    func sessionCookie(_ value: String) -> String {
        "\(cookieName)=\(value); Path=/; HttpOnly; SameSite=Lax" + (configuration.isSecure ? "; Secure" : "")
            + (value.isEmpty ? "; Max-Age=0" : "")
    }

    /// Refuses a form that another site made the browser send.
    ///
    /// - Throws: ``ProviderFault`` unless `Origin` or `Sec-Fetch-Site` says that it came from here.
    func checkOrigin(_ incoming: Incoming) throws {
        let origin = incoming.headers[.origin]
        let site = HeaderName("Sec-Fetch-Site").flatMap { incoming.headers[$0] }
        guard origin != nil || site != nil, configuration.isOwn(origin: origin ?? configuration.baseURL),
            site ?? "same-origin" == "same-origin"
        else { throw ProviderFault.foreignOrigin }
    }

    /// Makes the token of a form that is about to be shown.
    func issueForm(
        _ purpose: String, showing payload: JSON, in session: BrowserSession, by transaction: Transaction
    ) throws -> String {
        let token = Random.alphanumerics(30)
        let now = configuration.now()
        try transaction.insertForm(
            hash: Self.hash(token), session: session.hash, form: IssuedForm(purpose: purpose, payload: payload),
            expiresAt: now.advanced(by: ServiceProviderConfiguration.formLifetime), now: now,
            keep: ServiceProviderConfiguration.formLimit)
        return token
    }

    /// Checks everything about a received form but its token, which ``takeForm(_:_:in:by:)`` checks in the transaction
    /// that carries it out.
    func receiveForm(_ incoming: Incoming) async throws -> (session: BrowserSession, fields: [String: String]) {
        try checkOrigin(incoming)
        let fields = try incoming.formFields()
        guard let session = try await session(incoming) else { throw ProviderFault.wrongForm }
        return (session, fields)
    }

    /// Takes a form back, once.
    func takeForm(
        _ purpose: String, _ fields: [String: String], in session: BrowserSession, by transaction: Transaction
    ) throws -> JSON {
        let form = try transaction.takeForm(
            hash: Self.hash(fields["form_token"] ?? ""), session: session.hash, purpose: purpose,
            now: configuration.now())
        guard let form else { throw ProviderFault.wrongForm }
        return form.payload
    }
}
