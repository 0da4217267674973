// A reply that the disk did not take is the only copy of a rotated token: it is held until the disk takes it, and nothing
// else is asked of the provider meanwhile.

import Delegation
import OAuth
import ProviderClient
import Sealing
import Vault

/// A reply to a refresh that is not on the disk.
struct UnkeptReply: Sendable {
    let generation: Int
    let body: Secret
}

extension Keeper {
    /// Makes a reply durable; when the vault cannot, the reply stays here for the next attempt.
    ///
    /// - Throws: What the vault throws. A sealed vault takes the reply away.
    func keep(_ reply: UnkeptReply, of id: GrantID) async throws {
        unkept[id] = reply
        do {
            _ = try await committed { try $0.stageReply(reply.body, of: id, generation: reply.generation) }
            unkept[id] = nil
        } catch VaultError.sealed {
            unkept[id] = nil
            throw VaultError.sealed
        }
    }

    /// Gives back the tokens of a reply whose grant has ended before the disk took it.
    func disclaimUnkept(_ id: GrantID) async throws {
        guard let reply = unkept.removeValue(forKey: id),
            let record = try await vault.read({ try $0.grant(id: id) }),
            let options = try? remote(record.grant.provider).tokenReplyOptions.reply,
            let parsed = try? TokenReply.parse(reply.body.revealBytes(), options: options)
        else { return }
        let tokens = GrantTokens(
            accessToken: parsed.accessToken, tokenSecret: nil, refreshToken: parsed.refreshToken,
            tokenType: parsed.tokenType.name)
        await disclaim(tokens, of: record)
    }

    /// Tries at once to make durable what is not; with the time that ``settle(within:)`` gives.
    func retryKeeping() { for id in unkept.keys { _ = beginRefresh(id) } }
}
