// libmosquitto is prepared exactly once, and a broker that goes away in the middle of a write cannot end the process.

internal import CMosquitto
import Glibc

/// What has to happen once in a process before the first session connects.
package enum BrokerLibrary {
    /// Initialises libmosquitto and ignores SIGPIPE for the whole process; further calls do nothing.
    ///
    /// An executable calls this first thing in `main`; every session calls it as well. OpenSSL writes to sockets
    /// without `MSG_NOSIGNAL`, and whoever else owns a TLS socket in this process is glad of the same.
    package static func prepare() { _ = once }

    /// The version of libmosquitto in use, such as `2.0.11`.
    package static var version: String {
        var (major, minor, revision): (Int32, Int32, Int32) = (0, 0, 0)
        _ = mosquitto_lib_version(&major, &minor, &revision)
        return "\(major).\(minor).\(revision)"
    }

    // mosquitto_lib_init is not thread safe; a static let is initialised once, whoever comes first.
    private static let once: Void = {
        signal(SIGPIPE, SIG_IGN)
        mosquitto_lib_init()
    }()
}
