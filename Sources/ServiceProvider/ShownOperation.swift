// What was allowed is shown as long as its device is there, whatever became of the profile that words it: what is not on
// the page cannot be taken back.

import Delegation
import Vault

/// One operation of one device in the words of a page.
struct ShownOperation: Sendable {
    let device: Device
    /// What the device is.
    let kind: String
    let title: String
    let isHighRisk: Bool

    /// In the words of the device's profile.
    init(_ operation: RequestedOperation) {
        device = operation.device
        kind = operation.profile.title
        title = operation.operation.title
        isHighRisk = operation.operation.risk == .high
    }

    /// By the bare names, where no profile says more.
    private init(_ scoped: ScopedOperation, of device: Device) {
        self.device = device
        kind = device.profile.rawValue
        title = scoped.operation
        isHighRisk = false
    }

    /// Stored operations, in order; those of removed devices are left out.
    static func describe(
        _ stored: [ScopedOperation], in transaction: Transaction, profiles: any ProfileCatalog
    ) throws -> [ShownOperation] {
        try stored.compactMap { scoped in
            guard let device = try transaction.device(id: scoped.device), device.state != .removed else { return nil }
            return RequestedOperation.find(scoped, of: device, profiles: profiles).map(ShownOperation.init)
                ?? ShownOperation(scoped, of: device)
        }
    }
}

extension [ShownOperation] {
    /// As the templates show them, grouped by device.
    var shown: [[String: Any]] {
        var groups: [[ShownOperation]] = []
        for operation in self {
            if let index = groups.firstIndex(where: { $0.first?.device.id == operation.device.id }) {
                groups[index].append(operation)
            } else {
                groups.append([operation])
            }
        }
        return groups.map { group in
            [
                "name": group.first?.device.name.rawValue ?? "", "title": group.first?.kind ?? "",
                "operations": group.enumerated().map { index, item -> [String: Any] in
                    ["title": item.title, "high": item.isHighRisk, "last": index == group.count - 1]
                },
            ]
        }
    }
}
