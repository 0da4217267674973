// A password hash takes a good part of a second and 72 MB, so there is one at a time, on a thread of its own, and a
// short queue: who floods the sign-in page does not take the hub down.

import Dispatch
import Sealing
import Synchronization
import Vault

/// Makes and checks password hashes, one after the other.
final class PasswordQueue: Sendable {
    /// How many may wait?
    private static let limit = 8

    private let queue = DispatchQueue(label: "keyholder.passwords")
    private let waiting = Mutex(0)
    private let cost: Scrypt
    /// Checked when there is no such person, so that this takes as long.
    private let decoy: PasswordHash

    init(cost: Scrypt) {
        self.cost = cost
        decoy = PasswordHash(salt: Random.bytes(16), cost: cost, hash: Random.bytes(32))
    }

    /// Hashes a new password.
    ///
    /// - Throws: ``ProviderFault/tooOften(seconds:)`` when too many wait.
    func hash(_ password: Secret, pepper: Secret) async throws -> PasswordHash {
        let salt = Random.bytes(16)
        let hash = try await derive(password, pepper: pepper, salt: salt, cost: cost)
        return PasswordHash(salt: salt, cost: cost, hash: hash.revealBytes())
    }

    /// Whether a password is right; without a hash to check against it takes as long and is not.
    ///
    /// - Throws: ``ProviderFault/tooOften(seconds:)`` when too many wait.
    func isRight(_ password: Secret, for hash: PasswordHash?, pepper: Secret) async throws -> Bool {
        let expected = hash ?? decoy
        let found = try await derive(password, pepper: pepper, salt: expected.salt, cost: expected.cost)
        return found.matches(Secret(expected.hash)) && hash != nil
    }

    private func derive(_ password: Secret, pepper: Secret, salt: [UInt8], cost: Scrypt) async throws -> Secret {
        let admitted = waiting.withLock { count in
            guard count < Self.limit else { return false }
            count += 1
            return true
        }
        guard admitted else { throw ProviderFault.tooOften(seconds: 5) }
        defer { waiting.withLock { $0 -= 1 } }
        return try await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Secret, any Error>, Never>) in
            queue.async {
                continuation.resume(
                    returning: Result {
                        let peppered = Secret(HMAC.code(password.revealBytes(), key: pepper, hash: .sha256))
                        return try cost.derive(from: peppered, salt: salt)
                    })
            }
        }.get()
    }
}
