// The simulated thing does what its profile says an operation does; this is where a maker would move a bolt instead.

import Delegation
import StrictJSON

/// A thing whose whole behaviour is its profile.
struct Thing {
    private let profile: DeviceProfile
    private(set) var fields: [String: JSON]

    /// Takes up the kept state; fields that the profile no longer allows start afresh.
    init(profile: DeviceProfile, kept: JSON?) {
        self.profile = profile
        fields = [:]
        for field in profile.state {
            if let value = kept?[field.name], field.kind.accepts(value) {
                fields[field.name] = value
            } else {
                fields[field.name] = field.kind.value(of: field.initial)
            }
        }
    }

    /// The state, fields in the profile's order.
    var state: JSON { .object(profile.state.compactMap { field in fields[field.name].map { .init(field.name, $0) } }) }

    /// Does an operation whose arguments were checked.
    mutating func perform(_ name: String, _ args: JSON) {
        guard let operation = profile.operations.first(where: { $0.name == name }) else { return }
        for effect in operation.effect {
            if effect.value.hasPrefix("$") {
                // An optional argument that was not given changes nothing.
                if let value = args[String(effect.value.dropFirst())] { fields[effect.field] = value }
            } else if let field = profile.state.first(where: { $0.name == effect.field }) {
                fields[effect.field] = field.kind.value(of: effect.value)
            }
        }
    }
}
