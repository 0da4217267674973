// A standing approval answers in a person's stead, but only where that person is signed in, and never with more than
// what was on the page when it was given.

package import Delegation
import FoundationEssentials
import Hummingbird
import OAuth
import StrictJSON
package import Vault

extension HomeProvider {
    /// The answer that was given for always.
    ///
    /// - Returns: `nil` when a person has to be asked.
    func answerByStandingApproval(
        _ request: ConsentRequest, _ session: BrowserSession
    ) async throws -> Response? {
        guard request.mayStand, configuration.trustsCookies, request.prompt != .consent else { return nil }
        let scopes = request.operations.map(\.scoped)
        let now = configuration.now()
        guard
            try await vault.read({
                try $0.standingApproval(of: request.consumer.id, by: session.person.id, covering: scopes, at: now)
            }) != nil
        else { return nil }
        return try await vault.write { transaction in
            guard
                let approval = try transaction.standingApproval(
                    of: request.consumer.id, by: session.person.id, covering: scopes, at: now)
            else { return nil }
            try transaction.touchStandingApproval(id: approval.id, at: now)
            return try request.complete(
                ConsentAnswer(
                    approved: true, authority: "standing approval:\(approval.id)", person: session.person,
                    consumer: request.consumer, scopes: scopes, detail: request.detail), transaction)
        }
    }

    /// Stored operations as an app writes them, those of removed devices left out.
    package func scope(of operations: [ScopedOperation]) async throws -> String {
        try await vault.read { transaction in
            try operations.compactMap { scoped in
                try transaction.device(id: scoped.device).flatMap {
                    $0.state == .removed ? nil : "\(scoped.operation)@\($0.name)"
                }
            }.joined(separator: " ")
        }
    }

    /// What apps may do without asking again.
    package func standingApprovals() async throws -> [StandingApproval] {
        let now = configuration.now()
        return try await vault.read { try $0.standingApprovals(at: now) }
    }

    /// Ends a standing approval; what came of it stays.
    ///
    /// - Throws: ``Refusal`` of kind `notFound`.
    package func revokeStandingApproval(_ id: String, by requester: Requester) async throws {
        let now = configuration.now()
        try await vault.write { transaction in
            guard try forget(id, by: requester, authority: "local", in: transaction, at: now) else {
                throw Refusal(
                    .notFound, "no standing approval \(quoted(id))",
                    hint: "run 'keyholder app approvals' to see those there are")
            }
        }
    }

    /// `POST /forget`.
    func forgetApproval(_ incoming: Incoming) async throws -> Response {
        let (session, fields) = try await receiveForm(incoming)
        let now = configuration.now()
        try await vault.write { transaction in
            let form = try takeForm("forget", fields, in: session, by: transaction)
            guard let id = fields["approval"], form["approvals"]?.strings?.contains(id) == true else {
                throw ProviderFault.wrongForm
            }
            _ = try forget(
                id, by: .person(session.person.name), authority: "session",
                in: transaction, at: now)
        }
        return Reply.redirect(to: "/")
    }

    private func forget(
        _ id: String, by requester: Requester, authority: String, in transaction: Transaction, at now: Date
    ) throws -> Bool {
        guard try transaction.revokeStandingApproval(id: id, at: now) else { return false }
        try transaction.audit(
            AuditEntry(
                actor: requester, action: "provider.approval", subject: "approval:\(id)", authority: authority,
                outcome: "revoked"), at: now)
        return true
    }
}
