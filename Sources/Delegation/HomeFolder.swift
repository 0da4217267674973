// Where a home's files are, in one place for the daemon and the CLI; nothing else spells these names.

/// The state directory of a home.
package struct HomeFolder: Sendable, Equatable {
    /// Absolute, without a slash at the end.
    package let path: String

    /// Names a folder.
    package init(path: String) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    /// The folder that the environment names: `KEYHOLDER_HOME`, `STATE_DIRECTORY`, or below `XDG_STATE_HOME` or `HOME`.
    ///
    /// - Throws: ``Refusal`` when none of them is set, or the path is not absolute.
    package init(environment: [String: String]) throws(Refusal) {
        let candidates = [
            environment["KEYHOLDER_HOME"], environment["STATE_DIRECTORY"],
            environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : "\($0)/keyholder" },
            environment["HOME"].flatMap { $0.isEmpty ? nil : "\($0)/.local/state/keyholder" },
        ]
        guard let path = candidates.compactMap({ $0 }).first(where: { !$0.isEmpty }) else {
            throw Refusal(.usage, "no state directory", hint: "set KEYHOLDER_HOME to an absolute path")
        }
        guard path.hasPrefix("/") else {
            throw Refusal(.usage, "state directory \(quoted(path)) is not an absolute path", hint: "set KEYHOLDER_HOME")
        }
        self.init(path: path)
    }

    package var configuration: String { "\(path)/config.yaml" }
    package var vault: String { "\(path)/vault.sqlite" }
    package var vaultKey: String { "\(path)/vault.key" }
    package var lock: String { "\(path)/keyholder.lock" }
    package var broker: String { "\(path)/broker" }
    package var profiles: String { "\(path)/device-profiles" }

    /// The control socket.
    ///
    /// - Throws: ``Refusal`` when the path is longer than a socket's may be (107 bytes on Linux).
    package func socket() throws(Refusal) -> String {
        let socket = "\(path)/keyholder.sock"
        guard socket.utf8.count <= 107 else {
            throw Refusal(
                .usage, "the path of the socket has \(socket.utf8.count) bytes, allowed are 107",
                hint: "choose a shorter KEYHOLDER_HOME")
        }
        return socket
    }
}
