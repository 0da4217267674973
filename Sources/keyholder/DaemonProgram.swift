// Only the daemon's program opens the vault; what is done while it does not serve is handed over to it whole.

import Delegation
import Glibc

enum DaemonProgram {
    /// Becomes `keyholderd` with these arguments: the one beside this program, or else the one that is installed.
    ///
    /// - Throws: ``Refusal`` when there is none; otherwise this does not return.
    static func run(_ arguments: [String]) throws(Refusal) {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let program = String(decoding: buffer[..<max(0, count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
        let sibling = program.lastIndex(of: "/").map { "\(program[...$0])keyholderd" } ?? "keyholderd"
        let pointers: [UnsafeMutablePointer<CChar>?] = (["keyholderd"] + arguments).map { strdup($0) } + [nil]
        execv(sibling, pointers)
        execvp("keyholderd", pointers)
        throw Refusal(.failure, "cannot start keyholderd", hint: "install it beside keyholder")
    }
}
