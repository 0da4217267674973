// All randomness of the project comes from libcrypto's generator, seeded by the kernel.

internal import COpenSSL

/// Random bytes and random names.
package enum Random {
    /// Fills a buffer; a process without randomness must not go on, so failure ends it.
    ///
    /// What others get to see comes from another generator than keys, so it tells nothing about them.
    static func fill(_ buffer: UnsafeMutableRawBufferPointer, isPrivate: Bool = false) {
        guard let base = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), !buffer.isEmpty else { return }
        let count = Int32(buffer.count)
        guard (isPrivate ? RAND_priv_bytes(base, count) : RAND_bytes(base, count)) == 1 else {
            fatalError("the system's random generator failed")
        }
    }

    /// `count` random bytes for what others get to see: nonces, identifiers, tokens, codes.
    package static func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { fill($0) }
        return bytes
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    /// A random text of `count` characters out of `A–Z a–z 0–9`, 5.95 bits each.
    ///
    /// Strict OAuth 1.0a libraries accept 20 to 30 of these as key, token or nonce.
    package static func alphanumerics(_ count: Int) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(count)
        while text.count < count {
            // 248 = 4 × 62: larger bytes are thrown away so that every character is equally likely. Asking for some more
            // at once costs less than asking again.
            for byte in bytes(count + count / 4) where byte < 248 && text.count < count {
                text.append(alphabet[Int(byte) % 62])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A random number of `count` decimal digits as text, leading zeros kept: a PIN.
    package static func digits(_ count: Int) -> String {
        var text: [UInt8] = []
        while text.count < count {
            for byte in bytes(count) where byte < 250 && text.count < count { text.append(0x30 + byte % 10) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
