// How a grant is, said so that a person knows whether there is anything to do, and by when.

import StrictJSON

enum GrantHealth {
    /// Rows for the table of one grant.
    static func rows(_ health: JSON) -> [[String]] {
        var rows = [["health", health.cell("verdict").words]]
        if let reason = health["reason"]?.string { rows.append(["reason", reason]) }
        if let failures = health["failures"]?.integer, failures > 0 {
            rows.append(["failures", "\(failures) in a row"])
        }
        if let next = health["next_attempt"]?.integer { rows.append(["next refresh", "in \(span(next))"]) }
        if let end = health["approval_ends"]?.string {
            rows.append(["forecast", "needs approval on \(end.prefix(10))"])
        }
        if let rotation = health["rotation"]?.string { rows.append(["rotation", rotation]) }
        return rows
    }

    /// What is worth a word in a list; `nil` when all is well for now.
    static func worry(_ health: JSON) -> String? {
        let verdict = health.cell("verdict")
        if !["well", "-"].contains(verdict) {
            return verdict.words + (health["next_attempt"]?.integer.map { ", tried again in \(span($0))" } ?? "")
        }
        return health["approval_ends"]?.string.map { "needs approval on \($0.prefix(10))" }
    }

    private static func span(_ seconds: Int64) -> String {
        switch seconds {
        case ..<120: "\(max(0, seconds)) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }
}

extension String {
    /// A word of the API as a person reads it: `needs_approval` is "needs approval".
    var words: String { String(map { $0 == "_" ? " " : $0 }) }
}
