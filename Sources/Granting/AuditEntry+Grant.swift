// One shape for every line about a grant or a consumer: the device or provider is the subject, the grant the authority.

import Delegation
import StrictJSON
import Vault

extension AuditEntry {
    static func about(
        _ grant: Grant, by actor: Requester, _ action: String, _ outcome: String, _ detail: JSON = [:]
    ) -> AuditEntry {
        AuditEntry(
            actor: actor, action: action, subject: grant.device.rawValue, authority: grant.id.rawValue,
            outcome: outcome, detail: detail)
    }

    static func about(_ consumer: Consumer, by actor: Requester, _ action: String, _ outcome: String) -> AuditEntry {
        AuditEntry(
            actor: actor, action: action, subject: consumer.provider.rawValue, authority: "local", outcome: outcome,
            detail: ["key": .string(consumer.key)])
    }
}
