// A key nobody asked for is a fault: a misspelt setting must never silently become a default.

import Delegation
import Yams

/// Collects the faults of one file while it is read.
final class FaultList {
    let file: String
    private(set) var faults: [SettingsFault] = []

    init(file: String) { self.file = file }

    func add(_ node: Node?, _ keyPath: String, found: String, allowed: String) {
        add(line: node?.mark?.line, keyPath, found: found, allowed: allowed)
    }

    func add(line: Int?, _ keyPath: String, found: String, allowed: String) {
        faults.append(SettingsFault(file: file, line: line, keyPath: keyPath, found: found, allowed: allowed))
    }
}

/// One mapping of a YAML file, read key by key; every reader notes a fault and returns `nil` for what is wrong.
final class StrictSection {
    let keyPath: String
    let faults: FaultList
    /// Where the mapping stands in the file.
    let node: Node
    private let values: [(key: String, node: Node)]
    private var asked: Set<String> = []

    /// Opens the root mapping of a file.
    static func root(of text: String, file: String, faults: FaultList) -> StrictSection? {
        guard !mayHoldAliases(text) else {
            faults.add(nil, "", found: "an anchor and an alias", allowed: "every value written where it belongs")
            return nil
        }
        do {
            guard let node = try Yams.compose(yaml: text) else {
                faults.add(nil, "", found: "an empty file", allowed: "a mapping of settings")
                return nil
            }
            return StrictSection(node: node, keyPath: "", faults: faults)
        } catch let error as YamlError {
            let (line, found) = explain(error)
            faults.add(line: line, "", found: found, allowed: "valid YAML without duplicate keys")
            return nil
        } catch {
            faults.add(nil, "", found: "unreadable YAML", allowed: "valid YAML without duplicate keys")
            return nil
        }
    }

    init?(node: Node, keyPath: String, faults: FaultList) {
        guard case .mapping(let mapping) = node else {
            faults.add(node, keyPath, found: Self.shown(node), allowed: "a mapping")
            return nil
        }
        var values: [(String, Node)] = []
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                faults.add(key, keyPath, found: Self.shown(key), allowed: "a text as key")
                continue
            }
            values.append((name, value))
        }
        self.node = node
        self.keyPath = keyPath
        self.faults = faults
        self.values = values
    }

    /// The keys in the order of the file.
    var keys: [String] { values.map(\.key) }

    /// Notes every key that no reader asked for; call it last.
    func finish() {
        let allowed = asked.sorted().joined(separator: ", ")
        for (key, value) in values where !asked.contains(key) {
            faults.add(value, path(key), found: "the unknown key \(quoted(key))", allowed: allowed)
        }
    }

    /// Keeps ``finish()`` from calling these unknown, where what they would mean is itself at fault.
    func overlook(_ keys: String...) { asked.formUnion(keys) }

    func path(_ key: String) -> String { keyPath.isEmpty ? key : "\(keyPath).\(key)" }

    private func take(_ key: String, required: Bool, allowed: String) -> Node? {
        asked.insert(key)
        if let value = values.first(where: { $0.key == key })?.node { return value }
        if required { faults.add(node, path(key), found: "nothing", allowed: allowed) }
        return nil
    }

    /// A text that `check` accepts.
    func text(_ key: String, required: Bool = true, allowed: String = "a text", check: (String) -> Bool = { _ in true })
        -> String?
    {
        guard let value = take(key, required: required, allowed: allowed) else { return nil }
        guard let text = value.scalar?.string, !text.isEmpty, text.utf8.count <= 4096, check(text) else {
            faults.add(value, path(key), found: Self.shown(value), allowed: allowed)
            return nil
        }
        return text
    }

    /// A text that stands for one value of a type.
    func parsed<T>(_ key: String, required: Bool = true, allowed: String, _ parse: (String) -> T?) -> T? {
        guard let text = text(key, required: required, allowed: allowed, check: { parse($0) != nil }) else {
            return nil
        }
        return parse(text)
    }

    /// One case of an enumeration, by its raw value.
    func choice<T: RawRepresentable & CaseIterable>(_ key: String, of type: T.Type, required: Bool = true) -> T?
    where T.RawValue == String {
        let allowed = "one of \(T.allCases.map(\.rawValue).joined(separator: ", "))"
        return parsed(key, required: required, allowed: allowed) { T(rawValue: $0) }
    }

    /// An integer within bounds.
    func integer(_ key: String, in range: ClosedRange<Int64>, required: Bool = true) -> Int64? {
        parsed(key, required: required, allowed: "an integer from \(range.lowerBound) to \(range.upperBound)") { text in
            Int64(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// `true` or `false`, nothing else that YAML calls a truth value.
    func flag(_ key: String, required: Bool = false) -> Bool? {
        parsed(key, required: required, allowed: "true or false") { ["true": true, "false": false][$0] }
    }

    /// A whole number with its unit: `90s`, `10m`, `12h`.
    func duration(_ key: String, in range: ClosedRange<Duration>, required: Bool = true) -> Duration? {
        let allowed = "a duration from \(range.lowerBound.short) to \(range.upperBound.short), such as 90s, 10m or 12h"
        return parsed(key, required: required, allowed: allowed) { text in
            Duration(short: text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A list of texts; `nil` when one of them is wrong.
    func texts(_ key: String, required: Bool = true, allowed: String = "a list of texts", check: (String) -> Bool)
        -> [String]?
    {
        guard let value = take(key, required: required, allowed: allowed) else { return nil }
        guard case .sequence(let sequence) = value else {
            faults.add(value, path(key), found: Self.shown(value), allowed: allowed)
            return nil
        }
        var texts: [String] = []
        for (index, element) in sequence.enumerated() {
            guard let text = element.scalar?.string, check(text) else {
                faults.add(element, "\(path(key))[\(index)]", found: Self.shown(element), allowed: allowed)
                continue
            }
            texts.append(text)
        }
        return texts.count == sequence.count ? texts : nil
    }

    /// A mapping of texts to texts.
    func textPairs(_ key: String) -> [String: String] {
        guard let section = section(key, required: false) else { return [:] }
        var pairs: [String: String] = [:]
        for name in section.keys { pairs[name] = section.text(name) }
        return pairs
    }

    /// A mapping of texts to cases of an enumeration.
    func choices<T: RawRepresentable & CaseIterable>(_ key: String, of type: T.Type) -> [String: T]
    where T.RawValue == String {
        guard let section = section(key, required: false) else { return [:] }
        var pairs: [String: T] = [:]
        for name in section.keys { pairs[name] = section.choice(name, of: type) }
        return pairs
    }

    /// Notes that keys that are each well written do not go together; `key` is the one to mend.
    func fault(_ key: String, allowed: String) {
        let found = values.first { $0.key == key }?.node
        faults.add(found ?? node, path(key), found: found.map(Self.shown) ?? "nothing", allowed: allowed)
    }

    /// A nested mapping.
    func section(_ key: String, required: Bool = true) -> StrictSection? {
        guard let value = take(key, required: required, allowed: "a mapping") else { return nil }
        return StrictSection(node: value, keyPath: path(key), faults: faults)
    }

    private static func shown(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): quoted(scalar.string)
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}
