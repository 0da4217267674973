// A profile is read from the home's own folder first, then from the one installed beside the program; an edit takes
// effect without a restart.

package import Delegation
import FoundationEssentials

/// Profiles in folders: `<kind>/<model>.yaml` and `providers/<name>.yaml`.
package struct ProfileFolder: ProfileCatalog {
    private let folders: [String]
    private let home: String
    private let api: String
    private let cache = ProfileCache()
    private static let maximumSize = 256 * 1024

    /// Looks in some folders.
    ///
    /// - Parameters:
    ///   - folders: Where to look, in this order; the first one is the home's own.
    ///   - home: The base URL of the home's own provider.
    ///   - api: The base URL of its app API, if that is another one.
    package init(folders: [String], home: String, api: String? = nil) {
        self.folders = folders
        self.home = home
        self.api = api ?? home
    }

    package func deviceProfile(_ reference: ProfileReference) throws -> DeviceProfile {
        let (text, file) = try read("\(reference).yaml", what: "device profile \(quoted(reference.rawValue))")
        return try Self.explained { () throws(SettingsError) in
            try DeviceProfile(yaml: text, reference: reference, file: file)
        }
    }

    package func providerProfile(_ name: ProviderName) throws -> ProviderProfile {
        let path = "providers/\(name).yaml"
        // The states are taken before the texts, so that an edit in between is seen the next time.
        let found = folders.lazy.map { "\($0)/\(path)" }.compactMap { file in FileState(file).map { (file, $0) } }.first
        let state = found.map { ProfileState(profile: $0.1, values: FileState(valuesFile(name))) }
        if let file = found?.0, let state, let known = cache.profile(file, state) { return known }
        let (text, file) = try read(path, what: "provider \(quoted(name.rawValue))")
        let profile = try filled(name, yaml: text, file: file, with: try ProviderValues(file: valuesFile(name)))
        if let state, found?.0 == file { cache.keep(profile, file, state) }
        return profile
    }

    private func valuesFile(_ name: ProviderName) -> String { "\(folders.first ?? ".")/providers/\(name).values" }

    private func filled(
        _ name: ProviderName, yaml: String, file: String, with values: ProviderValues
    ) throws -> ProviderProfile {
        try Self.explained { () throws(SettingsError) in
            let open = try ProviderProfile(yaml: yaml, name: name, file: file, home: home, api: api)
            guard !open.variables.isEmpty else { return open }
            var profile = try ProviderProfile(
                yaml: values.filled(yaml, open.variables), name: name, file: file, home: home, api: api)
            profile.unsetVariables = open.variables.filter { values.values[$0] == nil }
            return profile
        }
    }

    package func setProviderValues(_ name: ProviderName, _ values: [String: String]) throws -> ProviderProfile {
        var known = try ProviderValues(file: valuesFile(name))
        let (text, file) = try read("providers/\(name).yaml", what: "provider \(quoted(name.rawValue))")
        try known.set(values, of: try filled(name, yaml: text, file: file, with: known))
        let profile = try filled(name, yaml: text, file: file, with: known)
        try write(known.text, to: valuesFile(name))
        return profile
    }

    private func write(_ text: String, to file: String) throws {
        try FileManager.default.createDirectory(
            atPath: "\(folders.first ?? ".")/providers", withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: file), options: .atomic)
    }

    package func providerYAML(_ name: ProviderName) throws -> String {
        try read("providers/\(name).yaml", what: "provider \(quoted(name.rawValue))").text
    }

    package func addProviderProfile(_ name: ProviderName, yaml: String) throws -> ProviderProfile {
        let profile = try Self.explained { () throws(SettingsError) in
            try ProviderProfile(yaml: yaml, name: name, file: "\(name).yaml", home: home, api: api)
        }
        try write(yaml, to: "\(folders.first ?? ".")/providers/\(name).yaml")
        return profile
    }

    package func removeProviderProfile(_ name: ProviderName) throws {
        let file = "\(folders.first ?? ".")/providers/\(name).yaml"
        guard FileManager.default.fileExists(atPath: file) else {
            throw Refusal(
                .notFound, "provider \(quoted(name.rawValue)) was not added here",
                hint: "those that ship with Keyholder stay")
        }
        try FileManager.default.removeItem(atPath: file)
    }

    private static func explained<T>(_ read: () throws(SettingsError) -> T) throws(Refusal) -> T {
        do throws(SettingsError) {
            return try read()
        } catch {
            throw Refusal(.usage, error.description, hint: "mend the file; nothing was changed")
        }
    }

    package func providerProfiles() throws -> [ProviderProfile] {
        var names: Set<String> = []
        for folder in folders {
            // A folder that is not there holds nothing; that is how the home's own folder starts.
            for entry in (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/providers")) ?? []
            where entry.hasSuffix(".yaml") {
                names.insert(String(entry.dropLast(5)))
            }
        }
        return try names.sorted().compactMap { ProviderName(rawValue: $0) }.map(providerProfile)
    }

    private func read(_ path: String, what: String) throws -> (text: String, file: String) {
        for folder in folders {
            let file = "\(folder)/\(path)"
            guard FileManager.default.fileExists(atPath: file) else { continue }
            return (try SettingsFile.read(file, maximumSize: Self.maximumSize), file)
        }
        throw Refusal(
            .notFound, "no \(what)", hint: "looked for \(path) in \(folders.joined(separator: " and "))")
    }
}

extension ProfileFolder {
    /// Where profiles may be installed: beside the program, in its `share`, or in a folder above it (a checkout).
    package static func installedFolders() -> [String] {
        // Not readable means not running on Linux's /proc; then there is nothing beside the program to find.
        guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return []
        }
        var parts = program.split(separator: "/").dropLast().map(String.init)
        var folders = ["/" + (parts.dropLast() + ["share", "keyholder", "device-profiles"]).joined(separator: "/")]
        while !parts.isEmpty {
            folders.append("/" + (parts + ["device-profiles"]).joined(separator: "/"))
            parts.removeLast()
        }
        return folders.filter { FileManager.default.fileExists(atPath: $0) }
    }
}
