// A resource is the whole API or one device of it, named by the address it is asked under; what a token is for never
// reaches beyond.

import Delegation
import OAuth
import Vault

extension HomeProvider {
    /// The address of one device in the app API.
    func address(of device: String) -> String { "\(configuration.resourceURL)/api/v1/devices/\(device)" }

    /// What of some operations lies within some resources (RFC 8707); without resources all of it.
    ///
    /// - Throws: ``OAuth2Refusal/invalidTarget`` when one of the resources is none of this home's.
    func restrict(
        _ operations: [RequestedOperation], to resource: [String], in transaction: Transaction
    ) throws -> [RequestedOperation] {
        let devices = try devices(of: resource, in: transaction)
        return operations.filter { devices?.contains($0.device.id) ?? true }
    }

    /// The same for resources that were allowed once: what names nothing any more is passed over.
    func restrict(
        _ operations: [RequestedOperation], toStored resource: [String], in transaction: Transaction
    ) throws -> [RequestedOperation] {
        let devices = try devices(of: resource, passingOver: true, in: transaction)
        return operations.filter { devices?.contains($0.device.id) ?? true }
    }

    /// The same for stored operations.
    func restrict(
        _ scopes: [ScopedOperation], to resource: [String], isStored: Bool = false, in transaction: Transaction
    ) throws -> [ScopedOperation] {
        let devices = try devices(of: resource, passingOver: isStored, in: transaction)
        return scopes.filter { devices?.contains($0.device) ?? true }
    }

    /// Whether every wanted resource lies within those that were allowed.
    func isWithin(_ wanted: [String], _ allowed: [String]) -> Bool {
        allowed.isEmpty || allowed.contains(configuration.resourceURL) || wanted.allSatisfy(allowed.contains)
    }

    /// Whether a token for some resources may be presented with a request for a target.
    func isFor(_ audience: [String], target path: String) -> Bool {
        let url = configuration.resourceURL + path
        return audience.contains {
            $0 == configuration.resourceURL || url == $0 || url.hasPrefix($0 + "/")
        }
    }

    /// The ids of the devices that some resources name; `nil` for all of them.
    private func devices(
        of resource: [String], passingOver: Bool = false, in transaction: Transaction
    ) throws -> Set<String>? {
        var devices: Set<String> = []
        var isWhole = resource.isEmpty
        for uri in resource {
            if uri == configuration.resourceURL {
                isWhole = true
                continue
            }
            let prefix = address(of: "")
            let name = String(uri.dropFirst(prefix.count))
            guard uri.hasPrefix(prefix), let device = try device(name, in: transaction) else {
                if passingOver { continue }
                throw OAuth2Refusal.invalidTarget
            }
            devices.insert(device.id)
        }
        return isWhole ? nil : devices
    }

    /// The enrolled device of that name or id.
    func device(_ nameOrID: String, in transaction: Transaction) throws -> Device? {
        let named = try DeviceName(rawValue: nameOrID).flatMap { try transaction.device(named: $0) }
        return try (named ?? transaction.device(id: nameOrID)).flatMap { $0.state == .removed ? nil : $0 }
    }
}
