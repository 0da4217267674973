// A crash at a named place, for the tests: compiled into debug builds only, so that no release can be told to die.

import FoundationEssentials
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// A place in the program at which a test can make the process die as if its power had failed.
///
/// `KEYHOLDER_FAILPOINT=NAME` kills at the first passing, `NAME:N` at the N-th.
package enum Failpoint: String, CaseIterable, Sendable {
    case refreshBegin = "refresh.begin"
    case refreshIntent = "refresh.intent"
    case refreshAnswered = "refresh.answered"
    case refreshStaged = "refresh.staged"
    case refreshParsed = "refresh.parsed"
    case refreshReplaced = "refresh.replaced"
    case refreshRested = "refresh.rested"
    case approvalRequested = "approval.requested"
    case approvalTaken = "approval.taken"
    case approvalRedeemed = "approval.redeemed"
    case approvalActivated = "approval.activated"
    case devicePolled = "device.polled"
    case revokeEnded = "revoke.ended"
    case revokeTold = "revoke.told"
    case revokeDelayed = "revoke.delayed"
    case consumerRotated = "consumer.rotated"
    case recoverBegin = "recover.begin"

    #if DEBUG
        private static let armed: (name: String, at: Int)? = {
            guard let text = ProcessInfo.processInfo.environment["KEYHOLDER_FAILPOINT"] else { return nil }
            let parts = text.split(separator: ":")
            return parts.first.map { (String($0), parts.count > 1 ? Int(parts[1]) ?? 1 : 1) }
        }()
        private static let passed = Mutex(0)
    #endif

    /// Dies here if a test wants it.
    package func pass() {
        #if DEBUG
            guard let armed = Self.armed, armed.name == rawValue else { return }
            let count = Self.passed.withLock { count in
                count += 1
                return count
            }
            if count == armed.at { kill(getpid(), SIGKILL) }
        #endif
    }
}
