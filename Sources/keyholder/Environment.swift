// The environment is read for names of places and for patience, never for a secret.

import Delegation
import Glibc

enum Environment {
    /// The variables that decide where the home is.
    static var variables: [String: String] {
        var found: [String: String] = [:]
        for name in ["KEYHOLDER_HOME", "STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"] {
            if let value = text(name) { found[name] = value }
        }
        return found
    }

    /// Seconds for which the daemon is given to answer what it does not wait for itself: `KEYHOLDER_TIMEOUT`, or two
    /// minutes, which is longer than anything it does with a provider or a device.
    ///
    /// - Throws: ``Refusal`` when the variable is no duration.
    static func patience() throws(Refusal) -> Int {
        guard let value = text("KEYHOLDER_TIMEOUT"), !value.isEmpty else { return 120 }
        guard let patience = try? seconds(value), patience > 0 else {
            throw Refusal(
                .usage, "KEYHOLDER_TIMEOUT is \(quoted(value)), allowed is a duration such as 30s or 2m, up to 24h")
        }
        return patience
    }

    private static func text(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
