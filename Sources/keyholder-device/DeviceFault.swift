// Errors of the program say what and which, then what to do; the exit code is 2 for what the caller gave wrong.

import CommandProtocol
import Delegation
import Glibc
import Sealing
import Settings

/// Why the device's program ended without doing what it was told.
struct DeviceFault: Error {
    let message: String
    let hint: String?
    let exitCode: Int32

    init(_ message: String, hint: String? = nil, exitCode: Int32 = 1) {
        self.message = message
        self.hint = hint
        self.exitCode = exitCode
    }

    /// Runs `body` and explains what it throws.
    static func explaining<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let error as SettingsError {
            throw DeviceFault(error.description, exitCode: 2)
        } catch let error as Refusal {
            throw DeviceFault(error.message, hint: error.hint, exitCode: error.kind.exitCode)
        } catch let error as PrivateFileError {
            throw DeviceFault(error.description)
        } catch let error as ProtocolFault {
            throw DeviceFault(error.description, exitCode: 2)
        }
    }
}
