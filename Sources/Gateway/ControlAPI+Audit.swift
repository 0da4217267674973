// The log is handed out as it is, a line of JSON for each entry; nothing here can change it.

import Hummingbird
import StrictJSON
import Vault

extension ControlAPI {
    func addAudit(to router: Router<ControlContext>) {
        let parts = parts
        router.get("/v1/audit") { request, _ in
            let after = request.uri.queryParameters.get("after", as: Int64.self) ?? 0
            let follows = request.uri.queryParameters.get("follow") == "1"
            return Response(
                status: .ok, headers: [.contentType: "application/x-ndjson", .cacheControl: "no-store"],
                body: ResponseBody(asyncSequence: AuditLines(vault: parts.vault, after: after, follows: follows)))
        }
        router.get("/v1/audit/verify") { _, _ in
            switch try await parts.vault.read({ try $0.verifyAudit() }) {
            case .intact(let entries): Response(json: ["intact": true, "entries": .integer(Int64(entries))])
            case .broken(let place):
                Response(json: ["intact": false, "entries": .integer(place), "broken_at": .integer(place)])
            }
        }
    }
}
