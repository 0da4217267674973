// All faults of a file are reported at once, each with its place, what was found and what is allowed.

/// One thing that is wrong in a settings file.
package struct SettingsFault: Sendable, Equatable, CustomStringConvertible {
    package let file: String
    /// 1-based, where the parser knows it.
    package let line: Int?
    /// `operations.lock.unlock.risk`; empty for the file as a whole.
    package let keyPath: String
    package let found: String
    package let allowed: String

    package var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        let key = keyPath.isEmpty ? "" : " \(keyPath):"
        return "\(place):\(key) found \(found), allowed is \(allowed)"
    }
}

/// A settings file that cannot be used; nothing of it was taken.
package struct SettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    package let faults: [SettingsFault]

    package var description: String { faults.map(\.description).joined(separator: "\n") }
}
