// Comparing secrets takes a time that tells nothing but their lengths.

internal import COpenSSL

/// Comparison whose duration does not depend on where two values differ.
package enum ConstantTime {
    /// Whether both buffers hold the same bytes.
    package static func equal(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        guard let a = left.baseAddress, let b = right.baseAddress else { return true }
        return CRYPTO_memcmp(a, b, left.count) == 0
    }

    /// Whether both arrays hold the same bytes.
    package static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.withUnsafeBytes { a in right.withUnsafeBytes { equal(a, $0) } }
    }

    /// Whether both texts have the same UTF-8 bytes.
    package static func equal(_ left: String, _ right: String) -> Bool {
        equal(Array(left.utf8), Array(right.utf8))
    }
}
