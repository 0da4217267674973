// A person sets up their own account with a code that is shown on the hub: whoever can read the hub's screen may, and
// only a few tries are worth anything.

import Delegation
package import FoundationEssentials
import Hummingbird
package import Sealing
import Vault

extension HomeProvider {
    /// How many digits has a set-up code?
    private static let codeLength = 8

    /// Makes the code that lets one person set up an account on the page `/set-up`; the one before is good no more.
    ///
    /// - Returns: Eight digits, and when they run out.
    package func invite() async throws -> (code: Secret, expiresAt: Date) {
        let code = Random.digits(Self.codeLength)
        let now = configuration.now()
        let expiresAt = now.advanced(by: ServiceProviderConfiguration.invitationLifetime)
        try await vault.write { transaction in
            try transaction.setInvitation(hash: Self.hash(code), expiresAt: expiresAt)
            // Who guessed at the one before, or at none, does not stand in the way of this one.
            try transaction.clearSignInFailures(bucket: Self.bucket("", of: .invitation))
            try transaction.audit(
                AuditEntry(
                    actor: .agent, action: "provider.person", subject: "invitation", authority: "local",
                    outcome: "issued"), at: now)
        }
        return (Secret(text: code), expiresAt)
    }

    /// `GET /set-up`.
    func showSetUp(_ incoming: Incoming) async throws -> Response { setUpPage() }

    /// `POST /set-up`.
    func setUp(_ incoming: Incoming) async throws -> Response {
        try checkOrigin(incoming)
        let fields = try incoming.formFields()
        let name = fields["name"] ?? ""
        let code = (fields["code"] ?? "").filter { $0 != " " && $0 != "-" }
        let password = Secret(text: fields["password"] ?? "")
        do {
            // What is wrong with name and password is said before the code is looked at; that a name is taken, only to
            // who has the code.
            try Self.check(name: name, password: password)
            try await checkInvitation(code, for: name)
            let wrongCode = Self.wrongCode
            // The code is used up by what it is for: a full queue or a power cut before that leaves it good.
            _ = try await addPerson(name, password: password, authority: "invitation") { transaction in
                guard try transaction.useInvitation(hash: Self.hash(code)) else { throw wrongCode }
            }
        } catch let refusal as Refusal {
            return setUpPage(fault: refusal, name: name)
        }
        return Reply.redirect(to: "/")
    }

    private static let wrongCode = Refusal(
        .notAuthorised, "this code is not right, or has run out",
        hint: "run 'keyholder user invite' on the hub for a new one")

    /// Looks at a code.
    ///
    /// - Throws: ``Refusal`` when it is wrong, which counts, or when the name is taken.
    private func checkInvitation(_ code: String, for name: String) async throws {
        let now = configuration.now()
        let isRight = try await vault.write { transaction in
            guard try transaction.hasInvitation(at: now) else { return false }
            let bucket = Self.bucket("", of: .invitation)
            try requireNotBlocked(bucket, at: now, in: transaction)
            let isRight = try transaction.checkInvitation(
                hash: Self.hash(code), limit: ServiceProviderConfiguration.invitationTries, now: now)
            guard isRight else {
                try countFailure(bucket, at: now, in: transaction)
                try transaction.audit(
                    AuditEntry(
                        actor: .person("?"), action: "provider.person", subject: "invitation", authority: "none",
                        outcome: "refused"), at: now)
                return false
            }
            guard try transaction.person(named: name) == nil else {
                throw Refusal(.conflict, "there already is a person \(quoted(name))", hint: "use another name")
            }
            try transaction.clearSignInFailures(bucket: bucket)
            return true
        }
        guard isRight else { throw Self.wrongCode }
    }

    private func setUpPage(fault: Refusal? = nil, name: String = "") -> Response {
        var content: [String: Any] = ["title": "Set up your account", "name": name]
        if let fault {
            content["fault"] = "\(fault.message.prefix(1).uppercased())\(fault.message.dropFirst())."
            content["hint"] = fault.hint
        }
        return pages.form("set-up", content, status: fault == nil ? 200 : 403)
    }
}
