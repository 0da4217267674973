// The reasons why the daemon does not start at all have exit codes of their own, so that a supervisor can tell them.

import Delegation

/// A start that failed.
struct StartFailure: Error {
    let refusal: Refusal
    let exitCode: Int32

    /// Another daemon serves this home.
    static func alreadyRunning(_ path: String) -> StartFailure {
        StartFailure(
            refusal: Refusal(.conflict, "another daemon serves \(quoted(path))", hint: "stop it first"), exitCode: 10)
    }

    /// The store cannot be written.
    static func readOnly(_ path: String) -> StartFailure {
        StartFailure(
            refusal: Refusal(
                .failure, "the store is read-only: \(quoted(path))", hint: "mount it for writing and start again"),
            exitCode: 11)
    }

    /// The vault is not usable as it is; nothing was changed.
    static func vault(_ reason: String) -> StartFailure {
        StartFailure(
            refusal: Refusal(.failure, reason, hint: "nothing was changed; restore a backup, or ask before you delete"),
            exitCode: 12)
    }
}
