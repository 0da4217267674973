// Errors name the operation, never the data it worked on.

internal import COpenSSL

/// Why an operation on keys or secrets did not happen.
package enum SealingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Sealed bytes were changed, belong to another row, or were sealed under another key.
    case notAuthentic
    /// A key was refused on import; the text says which rule it breaks.
    case badKey(String)
    /// Text that should be base64, base64url, hex or PEM is not.
    case badEncoding(String)
    /// A parameter is outside what the algorithm allows.
    case badParameter(String)
    /// libcrypto refused; the text is the operation and OpenSSL's own reason codes.
    case library(String)

    package var description: String {
        switch self {
        case .notAuthentic: "sealed data is damaged or belongs elsewhere"
        case .badKey(let why): "key refused: \(why)"
        case .badEncoding(let what): "not valid \(what)"
        case .badParameter(let what): "parameter out of range: \(what)"
        case .library(let what): "libcrypto failed: \(what)"
        }
    }

    /// Takes every entry off this thread's OpenSSL error queue into one error.
    ///
    /// The queue belongs to the thread, so this is called right where the failure was seen; `Sealing` has no `async`.
    static func fromQueue(_ operation: String) -> SealingError {
        var codes: [String] = []
        while true {
            let code = ERR_get_error()
            guard code != 0 else { break }
            codes.append(String(code, radix: 16))
        }
        return .library(codes.isEmpty ? operation : "\(operation) [\(codes.joined(separator: " "))]")
    }
}

/// Throws what OpenSSL queued unless `result` is exactly 1, the only success OpenSSL knows.
func check(_ result: Int32, _ operation: String) throws(SealingError) {
    guard result == 1 else { throw .fromQueue(operation) }
}
