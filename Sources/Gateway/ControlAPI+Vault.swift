// A copy of the vault is written where nothing is and nothing of the home is, and the log says so before it exists; that
// a vault which may itself be a copy is used again is for its owner to say.

import Delegation
import Glibc
import Granting
import Hummingbird
import Sealing
import StrictJSON
import Vault

extension ControlAPI {
    func addVault(to router: Router<ControlContext>) {
        let parts = parts
        router.post("/v1/quarantine/lift") { _, context in
            try await parts.keeper.liftQuarantine(by: context.requester)
            return Response(json: ["quarantine": .null])
        }
        router.post("/v1/backup") { request, context in
            let path = try await RequestBody(request, context).text("path")
            try parts.checkBackupPlace(path)
            let now = parts.now()
            try await parts.vault.write {
                try $0.audit(
                    AuditEntry(
                        actor: context.requester, action: "vault.backup", subject: "vault", authority: "local",
                        outcome: "begun", detail: ["path": .string(path)]), at: now)
            }
            do {
                try await parts.vault.backup(to: path)
            } catch let error as PrivateFileError {
                throw Refusal(.failure, error.description, hint: "there is no backup")
            } catch VaultError.diskFull(let path) {
                throw Refusal(.failure, VaultError.diskFull(path).description, hint: "there is no backup")
            }
            return Response(
                json: [
                    "backup": [
                        "path": .string(path), "key_source": .string(parts.vault.protection.kind.rawValue),
                    ]
                ], status: .created)
        }
    }
}

extension GatewayParts {
    /// Refuses a place for a backup that is taken, cannot be, or is lost together with the vault.
    fileprivate func checkBackupPlace(_ path: String) throws(Refusal) {
        guard path.hasPrefix("/"), !path.hasSuffix("/"), !path.utf8.contains(0), let slash = path.lastIndex(of: "/")
        else { throw Refusal(.usage, "path is \(quoted(path)), allowed is the absolute path of a file") }
        var status = stat()
        guard lstat(path, &status) != 0 else {
            throw Refusal(.conflict, "there already is something at \(quoted(path))", hint: "nothing was written")
        }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        guard let place = Self.resolved(folder) else {
            throw Refusal(
                .usage, "there is no folder \(quoted(folder)): \(String(cString: strerror(errno)))",
                hint: "nothing was written")
        }
        guard let own = Self.resolved(home.path), place != own, !place.hasPrefix(own + "/") else {
            throw Refusal(
                .usage, "\(quoted(path)) is inside the home, and would be lost with it",
                hint: "choose a place on another disk")
        }
    }

    private static func resolved(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }
}
