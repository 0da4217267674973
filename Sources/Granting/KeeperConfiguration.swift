// Every number the keeper goes by stands here with the question it answers.

import FoundationEssentials
import Sealing

/// How the keeper does its work.
package struct KeeperConfiguration: Sendable {
    /// Where on the loopback interface do approvals come home?
    package let redirectPort: Int
    /// How long may an owner take to approve?
    package let approvalPatience: Duration
    /// How long may one exchange with a provider take?
    package let exchangeDeadline: Duration
    /// How long does a shutdown wait for refreshes that are under way?
    package let drainPatience: Duration
    /// The path of a PEM file with authorities beside the system's, the same that the HTTP client was made with.
    package let trustRoots: String?
    /// Which boot of the machine is this?
    package let boot: String
    package let time: Timepiece

    /// Sets up the keeper.
    package init(
        redirectPort: Int, approvalPatience: Duration = .seconds(900), exchangeDeadline: Duration = .seconds(30),
        drainPatience: Duration = .seconds(25), trustRoots: String? = nil, boot: String = Self.kernelBoot,
        time: Timepiece = .system
    ) {
        self.redirectPort = redirectPort
        self.approvalPatience = approvalPatience
        self.exchangeDeadline = exchangeDeadline
        self.drainPatience = drainPatience
        self.trustRoots = trustRoots
        self.boot = boot
        self.time = time
    }

    /// The kernel's boot id; where it cannot be read, one that no other run has, so that no uptime is compared with it.
    package static var kernelBoot: String {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return text.map { String($0.prefix(36)) } ?? "unknown-\(Random.alphanumerics(12))"
    }
}
