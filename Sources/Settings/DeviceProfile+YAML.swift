// A device profile is taken whole or not at all.

package import Delegation

extension DeviceProfile {
    /// Reads a device profile.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - reference: What the file's place says it is; the file must say the same.
    ///   - file: The file's name, for errors.
    /// - Throws: ``SettingsError`` with every fault of the file.
    package init(yaml: String, reference: ProfileReference, file: String) throws(SettingsError) {
        let faults = FaultList(file: file)
        guard let root = StrictSection.root(of: yaml, file: file, faults: faults) else {
            throw SettingsError(faults: faults.faults)
        }
        _ = root.text("profile", allowed: "\"\(reference)\", as the file's place says") { $0 == reference.rawValue }
        let title = root.text("title")
        let maker = root.text("maker")
        let provider = root.parsed("provider", allowed: "the name of a provider profile") { ProviderName(rawValue: $0) }
        let stateSection = root.section("state")
        let state = stateSection.map(Self.readState) ?? []
        let places = EffectPlaces(fields: state, fieldNames: stateSection?.keys)
        let operations = root.section("operations").map { Self.readOperations($0, places) } ?? []
        if root.keys.contains("operations"), operations.isEmpty, faults.faults.isEmpty {
            faults.add(root.node, "operations", found: "no operation", allowed: "at least one operation")
        }
        let shown = root.section("home_assistant")
        let component = shown?.text(
            "component", allowed: "one of lock, climate, switch, alarm_control_panel",
            check: { ["lock", "climate", "switch", "alarm_control_panel"].contains($0) })
        shown?.finish()
        root.finish()
        guard faults.faults.isEmpty, let title, let maker, let provider, let component else {
            throw SettingsError(faults: faults.faults)
        }
        self.init(
            reference: reference, title: title, maker: maker, provider: provider, operations: operations,
            state: state, homeAssistantComponent: component)
    }

    private static func readState(_ section: StrictSection) -> [StateField] {
        let fields = section.keys.compactMap { name -> StateField? in
            guard let field = section.section(name) else { return nil }
            let kind = readKind(field)
            let initial = field.text("initial", allowed: kind?.allowed ?? "a value of the field's type") { text in
                kind?.value(of: text) != nil || kind == nil
            }
            field.finish()
            guard let kind, let initial else { return nil }
            return StateField(name: name, kind: kind, initial: initial)
        }
        section.finish()
        return fields
    }

    /// What an effect may name; fields that are there but at fault are known by name only, so that one mistake is told
    /// once.
    private struct EffectPlaces {
        let fields: [StateField]
        /// `nil` when there is no mapping of fields at all.
        let fieldNames: [String]?
    }

    private static func readOperations(_ section: StrictSection, _ places: EffectPlaces) -> [OperationProfile] {
        let operations = section.keys.compactMap { name -> OperationProfile? in
            guard let operation = section.section(name) else { return nil }
            guard isOperationName(name) else {
                section.faults.add(
                    operation.node, operation.keyPath, found: quoted(name),
                    allowed: "a name like lock.unlock, out of a-z, '_' and one '.', not dac.")
                return nil
            }
            let title = operation.text("title")
            let risk = operation.choice("risk", of: Risk.self)
            let argumentSection = operation.section("arguments", required: false)
            let arguments = argumentSection.map(readArguments) ?? []
            let effect = operation.section("effect", required: false).map {
                readEffect($0, arguments: argumentSection?.keys ?? [], places)
            }
            operation.finish()
            guard let title, let risk else { return nil }
            return OperationProfile(name: name, title: title, risk: risk, arguments: arguments, effect: effect ?? [])
        }
        section.finish()
        return operations
    }

    private static func readArguments(_ section: StrictSection) -> [ArgumentProfile] {
        let arguments = section.keys.compactMap { name -> ArgumentProfile? in
            guard let argument = section.section(name) else { return nil }
            let title = argument.text("title")
            let kind = readKind(argument)
            let required = argument.flag("required", required: true)
            argument.finish()
            guard let title, let kind, let required else { return nil }
            return ArgumentProfile(name: name, title: title, kind: kind, required: required)
        }
        section.finish()
        return arguments
    }

    private static func readEffect(
        _ section: StrictSection, arguments: [String], _ places: EffectPlaces
    ) -> [OperationProfile.Effect] {
        let effects = section.keys.compactMap { name -> OperationProfile.Effect? in
            let isField = places.fieldNames?.contains(name) ?? true
            let names = arguments.map { "$\($0)" }
            let allowed = (["a value of the state field"] + names).joined(separator: " or ")
            let value = section.text(name, allowed: isField ? allowed : "a field of state") { text in
                guard let field = places.fields.first(where: { $0.name == name }) else { return isField }
                return names.contains(text) || field.kind.value(of: text) != nil
            }
            return value.map { OperationProfile.Effect(field: name, value: $0) }
        }
        section.finish()
        return effects
    }

    private enum KindName: String, CaseIterable { case integer, choice, flag }

    private static func readKind(_ section: StrictSection) -> ArgumentProfile.Kind? {
        switch section.choice("type", of: KindName.self) {
        case nil:
            section.overlook("choices", "minimum", "maximum")
            return nil
        case .flag: return .flag
        case .choice:
            guard let choices = section.texts("choices", check: { !$0.isEmpty }) else { return nil }
            guard !choices.isEmpty, Set(choices).count == choices.count else {
                section.faults.add(
                    section.node, section.path("choices"),
                    found: "\(choices.count) choices, \(Set(choices).count) different",
                    allowed: "one choice or more, each once")
                return nil
            }
            return .choice(choices)
        case .integer:
            let whole: ClosedRange<Int64> = 0...(1 << 53 - 1)
            let minimum = section.integer("minimum", in: whole)
            let maximum = section.integer("maximum", in: (minimum ?? 0)...whole.upperBound)
            guard let minimum, let maximum else { return nil }
            return .integer(minimum: minimum, maximum: maximum)
        }
    }

    private static func isOperationName(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        // `dac.` is the protocol's own.
        return parts.count == 2 && text.utf8.count <= 64 && !text.hasPrefix("dac.")
            && parts.allSatisfy { part in
                !part.isEmpty && part.allSatisfy { (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "_") }
            }
    }
}
