// A failed sign-in says the same and takes the same, whether the name exists or not; failures are counted before the
// password is looked at, so that many guesses at once do not slip through together.

import Delegation
import FoundationEssentials
import Hummingbird
import Logging
import Sealing
import Vault

extension HomeProvider {
    /// Shows the sign-in page; `next` is where the browser goes on, path and query of this site, and `redirectTarget`
    /// where it may be sent from there.
    func signInPage(
        next: String, purpose: String? = nil, fault: String? = nil, name: String = "", status: Int = 200,
        redirectTarget: String? = nil, offersSetUp: Bool = false
    ) -> Response {
        var content: [String: Any] = [
            "title": fault == nil ? "Sign in" : "Sign in: not right", "next": next, "name": name, "set_up": offersSetUp,
        ]
        if let purpose { content["purpose"] = purpose }
        if let fault { content["fault"] = fault }
        return pages.form("sign-in", content, status: status, redirectTarget: redirectTarget)
    }

    /// `POST /sign-in`.
    func signIn(_ incoming: Incoming) async throws -> Response {
        try checkOrigin(incoming)
        let fields = try incoming.formFields()
        let name = fields["name"] ?? ""
        let next = Self.localTarget(fields["next"] ?? "/")
        let password = Secret(text: String((fields["password"] ?? "").prefix(1024)))
        guard let person = try await person(name, password: password) else {
            return signInPage(next: next, fault: "Name or password is not right.", name: name, status: 403)
        }

        let now = configuration.now()
        let cookie = Base64.encode(Random.bytes(32), as: .url)
        let old = incoming.cookie(cookieName).map(Self.hash)
        try await vault.write { transaction in
            if let old { try transaction.deleteSession(hash: old) }
            try transaction.deleteSessions(
                signedInBefore: now.before(ServiceProviderConfiguration.sessionLimit),
                unusedSince: now.before(ServiceProviderConfiguration.sessionIdleLimit))
            // The person may have been removed while the password was checked.
            guard try transaction.isPresent(person: person.id) else { throw ProviderFault.wrongForm }
            try transaction.insertSession(hash: Self.hash(cookie), person: person, at: now)
            try transaction.audit(
                AuditEntry(
                    actor: .person(person.name), action: "provider.signin", subject: "session", authority: "password",
                    outcome: "done"), at: now)
        }
        var response = Reply.redirect(to: next)
        response.headers[.setCookie] = sessionCookie(cookie)
        return response
    }

    /// The person of that name, if the password is right; tries are counted, and too many are refused.
    ///
    /// - Throws: ``ProviderFault/tooOften(seconds:)``.
    func person(_ name: String, password: Secret) async throws -> Person? {
        let bucket = Self.bucket(name, of: .password)
        let pepper = try await pepper()
        let now = configuration.now()
        let known = try await vault.write { transaction in
            try requireNotBlocked(bucket, at: now, in: transaction)
            try countFailure(bucket, at: now, in: transaction)
            return try transaction.person(named: name)
        }
        let isRight: Bool
        do {
            isRight = try await passwords.isRight(password, for: known?.password, pepper: pepper)
        } catch {
            // The queue is full: nobody looked, so nobody failed.
            try await vault.write { try $0.uncountSignInFailure(bucket: bucket, at: now) }
            throw error
        }
        guard isRight, let person = known?.person else {
            logger.notice("sign-in refused", metadata: ["person.known": "\(known != nil)"])
            // Strangers' names fill no log, and neither does a password that was typed in the wrong field.
            if let name = known?.person.name {
                try await vault.write { transaction in
                    try transaction.audit(
                        AuditEntry(
                            actor: .person(name), action: "provider.signin", subject: "session", authority: "password",
                            outcome: "refused"), at: now)
                }
            }
            return nil
        }
        try await vault.write { try $0.clearSignInFailures(bucket: bucket) }
        return person
    }

    /// `POST /sign-out`.
    func signOut(_ incoming: Incoming) async throws -> Response {
        let (session, fields) = try await receiveForm(incoming)
        try await vault.write { transaction in
            _ = try takeForm("sign-out", fields, in: session, by: transaction)
            try transaction.deleteSession(hash: session.hash)
        }
        var response = Reply.redirect(to: "/")
        response.headers[.setCookie] = sessionCookie("")
        return response
    }

    /// Only pages of ours follow a sign-in.
    private static func localTarget(_ text: String) -> String {
        // The last one in full only: nothing may follow it that is not a query.
        let isOurs = ["/oauth1/authorize?", "/oauth2/authorize?", "/device?", "/device"].contains {
            $0.hasSuffix("?") ? text.hasPrefix($0) : text == $0
        }
        return isOurs && text.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? text : "/"
    }
}
