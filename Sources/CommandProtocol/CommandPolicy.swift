// What a device is able and willing to do is fixed at its start, by its own profile, not by anything it receives.

/// A device's own limits on the commands it obeys.
package struct CommandPolicy: Sendable {
    /// What the device can do and with which arguments, by operation.
    package let operations: [String: OperationArguments]
    /// The operations that need a fresh challenge.
    package let highRisk: Set<String>
    /// How far ahead of the uptime `due` may lie, milliseconds.
    package let maximumLifetime: Int64
    /// The same for high-risk operations, milliseconds.
    package let maximumHighRiskLifetime: Int64
    /// How far the hub's wall clock may be off, seconds; matters only where the device trusts its own.
    package let skew: Int64

    /// States the limits; the defaults are those of DAC/1.
    package init(
        operations: [String: OperationArguments], highRisk: Set<String>, maximumLifetime: Int64 = 30_000,
        maximumHighRiskLifetime: Int64 = 10_000, skew: Int64 = 5
    ) {
        self.operations = operations
        self.highRisk = highRisk
        self.maximumLifetime = maximumLifetime
        self.maximumHighRiskLifetime = maximumHighRiskLifetime
        self.skew = skew
    }
}
