// Swift's crash backtrace prints memory behind each register, and a core file holds all of it: neither is ever written.

import Glibc

enum Hardening {
    private static let backtrace = (name: "SWIFT_BACKTRACE", value: "enable=no")

    /// Switches off backtraces and core files, and keeps other processes of the same user out of this one's memory.
    ///
    /// The backtrace is set up before `main`, so a process that was started without the variable starts itself again.
    static func apply() {
        let set = getenv(backtrace.name).map { String(cString: $0) }
        if set?.split(separator: ",").contains("enable=no") != true {
            setenv(backtrace.name, backtrace.value, 1)
            startAgain()
            Console.error("error: cannot start without crash backtraces; set SWIFT_BACKTRACE=enable=no")
            exit(1)
        }
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        setUndumpable()
    }

    private static func startAgain() {
        // By its own path, since the kernel names a process after the file it was started from.
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        // The last byte stays zero.
        if readlink("/proc/self/exe", &path, path.count - 1) > 0 { execv(path, CommandLine.unsafeArgv) }
        // The file may have been replaced a moment ago.
        execv("/proc/self/exe", CommandLine.unsafeArgv)
    }

    /// No ptrace and no `/proc/PID/mem` for other processes of this user.
    private static func setUndumpable() {
        // The C declaration is variadic, which Swift does not import; PR_SET_DUMPABLE is 4.
        typealias Prctl = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        guard let symbol = dlsym(nil, "prctl"), unsafeBitCast(symbol, to: Prctl.self)(4, 0, 0, 0, 0) == 0 else {
            Console.error("note: other processes of this user can read this one's memory")
            return
        }
    }
}
