// People are added by whoever runs the home, or set themselves up with a code from it.

import Delegation
import FoundationEssentials
package import Sealing
import StrictJSON
package import Vault

extension HomeProvider {
    /// Lets a person sign in.
    ///
    /// - Throws: ``Refusal`` of kind `usage` for a name or password that is not allowed, `conflict` when the name is
    ///   taken.
    package func addPerson(_ name: String, password: Secret) async throws -> Person {
        try await addPerson(name, password: password, authority: "local") { _ in }
    }

    /// The same on some authority, which `spend` uses up in the transaction that adds the person.
    func addPerson(
        _ name: String, password: Secret, authority: String,
        spend: @escaping @Sendable (Transaction) throws -> Void
    ) async throws -> Person {
        try Self.check(name: name, password: password)
        let hash = try await passwords.hash(password, pepper: try await pepper())
        let now = configuration.now()
        let person = Person(id: Random.alphanumerics(24), name: name, createdAt: now)
        try await vault.write { transaction in
            try spend(transaction)
            try transaction.insertPerson(person, password: hash)
            try transaction.audit(
                AuditEntry(
                    actor: .agent, action: "provider.person", subject: "person:\(name)", authority: authority,
                    outcome: "added"), at: now)
        }
        return person
    }

    /// Everybody who may sign in, by name.
    package func people() async throws -> [Person] { try await vault.read { try $0.persons() } }

    /// Removes a person; what the person had allowed ends at once.
    ///
    /// - Throws: ``Refusal`` of kind `notFound`.
    package func removePerson(_ name: String) async throws {
        let now = configuration.now()
        try await vault.write { transaction in
            guard let (person, _) = try transaction.person(named: name) else {
                throw Refusal(
                    .notFound, "no person \(quoted(name))", hint: "run 'keyholder user list' to see those there are")
            }
            let ended = try transaction.removePerson(person, at: now)
            try transaction.audit(
                AuditEntry(
                    actor: .agent, action: "provider.person", subject: "person:\(name)", authority: "local",
                    outcome: "removed", detail: ["grants": .strings(ended)]), at: now)
        }
    }

    static func check(name: String, password: Secret) throws {
        guard isName(name) else {
            throw Refusal(
                .usage, "name \(quoted(name)) is not allowed",
                hint: "use 1 to 32 characters out of a-z, 0-9, '.', '_' and '-'")
        }
        guard (8...1024).contains(password.count) else {
            throw Refusal(.usage, "the password has \(password.count) bytes", hint: "use 8 to 1024")
        }
    }

    /// The secret that is mixed into every password hash.
    func pepper() async throws -> Secret {
        if let key = try await vault.read({ try $0.keys(for: .pepper).first }) { return key.secret }
        let now = configuration.now()
        return try await vault.write { transaction in
            try transaction.key(for: .pepper) {
                StoredKey(id: "pepper", purpose: .pepper, secret: .random(count: 32), createdAt: now, retiredAt: nil)
            }.secret
        }
    }

    static func isName(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || "._-".utf8.contains(byte)
            }
    }
}
