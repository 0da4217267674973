// A scope is `<operation>@<device>`; it means something only as long as the device is enrolled and its profile has the
// operation. What is resolved here is stored by device id, and taking it back never depends on a profile.

import Delegation
import OAuth
import Vault

/// One operation of one device that a consumer asks for, as a person reads it.
struct RequestedOperation: Sendable {
    let device: Device
    let profile: DeviceProfile
    let operation: OperationProfile

    var scoped: ScopedOperation { ScopedOperation(operation.name, device: device.id) }
    /// As a consumer writes it.
    var scope: String { "\(operation.name)@\(device.name)" }

    /// What scopes mean today, in order.
    ///
    /// - Returns: `nil` when one of them means nothing.
    static func resolve(
        _ scopes: [String], in transaction: Transaction, profiles: any ProfileCatalog
    ) throws -> [RequestedOperation]? {
        var operations: [RequestedOperation] = []
        var known = KnownProfiles(profiles)
        for scope in scopes {
            let parts = scope.split(separator: "@", omittingEmptySubsequences: false)
            guard parts.count == 2, let name = DeviceName(rawValue: String(parts[1])),
                let device = try transaction.device(named: name)
            else { return nil }
            let profile = try known.profile(of: device)
            guard let operation = profile.operations.first(where: { $0.name == parts[0] }) else { return nil }
            operations.append(RequestedOperation(device: device, profile: profile, operation: operation))
        }
        return operations
    }

    /// What stored operations mean today; those of removed devices or of nothing in a profile are left out.
    static func resolve(
        _ stored: [ScopedOperation], in transaction: Transaction, profiles: any ProfileCatalog
    ) throws -> [RequestedOperation] {
        var known = KnownProfiles(profiles)
        return try stored.compactMap { scoped in
            guard let device = try transaction.device(id: scoped.device), device.state != .removed else { return nil }
            let profile = try known.profile(of: device)
            return profile.operations.first { $0.name == scoped.operation }
                .map { RequestedOperation(device: device, profile: profile, operation: $0) }
        }
    }

    /// As ``resolve(_:in:profiles:)``, without the operations of devices whose profile cannot be read just now: what is
    /// only described must not fail because of one broken file.
    static func readable(
        _ stored: [ScopedOperation], in transaction: Transaction, profiles: any ProfileCatalog
    ) throws -> [RequestedOperation] {
        try stored.compactMap { scoped in
            guard let device = try transaction.device(id: scoped.device), device.state != .removed else { return nil }
            return find(scoped, of: device, profiles: profiles)
        }
    }

    static func find(
        _ scoped: ScopedOperation, of device: Device, profiles: any ProfileCatalog
    ) -> RequestedOperation? {
        guard let profile = try? profiles.deviceProfile(device.profile) else { return nil }
        return profile.operations.first { $0.name == scoped.operation }
            .map { RequestedOperation(device: device, profile: profile, operation: $0) }
    }

    /// Scopes without those that clients of OpenID Connect send everywhere: there is no such thing here, and leaving out
    /// what is not granted is allowed (RFC 6749 §3.3).
    ///
    /// - Throws: ``OAuth2Refusal/invalidScope`` when nothing else was asked for: that is not to ask for everything.
    static func withoutOpenID(_ scopes: [String]) throws(OAuth2Refusal) -> [String] {
        let rest = scopes.filter { $0 != "openid" && $0 != "offline_access" }
        guard !rest.isEmpty || scopes.isEmpty else { throw .invalidScope }
        return rest
    }

    /// The most a consumer may ask for.
    static func allowed(
        to consumer: RegisteredConsumer, in transaction: Transaction, profiles: any ProfileCatalog
    ) throws -> [String] {
        guard let name = consumer.agentDevice else { return consumer.scopes }
        guard let device = try transaction.device(named: name) else { return [] }
        return try profiles.deviceProfile(device.profile).operations.map { "\($0.name)@\(name)" }
    }

    /// What a consumer asks for, checked; an empty list asks for all it may.
    ///
    /// - Returns: `nil` when it asks for something unknown, for more than it may, or for nothing at all.
    static func check(
        _ scopes: [String], of consumer: RegisteredConsumer, in transaction: Transaction,
        profiles: any ProfileCatalog
    ) throws -> [RequestedOperation]? {
        guard let scopes = try? withoutOpenID(scopes) else { return nil }
        let allowed = try allowed(to: consumer, in: transaction, profiles: profiles)
        guard scopes.allSatisfy(allowed.contains) else { return nil }
        let operations: [RequestedOperation]? =
            scopes.isEmpty
            // A device that was removed since does not take the rest with it.
            ? try allowed.flatMap { try resolve([$0], in: transaction, profiles: profiles) ?? [] }
            : try resolve(scopes, in: transaction, profiles: profiles)
        return operations?.isEmpty == true ? nil : operations
    }
}

/// Profiles that were read in one call, so that each file is read once.
private struct KnownProfiles {
    private let profiles: any ProfileCatalog
    private var known: [String: DeviceProfile] = [:]

    init(_ profiles: any ProfileCatalog) { self.profiles = profiles }

    mutating func profile(of device: Device) throws -> DeviceProfile {
        if let profile = known[device.profile.rawValue] { return profile }
        let profile = try profiles.deviceProfile(device.profile)
        known[device.profile.rawValue] = profile
        return profile
    }
}

extension [RequestedOperation] {
    /// As the templates show them, grouped by device.
    var shown: [[String: Any]] { map(ShownOperation.init).shown }

    /// Whether one of them can do harm in the wrong hands.
    var hasHighRisk: Bool { contains { $0.operation.risk == .high } }
}
