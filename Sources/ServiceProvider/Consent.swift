// What is carried out is what was shown: the form's token stands for the request and its scopes as they were on the
// page, kept in the vault, and nothing of it is read back from the browser but yes or no, and whether for always.

import Delegation
import FoundationEssentials
import Hummingbird
import OAuth
import Sealing
import StrictJSON
import Vault

/// A request for consent, as it is shown and as it is carried out.
struct ConsentRequest: Sendable {
    /// Which form it belongs to: one per flow.
    let purpose: String
    let consumer: RegisteredConsumer
    let operations: [RequestedOperation]
    /// Where the answer goes; `nil` when it stays here.
    let redirectTarget: String?
    /// What the protocol needs to go on.
    let detail: JSON
    /// The page's own address.
    let action: String
    /// What the device shows, to be compared.
    var userCode: String?
    /// Which page the client wants or does not want to be shown.
    var prompt: AuthorizationRequest.Prompt?
    /// Carries out an answer.
    let complete: @Sendable (ConsentAnswer, Transaction) throws -> Response
    /// Tells the client that nobody can be asked.
    let refuse: @Sendable (OAuth2Refusal) throws -> Response

    /// Whether a yes for always is possible: only for who can prove to be the same the next time, and gets the answer
    /// without a person in between.
    var mayStand: Bool {
        !consumer.isAgent && redirectTarget != nil && consumer.terms.authentication != .none
    }
}

/// What a person answered, now or for always.
struct ConsentAnswer: Sendable {
    let approved: Bool
    /// Whether the answer is to stand for the next time too.
    var stands = false
    /// `session`, or `standing approval:` with its id.
    var authority = "session"
    let person: Person
    let consumer: RegisteredConsumer
    let scopes: [ScopedOperation]
    let detail: JSON
}

extension HomeProvider {
    /// Checks a received answer as far as can be done before the transaction that carries it out: where a cookie is not
    /// enough for a yes, the password has to come with it.
    func receiveAnswer(_ incoming: Incoming) async throws -> (session: BrowserSession, fields: [String: String]) {
        let (session, fields) = try await receiveForm(incoming)
        guard fields["decision"] == "approve", !configuration.trustsCookies else { return (session, fields) }
        let password = Secret(text: String((fields["password"] ?? "").prefix(1024)))
        guard try await person(session.person.name, password: password)?.id == session.person.id else {
            throw ProviderFault.notice(
                status: 403, title: "The password is not right",
                advice: "Nothing was changed. Go back and type it again.")
        }
        return (session, fields)
    }

    /// Answers a request for consent: with the page to sign in, by a standing approval, or with the page that asks.
    func consent(_ request: ConsentRequest, _ incoming: Incoming) async throws -> Response {
        let session = try await session(incoming)
        guard let session, isRecent(session, for: request) else {
            if request.prompt == AuthorizationRequest.Prompt.none { return try request.refuse(.loginRequired) }
            return signInPage(
                next: incoming.target, purpose: Self.purpose(of: request, isSignedIn: session != nil),
                redirectTarget: request.redirectTarget)
        }
        if let response = try await answerByStandingApproval(request, session) { return response }
        if request.prompt == AuthorizationRequest.Prompt.none { return try request.refuse(.consentRequired) }
        return try await consentPage(request, session)
    }

    /// Whether the person signed in recently enough.
    private func isRecent(_ session: BrowserSession, for request: ConsentRequest) -> Bool {
        var limit: Duration?
        if request.operations.hasHighRisk { limit = ServiceProviderConfiguration.freshSignIn }
        if request.prompt == .login { limit = ServiceProviderConfiguration.promptedSignIn }
        return limit.map { configuration.now() < session.signedInAt.advanced(by: $0) } ?? true
    }

    private static func purpose(of request: ConsentRequest, isSignedIn: Bool) -> String {
        switch (isSignedIn, request.prompt) {
        case (false, _): "\(request.consumer.name) asks for access to your devices."
        case (true, .login): "\(request.consumer.name) wants to be sure that it is you. Please sign in again first."
        case (true, _): "\(request.consumer.name) asks for something that can do harm. Please sign in again first."
        }
    }

