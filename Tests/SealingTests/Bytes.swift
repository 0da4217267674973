// Hexadecimal in test tables; white space separates lines of one number.

import Sealing

/// The bytes of a hexadecimal text; a typing mistake in a table ends the run.
func bytes(_ hex: String) -> [UInt8] {
    guard let bytes = Hex.decode(hex.filter { !$0.isWhitespace }) else { preconditionFailure("not hex: \(hex)") }
    return bytes
}

/// A secret of the bytes of a hexadecimal text.
func secret(_ hex: String) -> Secret { Secret(bytes(hex)) }
