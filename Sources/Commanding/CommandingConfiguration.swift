// Everything the commander is told once; time is in here so that tests can hold it.

package import FoundationEssentials

/// How commands go out.
package struct CommandingConfiguration: Sendable {
    package let brokerHost: String
    package let brokerPort: Int
    package let folder: BrokerFolder
    /// How long after a command is dead its acknowledgement is still waited for.
    package let grace: Duration
    /// How long a device may take to answer a challenge request.
    package let challengeTimeout: Duration
    /// Wall clock, for `iat`, `exp` and what is stored.
    package let now: @Sendable () -> Date
    /// The hub's running time, suspend included; only differences mean anything.
    package let elapsed: @Sendable () -> Duration
    package let clock: any Clock<Duration>

    /// Names a broker; the rest has the values used in production.
    package init(
        brokerHost: String, brokerPort: Int, folder: BrokerFolder, grace: Duration = .seconds(2),
        challengeTimeout: Duration = .seconds(5), now: @escaping @Sendable () -> Date = { Date() },
        elapsed: @escaping @Sendable () -> Duration = { ContinuousClock.now - Self.start },
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.brokerHost = brokerHost
        self.brokerPort = brokerPort
        self.folder = folder
        self.grace = grace
        self.challengeTimeout = challengeTimeout
        self.now = now
        self.elapsed = elapsed
        self.clock = clock
    }

    private static let start = ContinuousClock.now
}
