// The one page that tells what has access to what, and takes any of it back with one press.

import Delegation
import FoundationEssentials
import Hummingbird
import StrictJSON
import Vault

extension HomeProvider {
    /// `GET /`.
    func showHome(_ incoming: Incoming) async throws -> Response {
        guard let session = try await session(incoming) else {
            let isEmpty = try await vault.read { try $0.persons().isEmpty }
            return signInPage(
                next: "/",
                purpose: isEmpty
                    ? "Nobody can sign in here yet. Run 'keyholder user invite' on the hub and set up your account."
                    : nil,
                offersSetUp: isEmpty)
        }
        let now = configuration.now()
        return try await vault.write { transaction in
            var shown: [[String: Any]] = []
            let grants = try transaction.liveGrants(at: now)
            for grant in grants {
                let operations = try ShownOperation.describe(grant.scopes, in: transaction, profiles: profiles)
                var item: [String: Any] = [
                    "consumer": grant.consumer.name, "kind": grant.consumer.isAgent ? "This hub itself" : "App",
                    "allowed_by": grant.person.name, "since": Self.day(grant.createdAt),
                    "until": Self.day(grant.expiresAt), "devices": operations.shown, "id": grant.id.rawValue,
                ]
                if let used = grant.usedAt { item["used"] = Self.day(used) }
                shown.append(item)
            }
            let standing = try transaction.standingApprovals(at: now)
            let approvals = try standing.map { approval -> [String: Any] in
                var item: [String: Any] = [
                    "consumer": approval.consumer.name, "allowed_by": approval.person.name,
                    "since": Self.day(approval.createdAt),
                    "devices": try ShownOperation.describe(approval.scopes, in: transaction, profiles: profiles).shown,
                    "id": approval.id,
                ]
                if let used = approval.usedAt { item["used"] = Self.day(used) }
                return item
            }
            return pages.form(
                "grants",
                [
                    "title": "What has access to what", "person": session.person.name, "grants": shown,
                    "approvals": approvals, "has_approvals": !approvals.isEmpty,
                    // One for all buttons of a kind, so that the page works however long it is; what was not on it is
                    // not taken back by it.
                    "revoke_token": try issueForm(
                        "revoke", showing: ["grants": .strings(grants.map(\.id.rawValue))], in: session, by: transaction
                    ),
                    "forget_token": try issueForm(
                        "forget", showing: ["approvals": .strings(standing.map(\.id))], in: session, by: transaction),
                    "sign_out_token": try issueForm("sign-out", showing: [:], in: session, by: transaction),
                ])
        }
    }

    /// `POST /revoke`.
    func takeBack(_ incoming: Incoming) async throws -> Response {
        let (session, fields) = try await receiveForm(incoming)
        let now = configuration.now()
        try await vault.write { transaction in
            let form = try takeForm("revoke", fields, in: session, by: transaction)
            guard let id = fields["grant"], form["grants"]?.strings?.contains(id) == true else {
                throw ProviderFault.wrongForm
            }
            _ = try Self.takeBack(
                GrantID(rawValue: id), by: .person(session.person.name), authority: "session",
                in: transaction, at: now)
        }
        return Reply.redirect(to: "/")
    }

    /// The day as a person reads it, such as `3 May 2027`, by the clock of UTC.
    static func day(_ date: Date) -> String {
        let names = [
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December",
        ]
        let parts = date.rfc3339.prefix(10).split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3, names.indices.contains(parts[1] - 1) else { return String(date.rfc3339.prefix(10)) }
        return "\(parts[2]) \(names[parts[1] - 1]) \(parts[0])"
    }
}
