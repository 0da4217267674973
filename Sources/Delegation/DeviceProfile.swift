// A profile is data about a kind of device. Everything a person may ask of the device, with bounds, is in it; nothing
// that is not in it can be asked.

package import StrictJSON

/// What a kind of device can do, with whom its grant is made, and how it is shown.
package struct DeviceProfile: Sendable, Equatable {
    package let reference: ProfileReference
    /// For people: "Demo lock".
    package let title: String
    package let maker: String
    /// The provider that a grant for such a device is asked from by default.
    package let provider: ProviderName
    package let operations: [OperationProfile]
    package let state: [StateField]
    /// The Home Assistant component that shows it, such as `lock`.
    package let homeAssistantComponent: String

    /// Assembles a profile that was already checked.
    package init(
        reference: ProfileReference, title: String, maker: String, provider: ProviderName,
        operations: [OperationProfile], state: [StateField], homeAssistantComponent: String
    ) {
        self.reference = reference
        self.title = title
        self.maker = maker
        self.provider = provider
        self.operations = operations
        self.state = state
        self.homeAssistantComponent = homeAssistantComponent
    }

    /// The operation of that name.
    ///
    /// - Throws: ``Refusal`` of kind `usage` that lists the operations there are.
    package func operation(_ name: String) throws(Refusal) -> OperationProfile {
        guard let operation = operations.first(where: { isSame($0.name, name) }) else {
            throw Refusal(
                .usage, "\(reference) has no operation \(quoted(name))",
                hint: "it has \(operations.map(\.name).joined(separator: ", "))")
        }
        return operation
    }
}

/// How much harm a command can do in the wrong hands.
package enum Risk: String, Sendable, CaseIterable {
    /// Signed, fresh, in order.
    case low
    /// Also needs a one-shot challenge of the device: unlock, open, disarm.
    case high
}

/// One absolute operation of a device; there are no toggles.
package struct OperationProfile: Sendable, Equatable {
    /// `lock.unlock`.
    package let name: String
    /// In plain words, for the consent page: "Unlock the door".
    package let title: String
    package let risk: Risk
    package let arguments: [ArgumentProfile]
    /// What a simulated device's state becomes: field to a literal, or to `$argument`.
    package let effect: [Effect]

    /// One field that an operation sets.
    package struct Effect: Sendable, Equatable {
        package let field: String
        package let value: String

        /// Names the field and the literal or `$argument` it takes.
        package init(field: String, value: String) {
            self.field = field
            self.value = value
        }
    }

    /// Assembles an operation that was already checked.
    package init(name: String, title: String, risk: Risk, arguments: [ArgumentProfile], effect: [Effect]) {
        self.name = name
        self.title = title
        self.risk = risk
        self.arguments = arguments
        self.effect = effect
    }
}

/// One argument of an operation, bounded.
package struct ArgumentProfile: Sendable, Equatable {
    /// What values are allowed.
    package enum Kind: Sendable, Equatable {
        /// Both bounds inclusive; the unit is in the argument's name (`t_mC`: thousandths of a degree Celsius).
        case integer(minimum: Int64, maximum: Int64)
        case choice([String])
        case flag
    }

    package let name: String
    package let title: String
    package let kind: Kind
    package let required: Bool

    /// Assembles an argument that was already checked.
    package init(name: String, title: String, kind: Kind, required: Bool) {
        self.name = name
        self.title = title
        self.kind = kind
        self.required = required
    }
}

/// One field of a device's state.
package struct StateField: Sendable, Equatable {
    package let name: String
    package let kind: ArgumentProfile.Kind
    /// What a simulated device starts with, as text.
    package let initial: String

    /// Assembles a field that was already checked.
    package init(name: String, kind: ArgumentProfile.Kind, initial: String) {
        self.name = name
        self.kind = kind
        self.initial = initial
    }
}

extension ArgumentProfile.Kind {
    /// What is allowed, in words.
    package var allowed: String {
        switch self {
        case .integer(let minimum, let maximum): "an integer from \(minimum) to \(maximum)"
        case .choice(let choices): "one of \(choices.joined(separator: ", "))"
        case .flag: "true or false"
        }
    }

    /// The value that a text means, or `nil` when it is not allowed.
    package func value(of text: String) -> JSON? {
        switch self {
        case .integer(let minimum, let maximum):
            guard let number = Int64(text), String(number) == text, (minimum...maximum).contains(number) else {
                return nil
            }
            return .integer(number)
        case .choice(let choices): return choices.contains { isSame($0, text) } ? .string(text) : nil
        case .flag: return ["true": JSON.bool(true), "false": .bool(false)][text]
        }
    }

    /// Whether a JSON value is allowed.
    package func accepts(_ value: JSON) -> Bool {
        switch (self, value) {
        case (.integer(let minimum, let maximum), .integer(let number)): (minimum...maximum).contains(number)
        case (.choice(let choices), .string(let text)): choices.contains { isSame($0, text) }
        case (.flag, .bool): true
        default: false
        }
    }
}
