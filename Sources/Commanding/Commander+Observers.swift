// An observer reads what people are told and nothing of any device. Its user name has a dot, which no device's login and
// not the hub's can have. The broker alone remembers it; the password is handed out once and stays nowhere.

import CommandProtocol
package import Delegation
import Logging
package import Sealing
import StrictJSON
import Vault

/// How an observer, such as Home Assistant, reaches the broker.
package struct ObserverLogin: Sendable, Equatable {
    /// What the owner calls it.
    package let name: String
    /// Its user name at the broker.
    package let user: String
    package let host: String
    package let port: Int
    /// Path of the authority that vouches for the broker, PEM.
    package let caFile: String
}

extension Commander {
    private static let observerPrefix = "observer."

    /// Makes a login that reads notices and what is shown to Home Assistant.
    ///
    /// - Parameters:
    ///   - name: Of the same form as a device's name.
    ///   - requester: Who asked.
    /// - Returns: The login and its password, which cannot be asked for again.
    /// - Throws: ``Refusal``, and `VaultError.sealed`; there is no new login then.
    package func addObserver(
        _ name: String, by requester: Requester
    ) async throws -> (login: ObserverLogin, password: Secret) {
        guard DeviceName(rawValue: name) != nil else {
            throw Refusal(
                .usage, "login name \(quoted(name)) is not allowed",
                hint: "use 1 to 32 characters out of a-z, 0-9 and '-', not starting with '-'")
        }
        guard !vault.isSealed else { throw VaultError.sealed }
        // Two of one name would undo each other's role.
        if let turn = enrolling.enter() { for await _ in turn {} }
        defer { enrolling.leave() }
        guard try await !observers().contains(where: { $0.name == name }) else {
            throw Refusal(
                .conflict, "there already is a broker login \(quoted(name))",
                hint: "choose another name, or run 'keyholder broker remove \(name)' first")
        }
        guard let site else { throw Refusal(.failure, "the vault has no valid site") }
        let login = observer(name)
        let password = Secret(text: Random.alphanumerics(32))
        let now = configuration.now()
        do {
            try await control(DynamicSecurity.admit(observer: login.user, site: site, password: password))
            try await vault.write { try $0.audit(Self.entry("login", login, "made", by: requester), at: now) }
        } catch {
            // What is not in the log must not be at the broker either.
            do {
                try await control(DynamicSecurity.dismiss(observer: login.user))
            } catch {
                logger.error("login not taken back", metadata: ["user": "\(login.user)", "error": "\(error)"])
            }
            throw error
        }
        return (login, password)
    }

    /// The observers' logins, as the broker has them.
    ///
    /// - Throws: ``Refusal`` when the broker does not say, and `VaultError.sealed`.
    package func observers() async throws -> [ObserverLogin] {
        // Without the vault there is no password to come back to the broker with.
        guard isConnected || !vault.isSealed else { throw VaultError.sealed }
        var users: [String] = []
        while true {
            let answer = try await control([DynamicSecurity.listClients(from: users.count)]).first?["data"]
            let page = answer?["clients"]?.strings ?? []
            users += page
            guard !page.isEmpty, Int64(users.count) < answer?["totalCount"]?.integer ?? 0 else { break }
        }
        return users.filter { $0.hasPrefix(Self.observerPrefix) }.map {
            observer(String($0.dropFirst(Self.observerPrefix.count)))
        }
    }

    /// Takes an observer's login away and disconnects who uses it.
    ///
    /// - Throws: ``Refusal``, of kind `notFound` when there is none, and `VaultError.sealed`.
    package func removeObserver(_ name: String, by requester: Requester) async throws {
        // It could not be written down.
        guard !vault.isSealed else { throw VaultError.sealed }
        guard let login = try await observers().first(where: { $0.name == name }) else {
            throw Refusal(
                .notFound, "there is no broker login \(quoted(name))", hint: "'keyholder broker list' shows them")
        }
        try await control(DynamicSecurity.dismiss(observer: login.user))
        await record(Self.entry("remove", login, "removed", by: requester))
    }

    private func observer(_ name: String) -> ObserverLogin {
        ObserverLogin(
            name: name, user: Self.observerPrefix + name, host: configuration.brokerHost,
            port: configuration.brokerPort, caFile: configuration.folder.authorityFile)
    }

    private static func entry(
        _ verb: String, _ login: ObserverLogin, _ outcome: String, by requester: Requester
    ) -> AuditEntry {
        AuditEntry(
            actor: requester, action: "broker.\(verb)", subject: login.name, authority: "local", outcome: outcome,
            detail: ["user": .string(login.user)])
    }
}
