// What people were told can be read again, in the order in which it was told.

import Delegation
import FoundationEssentials
import Hummingbird
import StrictJSON
import Vault

extension ControlAPI {
    func addNotices(to router: Router<ControlContext>) {
        let parts = parts
        router.get("/v1/notices") { request, _ in
            let after = try request.wholeNumber("after", in: 0...Int64.max) ?? 0
            let (notices, open) = try await parts.vault.read {
                (try $0.notices(after: after, limit: 500), Set(try $0.openNotices().map(\.seq)))
            }
            return Response(json: ["notices": .array(notices.map { $0.json(isOpen: open.contains($0.seq)) })])
        }
    }
}

extension Notice {
    /// The notice; `isOpen` says whether its trouble is not over.
    func json(isOpen: Bool) -> JSON {
        .compact([
            "seq": .integer(seq), "at": .string(at.rfc3339), "kind": .string(kind.rawValue),
            "subject": .string(subject), "device": device.map { .string($0.rawValue) },
            "provider": provider.map { .string($0.rawValue) }, "text": .string(text), "hint": hint.map(JSON.string),
            "open": .bool(isOpen),
        ])
    }
}
