// What is carried out is what was shown: the form's token stands for the request and its scopes as they were on the
// page, kept in the vault, and nothing of it is read back from the browser but yes or no.

import Delegation
import FoundationEssentials
import Hummingbird
import StrictJSON
import Vault

/// A request for consent, as it is shown and as it is carried out.
struct ConsentRequest: Sendable {
    /// Which form it belongs to: one per protocol.
    let purpose: String
    let consumer: RegisteredConsumer
    let operations: [RequestedOperation]
    /// Where the answer goes; `nil` when a PIN is shown instead.
    let redirectTarget: String?
    /// What the protocol needs to go on.
    let detail: JSON
    /// The page's own address.
    let action: String
}

/// What a person answered.
struct ConsentAnswer: Sendable {
    let approved: Bool
    let person: Person
    let consumer: RegisteredConsumer
    let scopes: [ScopedOperation]
    let detail: JSON
}

extension HomeProvider {
    /// Shows a request for consent, or the sign-in page before it.
    func consentPage(_ request: ConsentRequest, _ incoming: Incoming) async throws -> Response {
        let now = configuration.now()
        let session = try await session(incoming)
        let isFresh =
            session.map { now < $0.signedInAt.advanced(by: ServiceProviderConfiguration.freshSignIn) } ?? false
        guard let session, isFresh || !request.operations.hasHighRisk else {
            return signInPage(
                next: incoming.target,
                purpose: session == nil
                    ? "\(request.consumer.name) asks for access to your devices."
                    : "\(request.consumer.name) asks for something that can do harm. Please sign in again first.",
                redirectTarget: request.redirectTarget)
        }
        let payload: JSON = [
            "consumer": .string(request.consumer.id), "scopes": .strings(request.operations.map(\.scoped.word)),
            "detail": request.detail,
        ]
        let token = try await vault.write {
            try issueForm(request.purpose, showing: payload, in: session, by: $0)
        }
        var content: [String: Any] = [
            "title": request.consumer.isAgent ? "Allow this hub?" : "Allow this app?", "person": session.person.name,
            "consumer": request.consumer.name, "kind": request.consumer.isAgent ? "The hub’s own agent" : "The app",
            "app": !request.consumer.isAgent, "devices": request.operations.shown, "action": request.action,
            "form_token": token,
            "duration": "Until \(Self.day(now.advanced(by: configuration.grantLifetime))), then you are asked again.",
        ]
        if let target = request.redirectTarget { content["destination"] = Pages.source(of: target) }
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
        guard let decision = fields["decision"], ["approve", "deny"].contains(decision),
            let consumer = try form["consumer"]?.string.flatMap({ try transaction.registeredConsumer(id: $0) }),
            consumer.removedAt == nil,
            try RequestedOperation.resolve(scopes, in: transaction, profiles: profiles).count == scopes.count
        else { throw ProviderFault.wrongForm }
        return ConsentAnswer(
            approved: decision == "approve", person: session.person, consumer: consumer, scopes: scopes,
            detail: form["detail"] ?? [:])
    }

    /// Writes the answer into the audit log.
    func audit(_ answer: ConsentAnswer, in transaction: Transaction) throws {
        try transaction.audit(
            AuditEntry(
                actor: .person(answer.person.name), action: "provider.consent",
                subject: "app:\(answer.consumer.key)", authority: "session",
                outcome: answer.approved ? "approved" : "denied",
                detail: ["scopes": .strings(answer.scopes.map(\.word))]), at: configuration.now())
    }
}
