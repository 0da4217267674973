// The device's limits are those of its own copy of the profile.

import CommandProtocol
import Delegation

extension DeviceProfile {
    /// What the device can do and with which arguments, as the verifier wants it.
    var policy: CommandPolicy {
        var table: [String: OperationArguments] = [DeviceRuntime.ping: .none]
        for operation in operations {
            table[operation.name] = OperationArguments(
                operation.arguments.map { argument in
                    switch argument.kind {
                    case .integer(let minimum, let maximum):
                        .init(argument.name, .integer(min: minimum, max: maximum), required: argument.required)
                    case .choice(let choices): .init(argument.name, .choice(choices), required: argument.required)
                    case .flag: .init(argument.name, .boolean, required: argument.required)
                    }
                })
        }
        return CommandPolicy(
            operations: table, highRisk: Set(operations.filter { $0.risk == .high }.map(\.name)))
    }
}
