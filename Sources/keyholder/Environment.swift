// The environment is read for names of places only.

import Glibc

enum Environment {
    /// The variables that decide where the home is.
    static var variables: [String: String] {
        var found: [String: String] = [:]
        for name in ["KEYHOLDER_HOME", "STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"] {
            if let value = getenv(name) { found[name] = String(cString: value) }
        }
        return found
    }
}