    private func consentPage(_ request: ConsentRequest, _ session: BrowserSession) async throws -> Response {
        let mayStand = request.mayStand && configuration.trustsCookies
        let payload: JSON = [
            "consumer": .string(request.consumer.id), "scopes": .strings(request.operations.map(\.scoped.word)),
            "detail": request.detail, "may_stand": .bool(mayStand),
        ]
        let token = try await vault.write {
            try issueForm(request.purpose, showing: payload, in: session, by: $0)
        }
        let until = Self.day(configuration.now().advanced(by: configuration.grantLifetime))
        var content: [String: Any] = [
            "title": "Allow \(request.consumer.name)?", "person": session.person.name,
            "consumer": request.consumer.name, "kind": request.consumer.isAgent ? "The hub’s own agent" : "The app",
            "app": !request.consumer.isAgent, "devices": request.operations.shown, "action": request.action,
            "form_token": token, "may_stand": mayStand, "wants_password": !configuration.trustsCookies,
            "duration": "Until \(until), then you are asked again.",
        ]
        if let target = request.redirectTarget {
            content["destination"] = request.consumer.isAgent ? "back to this hub" : Pages.destination(of: target)
        }
        if let userCode = request.userCode { content["user_code"] = userCode }
        return pages.form("consent", content, redirectTarget: request.redirectTarget)
    }

    /// Takes the answer out of its form, and makes sure that what was shown still holds.
    ///
    /// - Throws: ``ProviderFault`` and nothing has changed, the form included, when it does not.
    func consentAnswer(
        _ purpose: String, _ fields: [String: String], in session: BrowserSession, by transaction: Transaction
    ) throws -> ConsentAnswer {
        let form = try takeForm(purpose, fields, in: session, by: transaction)
        let scopes = (form["scopes"]?.strings ?? []).compactMap { ScopedOperation(word: $0) }
        let operations = try RequestedOperation.resolve(scopes, in: transaction, profiles: profiles)
        guard let decision = fields["decision"], ["approve", "deny"].contains(decision),
            let consumer = try form["consumer"]?.string.flatMap({ try transaction.registeredConsumer(id: $0) }),
            consumer.removedAt == nil, operations.count == scopes.count
        else { throw ProviderFault.wrongForm }
        // The page may have lain open for long; it is the yes that wants the password to be fresh.
        let fresh = session.signedInAt.advanced(by: ServiceProviderConfiguration.freshSignIn)
        guard decision == "deny" || !operations.hasHighRisk || configuration.now() < fresh else {
            throw ProviderFault.notice(
                status: 403, title: "Please sign in again",
                advice:
                    "Nothing was changed. This can do harm, so it wants a fresh sign-in: go back and reload the page.")
        }
        return ConsentAnswer(
            approved: decision == "approve", stands: fields["always"] == "yes" && form["may_stand"] == true,
            person: session.person, consumer: consumer, scopes: scopes, detail: form["detail"] ?? [:])
    }

    /// Writes the answer into the audit log, and keeps it if it is to stand.
    func record(_ answer: ConsentAnswer, in transaction: Transaction) throws {
        let now = configuration.now()
        try transaction.audit(
            AuditEntry(
                actor: .person(answer.person.name), action: "provider.consent",
                subject: "app:\(answer.consumer.key)", authority: answer.authority,
                outcome: answer.approved ? "approved" : "denied",
                detail: ["scopes": .strings(answer.scopes.map(\.word)), "always": .bool(answer.stands)]), at: now)
        if answer.approved, answer.stands {
            try transaction.insertStandingApproval(
                id: Random.alphanumerics(24), consumer: answer.consumer.id, person: answer.person.id,
                scopes: answer.scopes, at: now, expiresAt: now.advanced(by: configuration.grantLifetime))
        }
    }
}
