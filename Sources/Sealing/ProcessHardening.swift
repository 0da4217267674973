// A process that holds secrets leaves nothing behind when it dies, and shows nothing to its neighbours while it lives.

internal import Glibc

/// What every program of ours does before it reads its first secret.
package enum ProcessHardening {
    /// Switches off crash backtraces and core files, keeps other processes of the same user out of this one's memory,
    /// makes new files private, and turns a write to a peer that went away into an error.
    ///
    /// Swift's backtrace prints the memory behind each register. The runtime installs it as signal handlers before
    /// `main`; with the default actions back in place a crash just ends the process, whatever `SWIFT_BACKTRACE` says.
    package static func apply() {
        signal(SIGPIPE, SIG_IGN)
        for crash in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP] { signal(crash, SIG_DFL) }
        umask(0o077)
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        raiseDescriptorLimit()
        setUndumpable()
    }

    /// Connections that somebody holds open must not use up the descriptors that everything else needs.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// No ptrace and no `/proc/PID/mem` for other processes of this user.
    private static func setUndumpable() {
        // The C declaration is variadic, which Swift does not import; PR_SET_DUMPABLE is 4.
        typealias Prctl = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        guard let symbol = dlsym(nil, "prctl"), unsafeBitCast(symbol, to: Prctl.self)(4, 0, 0, 0, 0) == 0 else {
            let note = Array("note: other processes of this user can read this one's memory\n".utf8)
            _ = write(2, note, note.count)
            return
        }
    }
}
