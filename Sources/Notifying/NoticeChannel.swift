// A channel says whether it told; when to try again, and when to give up, is decided in one place for all of them.

import Delegation

/// One way to tell people.
protocol NoticeChannel: Sendable {
    /// What the vault calls it, and the log.
    var name: String { get }
    /// How long it may rest between two attempts.
    var longestRest: Duration { get }

    /// Tells one notice; once this returns it is never told again.
    func tell(_ notice: Notice) async throws(Undelivered)
}

/// Why a notice did not arrive. The text is for the log; it holds nothing of the notice.
enum Undelivered: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nobody took it; somebody may, later.
    case unavailable(String)
    /// It was turned down; after a few more attempts it is taken as said.
    case refused(String)

    var description: String {
        switch self {
        case .unavailable(let why), .refused(let why): why
        }
    }
}
