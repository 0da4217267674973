// What a profile leaves open for each home, such as the id of the owner's own project, stands beside the home's profiles;
// a value is filled in before the profile is read, so it is checked like everything else in it.

import Delegation
import FoundationEssentials

/// The values of one provider's variables: lines of `name: value`.
struct ProviderValues {
    private(set) var values: [String: String]

    /// Reads the file of a provider; without one there are no values.
    init(file: String) throws(Refusal) {
        guard FileManager.default.fileExists(atPath: file) else {
            values = [:]
            return
        }
        let faults = FaultList(file: file)
        let root = StrictSection.root(of: try SettingsFile.read(file), file: file, faults: faults)
        var found: [String: String] = [:]
        for name in root?.keys ?? [] {
            found[name] = root?.text(name, allowed: Self.allowed, check: Self.isValue)
        }
        guard faults.faults.isEmpty else { throw Refusal(.usage, SettingsError(faults: faults.faults).description) }
        values = found
    }

    /// Sets values.
    ///
    /// - Throws: ``Refusal`` of kind `usage` for a variable that the profile does not have, or a value that is not allowed.
    mutating func set(_ pairs: [String: String], of profile: ProviderProfile) throws(Refusal) {
        for (name, value) in pairs.sorted(by: { $0.key < $1.key }) {
            guard profile.variables.contains(name) else {
                let has = profile.variables.isEmpty ? "none" : profile.variables.joined(separator: ", ")
                throw Refusal(
                    .usage, "provider \(quoted(profile.name.rawValue)) has no variable \(quoted(name))",
                    hint: "it has \(has)")
            }
            guard Self.isValue(value) else {
                throw Refusal(.usage, "\(name) is \(quoted(value)), allowed is \(Self.allowed)")
            }
            values[name] = value
        }
    }

    /// The profile's text with each variable that has a value filled in.
    func filled(_ yaml: String, _ variables: [String]) -> String {
        variables.reduce(yaml) { text, name in
            guard let value = values[name] else { return text }
            return text.split(separator: "{\(name)}", omittingEmptySubsequences: false).joined(separator: value)
        }
    }

    /// The file's text.
    var text: String { values.sorted { $0.key < $1.key }.map { "\($0.key): \"\($0.value)\"\n" }.joined() }

    private static let allowed = "1 to 200 of A-Z, a-z, 0-9, '.', '_' and '-'"

    private static func isValue(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    }
}
